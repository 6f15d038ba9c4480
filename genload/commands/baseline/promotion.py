"""Runs made a baseline: copied first, and counted only once all of them are there."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from genload.analysis.comparison.noise import NoiseFloor
from genload.analysis.poolable import check_same
from genload.analysis.populations import open_alone
from genload.analysis.read_run import ReadRun
from genload.analysis.tested import tested
from genload.errors import RunDirectoryError, UsageError
from genload.plain import plain
from genload.reporting.baselines import (
    FOLDER,
    Manifest,
    check_name,
    equal_rounds,
    place_of,
    read_noise,
    write_manifest,
    write_noise,
)
from genload.reporting.rounds import read_rounds
from genload.runlog.layout import EVENTS, HEADER, REQUESTS, SAMPLES, is_run_directory, run_directories

_OFTEN_ONE = "one run has no spread: a verdict against it takes a noise floor, or three runs a side"
_FEW = 3


@dataclass(frozen=True, slots=True)
class Promoted:
    """One scenario of a baseline, as it is now.

    Attributes:
        replaced: how many runs it had before.
        remarks: what its user should know.
    """

    suite: str
    scenario: str
    place: Path
    runs: int
    replaced: int
    remarks: tuple[str, ...]


def promote(folders: Sequence[Path], name: str, *, rehearsal: bool, root: Path = FOLDER) -> list[Promoted]:
    """Make the runs in the folders the baseline of their scenarios, in the place of what it was.

    Args:
        folders: run directories, suite folders, or folders of rounds of equal builds.
        rehearsal: whether runs at a time scale, or forced ones, may be a baseline.

    Raises:
        UsageError: a run that is not valid, a rehearsal, runs of different builds; nothing is changed then.
        RunDirectoryError: a run that cannot be read, or a folder that cannot be written.
    """
    check_name(name)
    chosen = _by_scenario(folders)
    read = {scenario: _checked(runs, rehearsal=rehearsal) for scenario, runs in chosen.items()}
    floor = next((found for folder in folders if (found := read_noise(folder)) is not None), None)
    return [
        _promoted(read[scenario], runs, place_of(name, *_named(read[scenario][0]), root), floor)
        for scenario, runs in chosen.items()
    ]


def _by_scenario(folders: Sequence[Path]) -> dict[str, list[Path]]:
    """The runs in the folders by their scenarios."""
    found: dict[str, list[Path]] = {}
    for folder in folders:
        if is_run_directory(folder):
            found.setdefault(open_alone(folder).header.scenario, []).append(folder)
        elif (rounds := read_rounds(folder)) is not None:
            found.setdefault(rounds.scenario, []).extend(equal_rounds(folder, rounds))
        else:
            for run in run_directories(folder):
                found.setdefault(run.name, []).append(run)
    return found


def _checked(runs: Sequence[Path], *, rehearsal: bool) -> list[ReadRun]:
    """The runs, read; each sound, in earnest, and of the same build and settings."""
    if not runs:
        raise UsageError("no round of these is complete", remedy="run them again: genload ab")
    logs = [open_alone(run) for run in runs]
    read = [ReadRun.of(log) for log in logs]
    for folder, run in zip(runs, read, strict=True):
        if (run.header.rehearsal or run.header.time_scale != 1) and not rehearsal:
            raise UsageError(
                f"{folder} is a rehearsal: its times are no real service's",
                remedy="promote it all the same with --rehearsal, to compare rehearsals with each other",
            )
        if reasons := run.reasons():
            raise UsageError(
                f"{folder} is not valid: {plain(reasons[0].text, 300)}",
                remedy="leave it out: what was not measured soundly is nothing to compare with",
            )
    check_same(logs, read, [_facts(run) for run in read])
    return read


def _facts(run: ReadRun) -> dict[str, str]:
    facts, _ = tested(run.suite, run.events, run.samples, run.header.monitors)
    return facts


def _named(run: ReadRun) -> tuple[str, str]:
    return run.suite.name, run.header.scenario


def _promoted(
    read: Sequence[ReadRun], runs: Sequence[Path], place: Path, floor: NoiseFloor | None
) -> Promoted:
    now = datetime.now(UTC)
    try:
        place.mkdir(parents=True, exist_ok=True)
        before = [path for path in place.iterdir() if path.is_dir()]
        copied = [_copied(run, place, f"{now:%Y%m%dT%H%M%S%f}Z-{n}") for n, run in enumerate(runs, 1)]
        if floor is not None and (floor.suite, floor.scenario) == _named(read[0]):
            write_noise(place, floor)
        manifest = Manifest(
            promoted_at=now.isoformat(timespec="seconds"),
            runs=[path.name for path in copied],
            origins=[str(run) for run in runs],
            tested=_facts(read[0]),
        )
        write_manifest(place, manifest)
        for old in before:  # nothing counts them any more
            shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise RunDirectoryError(
            f"cannot write the baseline into {place}: {error.strerror or error}",
            remedy="make the folder writable, or free space on its disk; the baseline is as it was",
        ) from error
    remarks = tuple(_remarks(read, has_floor=read_noise(place) is not None))
    return Promoted(*_named(read[0]), place, len(copied), len(before), remarks)


def _copied(run: Path, place: Path, name: str) -> Path:
    """What judging reads of a run, under its name only once it is whole."""
    into = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=place))
    try:
        for stem in (HEADER, REQUESTS, EVENTS, SAMPLES):
            for path in (run / stem, run / f"{stem}.gz"):
                if path.is_file():
                    shutil.copyfile(path, into / path.name)
        into.chmod(0o755)
        return into.rename(place / name)
    except BaseException:
        shutil.rmtree(into, ignore_errors=True)
        raise


def _remarks(read: Sequence[ReadRun], *, has_floor: bool) -> Iterator[str]:
    failed = [run for run in read if any(c.must and c.result == "fail" for c in run.judged_criteria())]
    if failed:
        yield f"{len(failed)} of {len(read)} runs failed criteria of their own"
    if len(read) < _FEW and not has_floor:
        yield _OFTEN_ONE
