"""The page of a data set: one file to look at, from what was run to a class that the reader describes."""
