"""Several scenarios of two builds, each compared with its namesake."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from genload.analysis.alike import NotComparableError
from genload.analysis.comparison.compare import AS_USUAL, compare
from genload.analysis.comparison.comparison import CompareSettings, Comparison, Verdict
from genload.analysis.comparison.noise import NoiseFloor
from genload.errors import ExitCode, RunDirectoryError, suite_exit_code
from genload.runlog.layout import HEADER
from genload.runlog.reader import open_run

_DEPTHS = ("", "*/", "*/*/", "*/*/*/")
"""How deep runs may lie in a folder: a run, a suite's folder, a folder of rounds, two sides of rounds."""

_GRAVEST: tuple[Verdict, ...] = ("regression", "inconclusive", "descriptive", "no_regression")


class Uncompared(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario that only one side has; which one."""

    scenario: str
    side: str


class ComparedSuite(msgspec.Struct, frozen=True, kw_only=True):
    """The scenarios of two builds.

    Attributes:
        verdict: the gravest one; what was not compared is inconclusive.
        exit_code: 0 no regression, 1 regression, 3 neither can be said.
    """

    verdict: Verdict
    exit_code: int
    scenarios: list[Comparison]
    uncompared: list[Uncompared]


def compare_suites(
    base: Sequence[Path],
    new: Sequence[Path],
    settings: CompareSettings = AS_USUAL,
    floors: Sequence[NoiseFloor] = (),
) -> ComparedSuite:
    """Compare two builds, scenario by scenario.

    Args:
        base, new: run directories, suite folders, or folders with several of them.
        floors: the noise of equal builds, each under one scenario; instead of `settings.floor`.

    Raises:
        NotComparableError, UsageError, RunDirectoryError: as `compare`, and where a folder has no run.
    """
    ours, theirs = runs_in(base), runs_in(new)
    both = [scenario for scenario in ours if scenario in theirs]
    if not both:
        raise NotComparableError(
            f"another scenario: BASE has {', '.join(ours)}, NEW has {', '.join(theirs)}",
            remedy="compare each scenario with its own: name suite folders, or runs of one scenario",
        )
    known = {floor.scenario: floor for floor in floors}
    found = (
        compare(
            ours[scenario],
            theirs[scenario],
            msgspec.structs.replace(settings, floor=known.get(scenario, settings.floor)),
        )
        for scenario in both
    )
    return suite_of(
        found,
        [*_only(ours, both, "BASE"), *_only(theirs, both, "NEW")],
    )


def suite_of(scenarios: Iterable[Comparison], uncompared: Iterable[Uncompared] = ()) -> ComparedSuite:
    """Comparisons that were made, at least one; `uncompared` are the scenarios that were not."""
    found, others = list(scenarios), list(uncompared)
    verdicts = {comparison.verdict for comparison in found} | ({"inconclusive"} if others else set())
    codes = [comparison.exit_code for comparison in found] + ([int(ExitCode.INVALID)] if others else [])
    return ComparedSuite(
        verdict=next(verdict for verdict in _GRAVEST if verdict in verdicts),
        exit_code=suite_exit_code(codes),
        scenarios=found,
        uncompared=others,
    )


def runs_in(folders: Sequence[Path]) -> dict[str, list[Path]]:
    """The run directories in these folders, by scenario; a run directory is itself one.

    Raises:
        RunDirectoryError: a folder without any.
    """
    found: dict[str, list[Path]] = {}
    for folder in folders:
        runs = [path.parent for depth in _DEPTHS for path in sorted(folder.glob(f"{depth}{HEADER}"))]
        if not runs:
            raise RunDirectoryError(
                f"no run in {folder}" if folder.is_dir() else f"there is no folder {folder}",
                remedy="name a run directory, a suite folder, or a folder with several of them",
            )
        for run in runs:
            found.setdefault(open_run(run).header.scenario, []).append(run)
    return found


def _only(side: Mapping[str, list[Path]], both: Sequence[str], name: str) -> Iterator[Uncompared]:
    for scenario in side:
        if scenario not in both:
            yield Uncompared(scenario=scenario, side=name)
