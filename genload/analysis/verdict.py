"""From criteria and data to results, and from these to the run's own result and its exit code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from genload.analysis.evaluate import judge_expression
from genload.analysis.judged import CriterionVerdict, Reason, RunResult
from genload.analysis.observe import Measures
from genload.errors import ExitCode
from genload.runlog.records import GIVEN_UP, NOT_READY, Event, Interrupted, Notice
from genload.settings.criteria.criterion import Criterion


def judged_criteria(criteria: Mapping[str, Criterion], measures: Measures | None) -> list[CriterionVerdict]:
    """Each criterion on the data; without a load none is judged."""
    if measures is None:
        return [_unjudged(name, criterion) for name, criterion in criteria.items()]
    return [judged_criterion(name, criterion, measures) for name, criterion in criteria.items()]


def judged_criterion(name: str, criterion: Criterion, measures: Measures) -> CriterionVerdict:
    """One criterion on the data."""
    judgement = judge_expression(criterion.expression, measures)
    return CriterionVerdict(
        name=name,
        expression=criterion.holds,
        must=criterion.must,
        value=judgement.value,
        unit=judgement.unit,
        result=judgement.result,
        evidence=judgement.evidence,
        low=judgement.low,
        high=judgement.high,
        op=judgement.op,
        threshold=judgement.threshold,
        bound=judgement.bound,
        assumption=judgement.assumption,
        needs=judgement.needs,
        successes=judgement.successes,
        misses=list(judgement.misses),
    )


def _unjudged(name: str, criterion: Criterion) -> CriterionVerdict:
    return CriterionVerdict(
        name=name,
        expression=criterion.holds,
        must=criterion.must,
        value=None,
        unit="",
        result="inconclusive",
        evidence=None,
        bound=None,
        assumption=None,
        needs="a load: it never began in this run",
    )


def overall_result(criteria: Iterable[CriterionVerdict], *, attempted: int, observe: bool) -> RunResult:
    """The result of a run, from its `must` criteria: "fail" if one of them fails, else "inconclusive" if one
    of them has no data.

    A run without a single request never passes, nor does a run without a `must` criterion.
    """
    results = {criterion.result for criterion in criteria if criterion.must}
    if "fail" in results:
        return "fail"
    if "inconclusive" in results or attempted == 0:
        return "inconclusive"
    if results:
        return "pass"
    return "observed" if observe else "no criteria"


def run_exit_code(
    events: Iterable[Event],
    why_not: Sequence[Reason],
    criteria: Iterable[CriterionVerdict],
    result: RunResult,
    *,
    strict: bool,
) -> int:
    """The exit code of a run: 130 if it was interrupted, 4 if the service was never ready or was given up, 3
    if the measurement is not valid; else by the result.

    A measurement that is not valid says nothing about the service. Therefore it cannot be a failure either.
    """
    seen = list(events)
    if any(isinstance(event, Interrupted) for event in seen):
        return ExitCode.INTERRUPTED
    if any(isinstance(event, Notice) and event.code in (NOT_READY, GIVEN_UP) for event in seen):
        return ExitCode.UNAVAILABLE
    if why_not or result in ("inconclusive", "no criteria"):
        return ExitCode.INVALID
    if result == "fail":
        return ExitCode.FAILED
    unsure = any(c.must and c.evidence not in ("exact", "proven") for c in criteria)
    return ExitCode.INVALID if strict and unsure else ExitCode.PASSED
