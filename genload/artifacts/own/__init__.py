"""Outputs that a user's own function checks."""
