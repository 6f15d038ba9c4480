"""Which runs may be judged together: sound ones of the same thing, each once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from genload.analysis.alike import NotComparableError, check_alike, named, settings_of
from genload.analysis.read_run import ReadRun
from genload.errors import UsageError
from genload.human import count_of
from genload.plain import plain
from genload.runlog.reader import RunLog
from genload.runlog.records import RunHeader
from genload.settings.service import UNKNOWN_FACT

_MOST_TOLD = 3


def check_poolable(
    logs: Sequence[RunLog], runs: Sequence[ReadRun], identities: Sequence[Mapping[str, str]]
) -> None:
    """Whether the runs are of the same thing, each once, and each sound.

    Args:
        logs: as they were opened.
        identities: what each tested.

    Raises:
        UsageError: they are not.
    """
    if len(runs) < 2:
        raise UsageError("one run is no pool", remedy="name two or more: genload report A B --pool")
    if runs[0].scenario.capacity is not None:
        raise UsageError(
            "searches for a capacity are no pool: each chose its own levels",
            remedy="compare what each of them found: genload report A, genload report B",
        )
    check_same(logs, runs, identities)
    for log, run in zip(logs, runs, strict=True):
        if reasons := run.reasons():
            raise UsageError(
                f"{log.folder} is not valid: {plain(reasons[0].text, 300)}",
                remedy="leave it out: what was not measured soundly is no part of a verdict",
            )


def check_same(
    logs: Sequence[RunLog], runs: Sequence[ReadRun], identities: Sequence[Mapping[str, str]]
) -> None:
    """Whether the runs are of the same thing, each once.

    Raises:
        NotComparableError: they are not.
    """
    check_alike(logs)
    each = [_all_of(run, facts) for run, facts in zip(runs, identities, strict=True)]
    for log, other in zip(logs[1:], each[1:], strict=True):
        if differing := list(_differing(each[0], other)):
            more = len(differing) - _MOST_TOLD
            told = "; ".join(differing[:_MOST_TOLD]) + (f" and {more} more" if more > 0 else "")
            raise NotComparableError(
                f"{logs[0].folder} and {log.folder} are not of the same: {plain(told, 400)}",
                remedy="pool runs of one service, scenario and settings; compare others: genload compare A B",
            )


def _all_of(run: ReadRun, facts: Mapping[str, str]) -> dict[str, str]:
    """What makes the load and the service, and what the run is judged by."""
    suite = run.suite.model_dump(mode="json")
    judged = {
        "service.host": run.suite.service.host,
        "validity": suite["validity"],
        "scenario.observe": run.scenario.observe,
        # Not those of its suite: they may have been given to all of the runs.
        "scenario.criteria": {name: criterion.holds for name, criterion in run.criteria.items()},
    }
    return {**settings_of(suite, run.header.scenario), **dict(named(judged)), **facts}


def _differing(left: Mapping[str, str], right: Mapping[str, str]) -> Iterator[str]:
    for name in dict.fromkeys([*left, *right]):
        one, other = left.get(name, UNKNOWN_FACT), right.get(name, UNKNOWN_FACT)
        if one != other:
            yield f"{name} is {one} and {other}"


def seeds_notice(headers: Sequence[RunHeader]) -> Iterator[str]:
    """What is to be said of runs that sent the same inputs."""
    seeds = [header.seed for header in headers]
    same = len(seeds) - len(set(seeds))
    if same:
        yield (
            f"{count_of(same, 'run')} had a seed of another: the same inputs in the same order, so that what "
            "is said of other inputs rests on fewer of them"
        )
