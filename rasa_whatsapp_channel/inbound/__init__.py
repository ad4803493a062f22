"""Inbound: from a webhook to a turn of the bot. docs/design.md lists the files in their order."""
