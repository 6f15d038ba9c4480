"""The noise from run to run of one service on one machine, learned from runs of equal builds."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Scale(StrEnum):
    """What a shift is of."""

    RATIO = "ratio"  # NEW ÷ BASE − 1
    DIFFERENCE = "difference"  # NEW − BASE


class Noise(msgspec.Struct, frozen=True, kw_only=True):
    """How much one metric varies from run to run.

    Attributes:
        spread: the standard deviation: of the logarithms on the scale of ratios, else in base units.
        freedom: of how many degrees of freedom: the runs it was learned from, less one.
        scale: on which `spread` is, that of the shift.
    """

    spread: float
    freedom: int
    scale: Scale


class NoiseFloor(msgspec.Struct, frozen=True, kw_only=True):
    """What equal builds differ by.

    Attributes:
        metrics: by the metric as a criterion would name it: ``generate.duration.p95``.
        learned_at: UTC, ISO 8601.
        runs: from how many runs.
        suite, scenario: whose load it was.
        tested: what was tested, by name: GPU, driver, model.
    """

    metrics: dict[str, Noise]
    learned_at: str
    runs: int
    suite: str
    scenario: str
    tested: dict[str, str] = {}
