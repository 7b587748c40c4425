"""One module per section of the configuration, and how they fit together."""
