"""When how many users work: one load shape a file, found by its name as ``shape: {kind: NAME}``.

The seam: exactly one subclass of `genload.shape.PhasedShape` with a nested ``Settings`` (its YAML parameters)
and a class method ``timeline(settings)`` that returns the phases.
"""
