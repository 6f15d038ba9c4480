"""What a testbed is told when it starts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

_DURATION = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*(ms|s|min|h)?")
_UNIT_S = {"ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}


class WhenFull(StrEnum):
    """What happens to a job when every slot is taken."""

    QUEUE = "queue"  # it waits, first come first served
    REFUSE = "refuse"  # what a real ORFEAS does: accepted with 200, then failed


@dataclass(frozen=True, slots=True)
class Options:
    """Times are modelled seconds: real ones are these times `time_scale`."""

    port: int = 5000  # 0: any free one
    service_time_s: float = 82.0  # mean of a job that runs alone
    spread: float = 0.02  # standard deviation of the service time ÷ its mean
    slots: int = 3
    when_full: WhenFull = WhenFull.QUEUE
    contention: float = 0.0  # how much slower each further running job makes all of them: 0.1 = 10 %
    time_scale: float = 1.0
    seed: int = 0
    truth: Path | None = None
    ready_after_s: float = 0.0
    fail_rate: float = 0.0  # share of jobs that end as failed
    reject_rate: float = 0.0  # share of submissions answered 503
    rate_limit_per_min: int = 0  # uploads and submissions a client address may send; 0: no limit

    def scaled(self, modelled_s: float) -> float:
        """Modelled seconds as real ones."""
        return modelled_s * self.time_scale


def parse_duration_s(text: str) -> float:
    """``82``, ``82s``, ``500ms``, ``1.5min`` or ``2h`` as seconds.

    Raises:
        ValueError: anything else; the message shows the form.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"'{text}' is not a duration such as 82s, 500ms or 1.5min")
    number, unit = match.groups()
    return float(number) * _UNIT_S[unit or "s"]
