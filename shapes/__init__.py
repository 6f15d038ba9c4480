"""The load shapes: how many users work at which time. A suite names the file: ``shape: {kind: NAME}``.

A file defines exactly one subclass of `genload.shape.PhasedShape`. It has a class ``Settings``, the
parameters of the shape in YAML, and a class method ``timeline(settings)``, which returns the phases.
"""
