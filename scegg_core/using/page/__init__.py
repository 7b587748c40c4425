"""The page of predictions: new pictures with their classes, and what speaks for them, in one file to look at."""
