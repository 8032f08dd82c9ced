"""Features: what is computed of each series, and what is kept of it."""
