"""Webhooks to the bot: their bodies and signatures, faults on the way, delivery and log."""
