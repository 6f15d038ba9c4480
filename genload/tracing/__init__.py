"""A run as traces: a process of its own makes spans of the records that the run writes, and sends them.

Nothing of it happens where requests are made: one span is a hundred times what a record is.
"""

from genload.tracing.handle import Tracing, start_tracing

__all__ = ["Tracing", "start_tracing"]
