"""What a search found of how much a service can hold."""

from __future__ import annotations

from typing import Literal

import msgspec

from genload.analysis.judged.criterion import CriterionVerdict, Reason

End = Literal[
    "found", "beyond the range", "not even one", "not monotone", "invalid", "interrupted", "broken off"
]
LevelOutcome = Literal["holds", "does not hold", "invalid", "not finished"]


class LevelResult(msgspec.Struct, kw_only=True):
    """One level as it was measured. Its requests are those that were to begin in its measured part; durations
    in seconds, over every attempt as ever."""

    level: int  # from 1, in the order in which they were measured
    value: float  # users, or requests a second
    outcome: LevelOutcome  # by the observed values
    proven: bool  # whether that outcome is, with all looks at the load counted
    measured_seconds: float
    total_requests: int
    failed_requests: int
    error_rate: float | None  # percent
    throughput_per_minute: float | None
    p50_duration: float | None
    p95_duration: float | None
    criteria: list[CriterionVerdict]  # those that must hold, said of this level alone
    reasons: list[Reason]  # why it is not valid


class Saturation(msgspec.Struct, kw_only=True):
    """The simplest model of the throughput of N users, for comparison: N ÷ `cycle_seconds`, and `slots` ÷
    `cycle_seconds` at most. Nothing is concluded from it."""

    cycle_seconds: float  # of one user's request with its pauses, where fewest users are at work
    slots: float | None  # None: no level shows that there is an end to it


class Capacity(msgspec.Struct, kw_only=True):
    """How much a service holds: an interval, and what is known of its ends. Nothing lies outside the levels
    that were measured; each end is None where no level says it."""

    of: Literal["users", "rate"]
    unit: str  # "count", or "1/s"
    end: End
    holds: list[str]  # names of the criteria
    lowest: float  # of the range
    highest: float
    highest_observed: float | None  # the highest level observed to hold
    lowest_observed_not: float | None  # the lowest observed not to
    highest_proven: float | None
    lowest_proven_not: float | None
    contradictions: list[tuple[float, float]]  # a level that did not hold, and one as high that did
    looks: int  # levels that any such search may judge: each bound may be wrong in 5 % ÷ looks
    sentence: str
    needs: list[str]  # what would narrow the interval
    limited_by: list[str]  # what was at its end at the lowest level that did not hold
    levels: list[LevelResult]
    saturation: Saturation | None = None  # of users

    @property
    def interrupted(self) -> bool:
        return self.end == "interrupted"
