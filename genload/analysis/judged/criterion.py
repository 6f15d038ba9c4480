"""One criterion, judged; and why a measurement is not valid."""

from __future__ import annotations

from typing import Literal

import msgspec

from genload.settings.criteria.ast import Operator
from genload.settings.criteria.comparisons import Outcome

Evidence = Literal["exact", "proven", "unproven"]


class Miss(msgspec.Struct, kw_only=True):
    """One comparison of an ``each(label)`` that does not hold, or has no data, for one value of the label.
    `labels` may have others, too, where machines are told apart by several."""

    labels: dict[str, str]
    subject: str
    value: float | None  # observed, in the base unit of `unit`
    unit: str
    result: Outcome


class CriterionVerdict(msgspec.Struct, kw_only=True):
    """One criterion, judged.

    `value` is the observed number of the (first undecided or worst) comparison in base units: None
    without data, `inf` for a percentile that failed requests reach, and a share for ``p% of …``. `unit`
    is a `Dimension`. Where polls leave it open, it lies between `low` and `high` (None: it is known, or that
    end is infinite), and the result is that of both ends. `bound` is the one-sided 95 % bound on it, under
    `assumption`; `needs` says what more would decide. `successes` is the same percentile of the successes
    alone, where `value` is infinite. `threshold` is what the value was compared with by `op`. `misses` has
    every value of an ``each`` for which it does not hold, the failing ones first.
    """

    name: str
    expression: str
    must: bool
    value: float | None
    unit: str
    result: Outcome
    evidence: Evidence | None
    bound: float | None
    assumption: str | None
    needs: str | None
    successes: float | None = None
    low: float | None = None
    high: float | None = None
    op: Operator | None = None
    threshold: float | None = None
    misses: list[Miss] = []

    @property
    def margin(self) -> float | None:
        """How far the value is on the good side of its threshold, as a share of that; below 0: on the bad
        one.

        None without a value, for ``==`` and ``!=`` (there is no side), and for a threshold of 0, of which
        nothing is a share.
        """
        if self.value is None or not self.threshold or self.op in (None, "==", "!="):
            return None
        past = (self.value - self.threshold) / abs(self.threshold)
        return past if self.op in (">", ">=") else -past


class Reason(msgspec.Struct, kw_only=True):
    """Why a measurement is not valid, and what to change."""

    code: str
    text: str
    remedy: str
