"""Which runs may be judged together: sound ones of the same thing, each once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from genload.analysis.read_run import ReadRun
from genload.errors import UsageError
from genload.human import count_of
from genload.plain import plain
from genload.runlog.records import RunHeader
from genload.settings.service import UNKNOWN_FACT

_MOST_TOLD = 3
_OTHERWISE = frozenset({"seed", "reports", "checklist", "then", "settle", "baseline", "purpose", "scenarios"})
"""Keys of a suite in which runs may differ that are pooled: they change neither load nor service."""


def check_poolable(
    folders: Sequence[Path], runs: Sequence[ReadRun], identities: Sequence[Mapping[str, str]]
) -> None:
    """Whether the runs are of the same thing, each once, and each sound.

    Args:
        folders: where each is.
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
    check_same(folders, runs, identities)
    for folder, run in zip(folders, runs, strict=True):
        if reasons := run.reasons():
            raise UsageError(
                f"{folder} is not valid: {plain(reasons[0].text, 300)}",
                remedy="leave it out: what was not measured soundly is no part of a verdict",
            )


def check_same(
    folders: Sequence[Path], runs: Sequence[ReadRun], identities: Sequence[Mapping[str, str]]
) -> None:
    """Whether the runs are of the same thing, each once.

    Raises:
        UsageError: they are not.
    """
    _check_each_once(folders, [run.header for run in runs])
    first = folders[0]
    for folder, other, facts in zip(folders[1:], runs[1:], identities[1:], strict=True):
        if differing := [*_settings(runs[0], other), *_facts(identities[0], facts)]:
            more = len(differing) - _MOST_TOLD
            told = "; ".join(differing[:_MOST_TOLD]) + (f" and {more} more" if more > 0 else "")
            raise UsageError(
                f"{first} and {folder} are not of the same: {plain(told, 400)}",
                remedy="pool runs of one service, scenario and settings; compare others: genload compare A B",
            )


def _check_each_once(folders: Sequence[Path], headers: Sequence[RunHeader]) -> None:
    known: dict[tuple[Any, ...], Path] = {}
    for folder, header in zip(folders, headers, strict=True):
        # A copied directory is the same run.
        key = header.scenario, header.started_at, header.salt, header.seed
        if key in known:
            twice = known[key].resolve() == folder.resolve()
            raise UsageError(
                f"{folder} is {'named twice' if twice else f'the same run as {known[key]}'}",
                remedy="name each run once: the same requests counted twice would look like more evidence",
            )
        known[key] = folder


def _settings(one: ReadRun, other: ReadRun) -> Iterator[str]:
    """The settings in which two runs differ, by their keys."""
    a, b = one.header, other.header
    for name in ("scenario", "time_scale", "rehearsal", "operation"):
        if getattr(a, name) != getattr(b, name):
            yield f"{name} is {getattr(a, name)} and {getattr(b, name)}"
    for key, (left, right) in _differing(_load(one), _load(other)):
        yield f"{key} is {left} and {right}"


def _load(run: ReadRun) -> dict[str, Any]:
    """What of a suite's settings makes the load and the service."""
    suite = {key: value for key, value in run.header.suite.items() if key not in _OTHERWISE}
    scenario = dict(run.header.suite["scenarios"][run.header.scenario])
    scenario.pop("purpose", None)
    # What they are judged by may have been given to all of them.
    scenario["criteria"] = {name: criterion.holds for name, criterion in run.criteria.items()}
    return suite | {"scenario": scenario}


def _differing(left: Any, right: Any, at: str = "") -> Iterator[tuple[str, tuple[Any, Any]]]:
    if isinstance(left, dict) and isinstance(right, dict):
        for key in dict.fromkeys([*left, *right]):
            yield from _differing(left.get(key), right.get(key), f"{at}.{key}" if at else str(key))
    elif left != right:
        yield at, (left, right)


def _facts(left: Mapping[str, str], right: Mapping[str, str]) -> Iterator[str]:
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
