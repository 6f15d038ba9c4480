"""What every estimate of a criterion's subject offers to the verdict: a value, and bounds on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

ALPHA = 0.05
"""Every bound is one-sided, at 95 %."""

Side = Literal["upper", "lower"]


@dataclass(frozen=True, slots=True)
class Bound:
    """How far the true value may be off on one side.

    `value` is None where the data bound nothing; `assumption` is what the bound rests on.
    """

    value: float | None
    assumption: str


class Estimate(Protocol):
    """One subject of a criterion, measured.

    Attributes:
        value: the observed number in base units; `inf` for a percentile among failed requests; None
        without data.
        missing: why there is no value, or why it must not be judged; empty when it may be.
        exact: a statement about this very run, which needs no bound.
        basis: what an exact statement is about.
    """

    @property
    def value(self) -> float | None: ...

    @property
    def missing(self) -> str: ...

    @property
    def exact(self) -> bool: ...

    @property
    def basis(self) -> str: ...

    def bound(self, side: Side, threshold: float) -> Bound:
        """The one-sided bound; `threshold` is what the claim is about, where dependence is judged there."""
        ...

    def needs(self, side: Side, threshold: float) -> str:
        """What more would decide whether the true value is on this side of the threshold."""
        ...


@dataclass(frozen=True, slots=True)
class Absent:
    """Nothing to judge: no data, or telemetry with too many holes."""

    missing: str
    value: float | None = None
    exact: bool = False
    basis: str = ""

    def bound(self, side: Side, threshold: float) -> Bound:
        return Bound(None, "")

    def needs(self, side: Side, threshold: float) -> str:
        return self.missing


@dataclass(frozen=True, slots=True)
class Nothing(Absent):
    """No such request: of several runs, one without it takes nothing from the others."""


@dataclass(frozen=True, slots=True)
class Partial:
    """A number from too small a part of what was asked about, and between what limits the whole's must lie.

    It decides only where every number between the limits gives the same answer: one 0 among the samples
    refutes ``min == 1``, however many are missing.
    """

    value: float | None
    low: float
    high: float
    missing: str
    basis: str
    exact: bool = False

    def bound(self, side: Side, threshold: float) -> Bound:
        return Bound(self.low if side == "lower" else self.high, self.basis)

    def needs(self, side: Side, threshold: float) -> str:
        return self.missing


@dataclass(frozen=True, slots=True)
class Exact:
    """A number about this very run: a count, or an extreme of what was seen."""

    value: float | None
    basis: str = "a count about this run"
    missing: str = ""
    exact: bool = True

    def bound(self, side: Side, threshold: float) -> Bound:
        return Bound(self.value, self.basis)

    def needs(self, side: Side, threshold: float) -> str:
        return ""


@dataclass(frozen=True, slots=True)
class Unbounded:
    """An observed number without a bound; `instead` says what to judge to have one."""

    value: float | None
    instead: str
    missing: str = ""
    exact: bool = False
    basis: str = ""

    def bound(self, side: Side, threshold: float) -> Bound:
        return Bound(None, "")

    def needs(self, side: Side, threshold: float) -> str:
        return self.instead


def count_text(number: float, noun: str = "requests") -> str:
    """A needed number: ``about 1,200 requests``; large ones to two digits, for they are estimates."""
    digits = max(len(str(int(number))) - 2, 0)
    rounded = -(-int(np.ceil(number)) // 10**digits) * 10**digits if number >= 1000 else int(np.ceil(number))
    return f"about {rounded:,} {noun}"
