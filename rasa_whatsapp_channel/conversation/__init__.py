"""What is remembered of a person between two messages, for both directions alike."""
