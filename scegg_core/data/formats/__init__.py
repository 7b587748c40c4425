"""One module per data-set format: where its files lie and what they say."""
