"""Meshes: whether an output is one, and what it holds."""
