"""Files that are whole, carry what made them, and are checked when read."""
