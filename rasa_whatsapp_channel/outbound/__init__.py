"""Outbound: from a response to its last status. docs/design.md lists the files in their order."""
