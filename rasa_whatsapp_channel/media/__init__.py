"""Media: files are found, fetched, converted, uploaded and stored here, for both directions."""
