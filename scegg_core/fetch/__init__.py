"""The only room that opens a network connection: archives, word vectors and weights."""
