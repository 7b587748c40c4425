"""One module per figure: what it is computed from, and how it is drawn."""
