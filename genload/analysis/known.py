"""How far a number of some requests is known, by how many of them carry it.

With ``validate: sample 10%`` the numbers that need decoding exist for a random sample of the answers. They
are then estimated from it, and every statement on them says so; a number that is missing for any other
reason is not judged.
"""

from __future__ import annotations

from dataclasses import dataclass

from genload.settings.metrics.metric import Failures, Metric, Of

LEAST_WITH_NUMBER = 0.95
"""Share of those successes that should carry a number before a statistic of it is judged."""


@dataclass(frozen=True)
class Numbers:
    """How many of some requests there are of each kind that decides what is known of one metric.

    Attributes:
        good: successes.
        streamed: of these, those whose answer was streamed.
        carry: of these, those that carry the metric's number.
        inspected: requests whose output was inspected, and `answered`: those that had an output.
        good_inspected, carry_inspected: successes that were inspected; those that carry the number, too.
    """

    good: int
    streamed: int
    carry: int
    inspected: int
    answered: int
    good_inspected: int
    carry_inspected: int

    @property
    def is_sample(self) -> bool:
        """Whether some outputs were inspected, and some were not."""
        return 0 < self.inspected < self.answered


@dataclass(frozen=True)
class Known:
    """How far a number is known.

    Attributes:
        of_sample: of a random sample of the answers only, and judged by it.
        missing: why no statistic of it is judged though some carry it; empty when one is.
    """

    of_sample: bool = False
    missing: str = ""


def known(metric: Metric, numbers: Numbers) -> Known:
    """The same for the records of a whole run and for running totals."""
    good = numbers.good
    if metric.failures is Failures.COUNTED:
        return Known()
    if metric.of is Of.STREAMED and numbers.streamed < LEAST_WITH_NUMBER * good:
        how_many = f"{numbers.streamed:,}" if numbers.streamed else "none"
        whole = "and a whole answer has no playback to stall"
        return Known(missing=f"streamed answers: {how_many} of {good:,} were, {whole}")
    if numbers.carry >= LEAST_WITH_NUMBER * good or not numbers.carry:
        return Known()
    of_inspected = numbers.carry_inspected >= LEAST_WITH_NUMBER * numbers.good_inspected
    if numbers.is_sample and of_inspected:
        return Known(of_sample=True)
    return Known(missing=f"{metric.short} in every request: {numbers.carry} of {good} have it")
