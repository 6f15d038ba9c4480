"""Answers that hold an output: JSON with base64 in it, zips."""
