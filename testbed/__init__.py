"""A small real service with a modelled GPU: what genload is tested, rehearsed and demonstrated on.

It speaks the ORFEAS image-to-3D API as a client can see it, quirks included, and makes real meshes out of
the uploaded images. Only the GPU's *time and memory* are modelled, so that a run may be shortened:

* Every answer carries the header ``X-Testbed-Time-Scale`` (``0.02``: 82 modelled seconds take 1.64 real
  ones). A load generator that runs at a time scale reads it from ``GET /ready`` and refuses a service
  that does not declare the same scale.
* A request header ``X-Testbed-Fault: NAME`` asks for one fault (`faults.Fault`) on that one request.

It listens on loopback only, and imports nothing of genload: it must not share the bugs it is there to find.
Run it with ``genload serve``, or ``python -m testbed`` in a checkout.
"""
