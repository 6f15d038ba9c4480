"""Outputs that are pictures."""
