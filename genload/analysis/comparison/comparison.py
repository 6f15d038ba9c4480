"""What a comparison finds, and all that its renderings read: plain values."""

from __future__ import annotations

from typing import Literal

import msgspec

from genload.analysis.comparison.brackets import Bracket
from genload.analysis.comparison.comparable import Difference
from genload.analysis.comparison.noise import NoiseFloor
from genload.analysis.comparison.shift import Shift
from genload.analysis.comparison.side import RunFacts
from genload.errors import ExitCode

Verdict = Literal["regression", "no_regression", "inconclusive", "descriptive"]

_EXIT_CODES: dict[Verdict, ExitCode] = {
    "regression": ExitCode.FAILED,
    "no_regression": ExitCode.PASSED,
    "inconclusive": ExitCode.INVALID,
    "descriptive": ExitCode.INVALID,
}


class CompareSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How two sides are compared.

    Attributes:
        tolerance: how much worse is no regression yet: a share of the base's value.
        points: the same of a share, as a difference: 0.02 are two points.
        judge: metrics to be judged, as criteria name them; empty: duration, error rate, throughput and what
            the scenario's criteria name.
        allow_different: runs that differ in more than the build are compared all the same.
        other_inputs: runs with other seeds are compared: what their inputs differ in is then noise.
        floor: the noise of equal builds.
    """

    tolerance: float = 0.05
    points: float = 0.02
    judge: tuple[str, ...] = ()
    allow_different: bool = False
    other_inputs: bool = False
    floor: NoiseFloor | None = None


class MetricShift(msgspec.Struct, frozen=True, kw_only=True):
    """One metric on both sides.

    Attributes:
        metric: as a criterion would name it.
        unit: a `Dimension`; `in_points`: it is a share, whose shift is a difference.
        better: which way it is better.
        base, new: the number of each run, in the order in which they began; None where a run has none.
        base_value, new_value: one number for the side: the geometric mean of a ratio's, else the mean.
        base_brackets, new_brackets: of a search for how much the service holds, the interval of each run.
        shift: None where one side has no number.
        tolerance: on the scale of the shift.
        result: of a judged metric; None of one that is only shown.
        p: of a judged metric, adjusted by Holm for all that are judged.
        reason: why the result is what it is, or what is missing, in a sentence.
    """

    metric: str
    unit: str
    in_points: bool
    better: str
    base: list[float | None]
    new: list[float | None]
    base_value: float | None = None
    new_value: float | None = None
    shift: Shift | None = None
    tolerance: float | None = None
    result: Verdict | None = None
    p: float | None = None
    reason: str = ""
    base_brackets: list[Bracket] = []
    new_brackets: list[Bracket] = []


class Pictures(msgspec.Struct, frozen=True, kw_only=True):
    """Durations of both sides as curves, the mean of a side's runs; None where one is infinite or missing.

    Attributes:
        levels: percentiles; `base` and `new` the durations there, seconds, failed requests infinitely slow.
        base_medians, new_medians: of what began in each of the equal parts of the load.
    """

    levels: list[float]
    base: list[float | None]
    new: list[float | None]
    base_medians: list[float | None]
    new_medians: list[float | None]


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Two builds under the load of one scenario.

    Attributes:
        verdict: ``regression`` if a judged metric is certainly worse by more than its tolerance;
            ``no_regression`` if none is worse by more than that, for sure; ``descriptive`` with too few runs
            to tell; else ``inconclusive``.
        summary: the verdict in a sentence.
        base, new: the runs, in the order in which they began.
        rounds: they came in rounds, a run of each side after the other.
        differences: what is not the same in all runs, what had to be allowed first.
        metrics: the judged ones first.
        notices: what else is to be known.
    """

    suite: str
    scenario: str
    operation: str
    rehearsal: bool
    time_scale: float
    verdict: Verdict
    summary: str
    settings: CompareSettings
    base: list[RunFacts]
    new: list[RunFacts]
    rounds: bool
    differences: list[Difference]
    metrics: list[MetricShift]
    notices: list[str]
    pictures: Pictures

    @property
    def exit_code(self) -> int:
        """0 no regression, 1 regression, 3 neither can be said."""
        return _EXIT_CODES[self.verdict]

    @property
    def judged(self) -> list[MetricShift]:
        """The metrics that the verdict rests on."""
        return [metric for metric in self.metrics if metric.result is not None]
