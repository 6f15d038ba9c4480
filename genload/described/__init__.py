"""Services described in YAML: what generation APIs differ in, as data.

`description` holds the whole of it, as it is written below ``service.request``; the other modules each read,
check and carry out one noun of it. The client that does so in order is ``services/job.py``.
"""
