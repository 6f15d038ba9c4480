"""Which listeners leave in the middle of an answer, and after how long: drawn by the seed and the request's
number, and so the same in whichever process.
"""

from __future__ import annotations

from math import inf

from genload.artifacts.inputs.draws import Draws
from genload.harness.gate import Turn
from genload.settings.phases import Timeline
from genload.settings.scenario import Leave


class Leaving:
    """Of one scenario.

    Args:
        leave: None: nobody leaves by themselves.

    Attributes:
        happens: whether anybody leaves in this scenario, by themselves or all at once.
    """

    def __init__(self, timeline: Timeline, leave: Leave | None, seed: int) -> None:
        self._leave, self._seed = leave, seed
        self.happens = leave is not None or bool(timeline.walkouts_s)
        self._shares = {phase.name: phase.leave_share for phase in timeline.phases}

    def after_s(self, turn: Turn) -> float:
        """How long after its start a request's listener leaves; inf: never."""
        leave = self._leave
        if leave is None or turn.warmup:
            return inf
        own = self._shares.get(turn.phase)
        if Draws(self._seed, turn.number, b"leave").share() >= (leave.share if own is None else own):
            return inf
        drawn = Draws(self._seed, turn.number, b"leave after").share()
        return leave.after.min_s + drawn * (leave.after.max_s - leave.after.min_s)

    def labels(self, turn: Turn) -> dict[str, str]:
        """What the request's record says of its listener, where some leave."""
        if self._leave is None:
            return {}
        return {"listener": "stays" if self.after_s(turn) == inf else "leaves"}
