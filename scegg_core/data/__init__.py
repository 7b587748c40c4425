"""Reading data sets: fetching, indexing, images, validation splits, and the check for people."""
