"""Judging runs again: by their own criteria, or by those of a file."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from genload import console
from genload.analysis.judged import JudgedRun, JudgedSuite
from genload.code_errors import CodeError
from genload.errors import UsageError, suite_exit_code
from genload.reporting import (
    judge_run,
    judge_suite_folder,
    suite_of,
    write_reports,
)
from genload.runlog.layout import is_run_directory, run_directories
from genload.runlog.reader import open_run
from genload.settings.suite import Suite

if TYPE_CHECKING:
    from genload.commands.report.criteria_file import CriteriaFile


def rejudge(
    folder: Path, criteria_file: Path | None, baseline: str | None = None
) -> tuple[JudgedSuite, list[Path]]:
    """Judge a suite folder or one run directory and write its reports; these, and what is in them.

    Args:
        baseline: what each run is compared with; None: what its suite names, if it names anything.

    By other criteria than the run's own it is another verdict, and stands in a folder of its own: beside what
    the run itself was judged by.

    Raises:
        RunDirectoryError: no run there.
        ConfigError: criteria that cannot be read, or do not fit a run; nothing is written then.
    """
    criteria = _criteria(criteria_file)
    if is_run_directory(folder):
        suite = suite_of(judge_run(folder, criteria_of=criteria.of if criteria else None))
    else:
        suite = judge_suite_folder(
            folder,
            criteria_of=criteria.of if criteria else None,
            on_problem=lambda text: print(text, file=sys.stderr),
        )
    suite = suite_of([_against(baseline, run, [run.recorded.folder]) for run in suite.runs])
    into = folder if criteria_file is None else folder / f"judged-by-{criteria_file.stem}"
    return _reported(suite, into)


def judge_together(
    folders: Sequence[Path], criteria_file: Path | None, baseline: str | None = None
) -> tuple[JudgedSuite, list[Path]]:
    """Judge runs, or suite folders scenario by scenario, as one; write the reports beside the first.

    Raises:
        RunDirectoryError: no run in one of them.
        UsageError: they are not of the same, or one is not valid.
        ConfigError: criteria that cannot be read, or do not fit a run.
    """
    from genload.analysis.pool import judge_pool

    criteria = _criteria(criteria_file)
    runs: list[JudgedRun] = []
    for same in _by_scenario(folders):
        run = judge_pool(same, criteria=criteria.of(open_run(same[0]).header) if criteria else None)
        runs.append(_against(baseline, run, same))
    # Its name begins otherwise than theirs, so that the same pattern of a shell names the same runs again.
    first = folders[0].absolute()
    by = f"-by-{criteria_file.stem}" if criteria_file is not None else ""
    return _reported(suite_of(runs), first.parent / f"pooled-{len(folders)}-{first.name}{by}")


def _criteria(path: Path | None) -> CriteriaFile | None:
    if path is None:
        return None
    from genload.commands.report.criteria_file import CriteriaFile  # numpy is behind it

    return CriteriaFile(path)


def _against(asked_for: str | None, run: JudgedRun, folders: Sequence[Path]) -> JudgedRun:
    """The run with what has changed since a baseline: the one asked for, or else what its suite names.

    Raises:
        UsageError: what was asked for is not there. Where what the suite names is not (any more), that is
            what the change says.
    """
    named: str | None = asked_for or run.effective.get("baseline")
    if named is None:
        return run
    from genload.reporting.baselines import find_baseline
    from genload.reporting.change import compared_with

    if asked_for is not None:
        find_baseline(asked_for, run.suite, run.scenario)
    return compared_with(run, folders, named)


def _by_scenario(folders: Sequence[Path]) -> list[list[Path]]:
    """The run directories of each scenario; every folder has the same scenarios."""
    if all(map(is_run_directory, folders)):
        return [list(folders)]
    each = [[folder] if is_run_directory(folder) else run_directories(folder) for folder in folders]
    names = [[run.name for run in runs] for runs in each]
    for folder, own in zip(folders, names, strict=True):
        if own != names[0]:
            raise UsageError(
                f"{folder} has runs of {', '.join(own)}, and {folders[0]} of {', '.join(names[0])}",
                remedy="name suite folders with the same scenarios, or the run directories of one scenario",
            )
    return [list(same) for same in zip(*each, strict=True)]


def _reported(suite: JudgedSuite, into: Path) -> tuple[JudgedSuite, list[Path]]:
    broken: list[CodeError] = []
    files = write_reports(suite, into, _report_names(suite), broken.append)
    for error in broken:
        print(error.render(), file=sys.stderr)
    suite.exit_code = suite_exit_code([suite.exit_code, *(error.exit_code for error in broken)])
    return suite, files


def show(suite: JudgedSuite, files: Sequence[Path], *, alone: bool, verbose: bool) -> None:
    """Print the verdicts; `alone`: it was one run directory, whose suite says nothing more."""
    for run in suite.runs:
        console.print_verdict(run, files if alone else (), verbose=verbose)
    if not alone:
        console.print_suite(suite, files)


def _report_names(suite: JudgedSuite) -> tuple[str, ...]:
    """As the suite was run with; a run directory that does not say gets the default ones."""
    default: tuple[str, ...] = Suite.model_fields["reports"].default
    return tuple(suite.runs[0].effective.get("reports", default))
