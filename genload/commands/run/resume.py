"""Going on with a suite that did not come to its end: which of its runs stand, and what is to be run yet."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

from genload.code_errors import code_told
from genload.errors import RunDirectoryError
from genload.reporting import judge_run
from genload.runlog.layout import run_directories
from genload.runlog.reader import open_run
from genload.runlog.records import RunHeader
from genload.targets import RunRequest, SuiteTarget, checked

REQUESTED = "requested.yaml"
"""The suite as it was asked for, written into the folder, so that the scenarios to come are read from it."""
CUT_OFF = "cut_off"
"""The folder of runs that were cut off: recorded, and no part of the suite's verdict."""
ENDED_BY_THEMSELVES = (0, 1, 3)


@dataclass(frozen=True, slots=True)
class Resumed:
    """What there is to go on with.

    Attributes:
        folder: of the suite.
        target: the suite with all the scenarios that were asked for at first.
        kept: those of them whose runs stand.
        cut: the runs that were put apart, where they are now.
    """

    folder: Path
    target: SuiteTarget
    kept: tuple[str, ...]
    cut: tuple[Path, ...]


@code_told()
def resumed(folder: Path, options: RunRequest) -> Resumed:
    """Look into a suite's folder, and put apart what was cut off in it.

    A run stands that ended by itself, whatever its verdict. One that a signal or a kill cut off, or whose
    service was not ready or was given up, is run again.

    Args:
        options: of the command line; what the runs themselves say of suite, seed and time comes from them.

    Raises:
        RunDirectoryError: no suite's folder, or runs in it that were asked for differently.
        ConfigError: the suite that was asked for cannot be run any more.
    """
    headers = {path.name: open_run(path).header for path in run_directories(folder)}
    first = _agreed(folder, headers)
    target = _target(folder, first, options)
    kept, cut = [], []
    for scenario in headers:
        if _stands(folder / scenario):
            kept.append(scenario)
        else:
            cut.append(_put_apart(folder, scenario))
    return Resumed(folder, target, tuple(name for name in target.scenarios if name in kept), tuple(cut))


def _agreed(folder: Path, headers: dict[str, RunHeader]) -> RunHeader:
    """A header that speaks for all."""
    first, *others = headers.values()
    for other in others:
        for what in ("requested", "time_scale", "rehearsal", "strict", "seed"):
            if getattr(other, what) != getattr(first, what):
                raise RunDirectoryError(
                    f"{folder} has runs that differ in what was asked for ({what}: {first.scenario}, "
                    f"{other.scenario})",
                    remedy="a suite can go on whose runs one command has made",
                )
    return first


def _target(folder: Path, header: RunHeader, options: RunRequest) -> SuiteTarget:
    """The suite as it was asked for; without settings of the command line, which it has already."""
    path = folder / REQUESTED
    text = json.dumps(header.requested, indent=1, ensure_ascii=False) + "\n"  # which is YAML, too
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise RunDirectoryError(f"{path} cannot be written: {error.strerror or error}") from error
    names = header.asked_for or list(header.requested["scenarios"])
    request = replace(
        options,
        targets=tuple(f"{path}/{name}" for name in names),
        time_scale=header.time_scale,
        rehearsal=header.rehearsal,
        strict=header.strict,
        seed=header.seed,
    )
    [target] = checked(request)
    return replace(target, then=())


def _stands(folder: Path) -> bool:
    if open_run(folder).ended is None:
        return False
    try:
        return all(run.verdict.exit_code in ENDED_BY_THEMSELVES for run in judge_run(folder))
    except RunDirectoryError:
        return False


def _put_apart(folder: Path, scenario: str) -> Path:
    apart = folder / CUT_OFF
    try:
        apart.mkdir(exist_ok=True)
        number = 1 + sum(1 for _ in apart.glob(f"{scenario}-*"))
        return (folder / scenario).rename(apart / f"{scenario}-{number}")
    except OSError as error:
        raise RunDirectoryError(
            f"{folder / scenario} cannot be put into {apart}: {error.strerror or error}"
        ) from error
