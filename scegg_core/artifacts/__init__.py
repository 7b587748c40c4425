"""Files that are never half-written, say what they were made from, and are checked when read."""
