"""The frame around a job, and digests of the code that a script reaches."""
