"""What the jobs of a workflow share with the core: which code a stage runs."""
