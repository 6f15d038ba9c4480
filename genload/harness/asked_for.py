"""How many users a run asks for at this moment, for those who watch it."""

from __future__ import annotations

from genload.harness.run import Run
from genload.harness.side import Side


def users_asked_for(run: Run, side: Side) -> int:
    """Of one of its populations: one in the warm-up, and none outside of it and of the load."""
    if run.stage != "load":
        return 1 if run.stage in ("warm-up", "cold start") else 0
    return side.timeline.target(run.shape.elapsed_s())
