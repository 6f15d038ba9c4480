"""How every report says the same things: verdicts, moments, a service's text made harmless."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from genload.analysis.judged import CriterionVerdict, JudgedRun, JudgedSuite, Miss, Summary
from genload.errors import ExitCode
from genload.human import count_of, human
from genload.reporting.change_wording import change_word
from genload.runlog.records import GIVEN_UP
from genload.settings.scenario import NO_CRITERIA

_WORDS = {
    ExitCode.PASSED: "PASS",
    ExitCode.FAILED: "FAIL",
    ExitCode.UNAVAILABLE: "NOT READY",
    ExitCode.INTERRUPTED: "INTERRUPTED",
}


def human_percentile(value: float | None, summary: Summary) -> str:
    """p95 over every attempt: infinite, not unknown, where enough of them failed; then with that of the
    successes alone.
    """
    if value is not None or not summary.total_requests:
        return human(value, "s")
    alone = summary.p95_of_successes
    return "∞" if alone is None else f"∞ (ok: {human(alone, 's')})"


def utc(moment: str, after_s: float = 0.0) -> str:
    """An ISO 8601 time moved on by some seconds, as ``2026-11-21T10:00:00.000Z``.

    As it stands when it is none: a damaged run directory may not know when it began.
    """
    try:
        later = datetime.fromisoformat(moment).astimezone(UTC) + timedelta(seconds=after_s)
    except (ValueError, OverflowError):
        return moment
    return later.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment(run: JudgedRun, t_s: float) -> str:
    """When something was that happened so many seconds after the run began, as `utc`."""
    # The start time is that of the load, which the first phase begins.
    load_s = run.phases[0].start_s if run.phases else 0.0
    return utc(run.start_time, t_s - load_s)


def rehearsal_note(run: JudgedRun) -> str | None:
    """The sentence that every report of a scaled run starts with; None for a run in real time."""
    if run.time_scale == 1.0 and not run.rehearsal:
        return None
    scale = f"at time scale {run.time_scale:g}" if run.time_scale != 1.0 else "in real time"
    tail = "times, rates and thresholds are scaled, so this says nothing about a real service"
    if run.rehearsal:
        return f"REHEARSAL {scale}, forced with --rehearsal: {tail}"
    return f"REHEARSAL {scale}: {tail}"


def tested_words(run: JudgedRun) -> str | None:
    """What was tested, in a line; None where nobody said. Whoever shows it escapes it."""
    facts = [f"{name} {text}" for name, text in run.identity.items()]
    return f"tested: {' · '.join(facts)}" if facts else None


def pooled_words(run: JudgedRun) -> str | None:
    """Which runs were judged as one; None of one run."""
    if not run.pooled:
        return None
    each = (f"{one.run} ({count_of(one.requests, 'request')})" for one in run.pooled)
    return f"{len(run.pooled)} runs judged as one: {', '.join(each)}"


def asleep_words(run: JudgedRun) -> str | None:
    """What the users slept because requests had failed; None where nobody slept."""
    client = run.client
    if not client.user_seconds_asleep:
        return None
    share = human(client.user_seconds_asleep / client.user_seconds_target, "ratio")
    return f"users slept {share} of their time after failures: a service without them has more load"


def verdict_word(run: JudgedRun) -> str:
    """The verdict of a run in capitals; it follows the exit code, so that the two never disagree."""
    verdict = run.verdict
    if any(reason.code == GIVEN_UP for reason in verdict.reasons):
        return "GIVEN UP"
    if verdict.result == "observed" and verdict.exit_code == ExitCode.PASSED:
        return "OBSERVED"
    if verdict.exit_code in _WORDS:
        return _WORDS[ExitCode(verdict.exit_code)]
    if not verdict.valid:
        return "INVALID"
    words = {"pass": "UNPROVEN", "no criteria": "NO CRITERIA"}
    return words.get(verdict.result, "INCONCLUSIVE")


def no_criteria_words(run: JudgedRun) -> str | None:
    """What to do about a scenario of which nothing must hold; None for another one."""
    if run.verdict.result != "no criteria":
        return None
    return NO_CRITERIA


def suite_word(suite: JudgedSuite) -> str:
    """The verdict of a suite in capitals: that of the first scenario which decided its exit code; one that
    was only observed decides nothing where another passed.
    """
    words = [verdict_word(run) for run in suite.runs if run.verdict.exit_code == suite.exit_code]
    changes = [run.change for run in suite.runs if run.change and run.change.exit_code == suite.exit_code]
    if not words and changes:
        return change_word(changes[0]).upper()
    if not words or _WORDS[ExitCode.PASSED] in words:
        return code_word(suite.exit_code)
    return words[0]


def code_word(exit_code: int) -> str:
    """The verdict in capitals where there is nothing but an exit code."""
    return _WORDS.get(ExitCode(exit_code), "INCOMPLETE")


def explained(criterion: CriterionVerdict) -> str:
    """The evidence of one criterion as a phrase: kind, bound with its assumption, what more would decide."""
    parts: list[str] = []
    if criterion.evidence == "exact":  # its bound is the value itself
        parts.append(f"exact: {criterion.assumption}" if criterion.assumption else "exact")
    elif criterion.evidence is not None:
        parts.append(criterion.evidence)
        if criterion.bound is not None:
            parts[0] += f": 95 % bound {human(criterion.bound, criterion.unit)}"
            parts[0] += f" if {criterion.assumption}" if criterion.assumption else ""
    if criterion.successes is not None:
        parts.append(f"of the successes alone {human(criterion.successes, criterion.unit)}")
    if criterion.needs:
        parts.append(f"needs {criterion.needs}")
    return "; ".join([*parts, *_misses(criterion)])


def _misses(criterion: CriterionVerdict) -> Iterator[str]:
    """For which values of an ``each`` it does not hold: all of them, where there are several."""
    several = len({miss.subject for miss in criterion.misses}) > 1
    for result, verb in (("fail", "fails"), ("inconclusive", "is open")):
        told = [miss for miss in criterion.misses if miss.result == result]
        if len(criterion.misses) > 1 and told:
            yield f"{verb} for {', '.join(_miss(miss, several) for miss in told)}"


def _miss(miss: Miss, with_subject: bool) -> str:
    name = " ".join(f"{label}={value}" for label, value in miss.labels.items())
    what = [miss.subject] if with_subject else []
    what += [human(miss.value, miss.unit)] if miss.value is not None else []
    return f"{name} ({' '.join(what)})" if what else name
