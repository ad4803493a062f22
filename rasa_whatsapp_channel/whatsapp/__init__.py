"""WhatsApp: its messages, webhooks, error codes and APIs. Knows nothing of the bot."""
