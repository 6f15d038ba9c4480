"""Outputs that are Gaussian splats."""
