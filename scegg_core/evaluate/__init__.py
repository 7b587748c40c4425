"""Metrics, scores, what validation chooses, and what is measured on attention and spaces."""
