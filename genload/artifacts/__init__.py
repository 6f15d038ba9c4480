"""Inputs and outputs of generation: pictures to send, meshes to look into, outputs seen before."""
