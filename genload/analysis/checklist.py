"""The answers to a suite's checklist, from its judged runs alone."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter

from genload.analysis.judged import Answer, AnswerState, CriterionVerdict, JudgedRun
from genload.human import count_of, human
from genload.settings.checklist import Checklist, Condition

_CHECKLIST: TypeAdapter[Checklist] = TypeAdapter(Checklist)


def answers(suite: Mapping[str, Any], runs: Sequence[JudgedRun]) -> list[Answer]:
    """Every question of the suite, in its order; none of a suite without a checklist.

    Args:
        suite: its settings, as a run directory holds them.
    """
    return [
        Answer(heading=heading, question=question, state=state, reason=reason)
        for heading, questions in _CHECKLIST.validate_python(suite.get("checklist", {})).items()
        for question, condition in questions.items()
        for state, reason in [_answered(condition, suite, runs)]
    ]


def _answered(
    condition: Condition, suite: Mapping[str, Any], runs: Sequence[JudgedRun]
) -> tuple[AnswerState, str]:
    if condition.by_hand is not None:
        return "open", f"for a person: {condition.by_hand}"
    if condition.scenarios is not None:
        whole = [name for name, own in suite.get("scenarios", {}).items() if not own.get("on_demand")]
        return _all_ran(whole, runs)
    if condition.error_rate_below is not None:
        return _no_breakdown(condition.error_rate_below, runs)
    if condition.live_families is not None:
        return _live(condition.live_families, runs)
    if condition.report is not None:
        written = condition.report in suite.get("reports", ())
        return ("ticked" if written else "open"), f"{condition.report} is {'' if written else 'not '}written"
    return _hold(condition.criteria, runs)


def _all_ran(scenarios: Collection[str], runs: Sequence[JudgedRun]) -> tuple[AnswerState, str]:
    there = {run.scenario for run in runs if not run.interrupted}
    lacking = [name for name in scenarios if name not in there]
    if lacking:
        return "open", f"not run to the end: {', '.join(lacking)}"
    return "ticked", f"all {len(scenarios)} have run"


def _no_breakdown(limit: float, runs: Sequence[JudgedRun]) -> tuple[AnswerState, str]:
    worst = max(runs, key=lambda run: run.overall.error_rate or 0.0)
    rate = (worst.overall.error_rate or 0.0) / 100
    restarts = max(
        (s.max or 0.0 for run in runs for s in run.series if s.metric == "server.restarts"), default=None
    )
    down = [run.name for run in runs if run.uptime is not None and run.uptime.down]
    found = [f"at most {human(rate, 'ratio')} errors ({worst.name})"]
    found.append("restarts were not watched" if restarts is None else count_of(int(restarts), "restart"))
    found += [f"down in {', '.join(down)}"] if down else []
    sound = rate < limit and not restarts and not down
    return ("ticked" if sound and restarts is not None else "open"), "; ".join(found)


def _live(wanted: int, runs: Sequence[JudgedRun]) -> tuple[AnswerState, str]:
    expected = {family.family for run in runs for family in run.contract}
    if not expected:
        return "not applicable", "the suite expects no metric families"
    live = {family.family for run in runs for family in run.contract if family.state == "live"}
    return ("ticked" if len(live) >= wanted else "open"), f"{len(live)} of {len(expected)} expected are live"


def _hold(paths: Sequence[str], runs: Sequence[JudgedRun]) -> tuple[AnswerState, str]:
    by_name = {run.name: run for run in runs}
    found = {path: _criterion(path, by_name.get(path.rpartition("/")[0])) for path in paths}
    absent = [path for path, one in found.items() if one is None]
    if len(absent) == len(paths):
        return "not applicable", f"not run: {', '.join(absent)}"
    lost = [
        f"{path} {'fails' if one.result == 'fail' else 'is open'}"
        for path, one in _judged(found)
        if one.result != "pass"
    ]
    if lost or absent:
        return "open", "; ".join([*lost, *(f"{path} was not judged" for path in absent)])
    return "ticked", ", ".join(f"{path} holds ({one.evidence})" for path, one in _judged(found))


def _judged(found: dict[str, CriterionVerdict | None]) -> Iterator[tuple[str, CriterionVerdict]]:
    return ((path, one) for path, one in found.items() if one is not None)


def _criterion(path: str, run: JudgedRun | None) -> CriterionVerdict | None:
    name = path.rpartition("/")[2]
    criteria = run.verdict.criteria if run is not None else []
    return next((criterion for criterion in criteria if criterion.name == name), None)
