"""Attribute names to vectors."""
