"""Media files: which are accepted, where they are stored, how links are loaded."""
