"""Inputs and outputs of generation: what is sent, and what is made of what comes back."""
