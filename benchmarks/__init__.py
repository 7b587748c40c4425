"""Step times against a plain transcription of the method, and against what the machine can do."""
