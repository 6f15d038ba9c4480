"""Judging a suite folder: ``DIR/<suite>-<UTC>/`` with one run directory a scenario."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from genload.analysis.checklist import answers
from genload.analysis.judged import JudgedRun, JudgedSuite
from genload.analysis.later import reading_ahead
from genload.errors import RunDirectoryError, suite_exit_code
from genload.runlog.layout import is_run_directory, run_directories
from genload.runlog.records import RunHeader
from genload.settings.criteria.criterion import Criterion

CriteriaOf = Callable[[RunHeader], Mapping[str, Criterion] | None]
"""Criteria by the header of a run, or of one population of it; None: its own."""


def the_run(folder: Path) -> Path:
    """The one run directory that a command is to look into: `folder`, or the only one in it.

    Raises:
        RunDirectoryError: there is none, or there are several.
    """
    if is_run_directory(folder):
        return folder
    found = run_directories(folder)
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise RunDirectoryError(f"{folder} has several runs: {names}", remedy=f"name one, such as {found[0]}")
    return found[0]


def judge_run(folder: Path, *, criteria_of: CriteriaOf | None = None) -> list[JudgedRun]:
    """Judge one run directory, each of its populations by itself.

    Args:
        criteria_of: other criteria; None: each its own.

    Raises:
        RunDirectoryError: nothing in it that can be judged.
    """
    with reading_ahead(folder):
        # Here, not above: rendering what is judged already needs none of numpy and scipy.
        from genload.analysis.judge import judge_all

        return judge_all(folder) if criteria_of is None else judge_all(folder, criteria=criteria_of)


def judge_suite_folder(
    folder: Path,
    *,
    criteria_of: CriteriaOf | None = None,
    on_problem: Callable[[str], None] = lambda text: None,
) -> JudgedSuite:
    """Judge every run directory in `folder`.

    A run that cannot be read is told to `on_problem`, counted as missing, and holds up no other.

    Args:
        criteria_of: other criteria; None: each its own.

    Raises:
        RunDirectoryError: no such folder, or no run in it that can be read.
    """
    runs: list[JudgedRun] = []
    for directory in run_directories(folder):
        try:
            runs += judge_run(directory, criteria_of=criteria_of)
        except RunDirectoryError as error:
            on_problem(error.render())
    if not runs:
        raise RunDirectoryError(f"no run in {folder} can be read", remedy="run the suite again")
    return suite_of(sorted(runs, key=lambda run: run.start_time))


def suite_of(runs: list[JudgedRun]) -> JudgedSuite:
    """The suite that `runs` belong to, in the order given; what was asked for and has no run is missing.

    The exit code is of these runs, and of what has changed since a baseline.
    """
    there = {run.scenario for run in runs}
    asked_for = {name for run in runs for name in run.asked_for or run.requested.get("scenarios", {})}
    missing = [name for name in runs[0].requested.get("scenarios", {}) if name in asked_for - there]
    codes = [run.verdict.exit_code for run in runs]
    codes += [run.change.exit_code for run in runs if run.change is not None]
    code = suite_exit_code(codes)
    return JudgedSuite(
        suite=runs[0].suite,
        runs=runs,
        missing=missing,
        exit_code=code,
        checklist=answers(runs[0].effective, runs),
    )
