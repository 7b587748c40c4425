"""Figures: pure functions from arrays and data frames to matplotlib Figures, testable without a display."""
