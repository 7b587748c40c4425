"""The final classifier and predictions (paper section 3.3)."""
