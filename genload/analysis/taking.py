"""Reading the requests of a run, once for all that are asked for; very many by two processes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext

from genload.analysis.later import later_half
from genload.analysis.log import Log
from genload.analysis.taken import Taken, of_each
from genload.housekeeping import reuse_columns


def take(log: Log) -> Sequence[Taken]:
    """What there is of each population of a run, in their order; of a run without any, of itself."""
    taken = of_each(log.header)
    with later_half(log.folder) or nullcontext() as later:
        for block in log.rows(later):
            for each in taken:
                each.add(block)
        if later is not None and later.taken is not None:
            for each, more in zip(taken, later.taken, strict=True):
                each.join(more)
    reuse_columns()
    return taken
