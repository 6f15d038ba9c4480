"""What has changed since a baseline."""

from __future__ import annotations

from typing import Literal

import msgspec

from genload.errors import ExitCode

ChangeVerdict = Literal["regression", "no_regression", "inconclusive", "descriptive", "not_comparable"]

_EXIT_CODES: dict[ChangeVerdict, ExitCode] = {
    "regression": ExitCode.FAILED,
    "no_regression": ExitCode.PASSED,
}


class MetricChange(msgspec.Struct, kw_only=True, frozen=True):
    """One judged metric; `base` and `new` in the base unit of `unit`. `change`, `low` and `high` (its 95 %
    bounds) are shares of the base, or, where `is_difference`, in that unit; None: unknown. `in_points`: it
    is a share, whose difference is told in points. `reason` says in a sentence why the result is what it is.
    """

    metric: str
    unit: str
    base: float | None
    new: float | None
    change: float | None
    low: float | None
    high: float | None
    is_difference: bool
    in_points: bool
    result: str
    reason: str


class Change(msgspec.Struct, kw_only=True, frozen=True):
    """A run, or several as one, against a baseline.

    `summary` is the verdict in a sentence, `needs` what is missing for one; `floor` when the noise of equal
    builds was learned, empty where the spread of the runs at hand stands for it. `differences` names what
    else is not the same.
    """

    baseline: str
    verdict: ChangeVerdict
    summary: str
    needs: str = ""
    base_runs: int = 0
    new_runs: int = 0
    floor: str = ""
    differences: list[str] = []
    metrics: list[MetricChange] = []

    @property
    def exit_code(self) -> ExitCode:
        """0 no regression, 1 regression; 3 where neither can be said: that never passes."""
        return _EXIT_CODES.get(self.verdict, ExitCode.INVALID)
