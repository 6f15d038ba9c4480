"""Whether runs can be compared at all, and what differs between them besides the build.

What would make the comparison of two different things is refused. What may be wanted (another GPU, another
setting, other inputs) is named, and refused unless it is allowed. What is another build's own, such as its
version, is named alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from enum import StrEnum

import msgspec

from genload.analysis.alike import NotComparableError
from genload.analysis.comparison.side import ComparedRun, RunFacts
from genload.human import human
from genload.settings.criteria.ast import Dimension

_MACHINE = re.compile(r"gpu|driver|cuda", re.IGNORECASE)
_CHIP = re.compile(r"uuid|serial", re.IGNORECASE)  # another chip of the same model


class Kind(StrEnum):
    """What a difference is of."""

    MACHINE = "machine"  # GPU, driver
    SETTING = "setting"
    INPUTS = "inputs"
    MIXED = "mixed"  # a side has runs of several builds
    BUILD = "build"  # what was tested: this is what is compared
    GENERATOR = "load generator"

    @property
    def needs_leave(self) -> bool:
        """Whether runs that differ in it are refused unless that is allowed."""
        return self not in (Kind.BUILD, Kind.GENERATOR)


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is not the same in all runs; the different values of each side."""

    kind: Kind
    what: str
    base: list[str]
    new: list[str]

    @property
    def text(self) -> str:
        """In a line."""
        return f"{self.what}: {_listed(self.base)} → {_listed(self.new)}"


def check_runs(runs: Sequence[ComparedRun]) -> None:
    """What only the whole run can tell.

    Raises:
        NotComparableError: half a run, one whose measurement is not valid, or numbers of another unit.
    """
    units: dict[str, tuple[Dimension, str]] = {}
    for run in runs:
        folder = run.facts.folder
        if run.broken_off:
            raise NotComparableError(
                f"{folder} is half a run: {run.broken_off}", remedy="leave it out, or run it again"
            )
        if run.invalid:
            raise NotComparableError(
                f"{folder} is not valid: {run.invalid[0].partition(' → ')[0]}",
                remedy=f"{run.invalid[0].partition(' → ')[2]}; then run it again, or leave it out",
            )
        for name, value in run.values.items():
            if value.value is None:
                continue
            unit, first = units.setdefault(name, (value.unit, folder))
            if unit is not value.unit:
                raise NotComparableError(
                    f"{name} is {_unit(value.unit)} in {folder}, and {_unit(unit)} in {first}: another unit",
                    remedy="it was declared anew in between: compare runs of the same declaration",
                )


def _unit(unit: Dimension) -> str:
    return unit.value or "a bare number"


def differences(base: Sequence[ComparedRun], new: Sequence[ComparedRun]) -> list[Difference]:
    """Everything that is not the same in all runs, what needs leave first."""
    found = [*_tested(base, new), *_settings(base, new), *_inputs(base, new), *_generator(base, new)]
    return sorted(found, key=lambda difference: not difference.kind.needs_leave)


def refuse_differences(found: Sequence[Difference], allowed: Collection[Kind] = ()) -> None:
    """Refuse what was not allowed to differ.

    Args:
        allowed: kinds of differences that are only named.

    Raises:
        NotComparableError: it names all of it.
    """
    kinds = {kind for kind in Kind if kind.needs_leave}.difference(allowed)
    refused = [difference.text for difference in found if difference.kind in kinds]
    if refused:
        raise NotComparableError(
            f"the runs differ in more than the build: {'; '.join(refused)}",
            remedy="make them alike, or compare them all the same: --allow-different",
        )


def _tested(base: Sequence[ComparedRun], new: Sequence[ComparedRun]) -> Iterator[Difference]:
    names = dict.fromkeys(name for run in (*base, *new) for name in run.facts.tested)
    for name in names:
        ours, theirs = (_distinct(run.facts.tested.get(name, "–") for run in side) for side in (base, new))
        if _alike(ours, theirs):
            continue
        yield Difference(kind=_kind(name, max(len(ours), len(theirs))), what=name, base=ours, new=theirs)


def _kind(name: str, most: int) -> Kind:
    """Of a fact with so many values on one side; other chips of one model are as good as the same."""
    if machine_facts([name]):
        return Kind.MACHINE
    return Kind.MIXED if most > 1 and not _CHIP.search(name) else Kind.BUILD


def machine_facts(names: Iterable[str]) -> list[str]:
    """Those that say on what machine a service runs."""
    return [name for name in names if _MACHINE.search(name) and not _CHIP.search(name)]


def _settings(base: Sequence[ComparedRun], new: Sequence[ComparedRun]) -> Iterator[Difference]:
    for name in dict.fromkeys(name for run in (*base, *new) for name in run.settings):
        ours, theirs = (_distinct(run.settings.get(name, "–") for run in side) for side in (base, new))
        if not _alike(ours, theirs):
            yield Difference(kind=Kind.SETTING, what=name, base=ours, new=theirs)


def _inputs(base: Sequence[ComparedRun], new: Sequence[ComparedRun]) -> Iterator[Difference]:
    """Other seeds make other inputs; runs of one side may have several, if the other has the same."""
    ours, theirs = (_distinct(str(run.facts.seed) for run in side) for side in (base, new))
    if set(ours) != set(theirs):
        yield Difference(kind=Kind.INPUTS, what="seed", base=ours, new=theirs)


def _generator(base: Sequence[ComparedRun], new: Sequence[ComparedRun]) -> Iterator[Difference]:
    told: dict[str, Callable[[RunFacts], str]] = {
        "genload": lambda facts: facts.versions.get("genload", "–"),
        "Python": lambda facts: facts.versions.get("python", "–"),
        "system": lambda facts: facts.versions.get("system", "–"),
        "processes with users": lambda facts: human(facts.workers, "count"),
    }
    for what, of in told.items():
        ours, theirs = (_distinct(of(run.facts) for run in side) for side in (base, new))
        if not _alike(ours, theirs):
            yield Difference(kind=Kind.GENERATOR, what=what, base=ours, new=theirs)


def _distinct(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))


def _alike(ours: Sequence[str], theirs: Sequence[str]) -> bool:
    return len(ours) == 1 and list(ours) == list(theirs)


def _listed(values: Sequence[str]) -> str:
    return ", ".join(values)
