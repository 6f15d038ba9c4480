"""Baselines: runs that later ones are compared with, in a project's folder `baselines`.

baselines/NAME/SUITE/SCENARIO/
    baseline.json     which runs count: written last, in one step: the new ones, or still the old
    noise.json        how much equal builds differ from run to run, where that was learned
    20261121T…-1/     a run directory: what judging reads of it
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from genload.analysis.comparison.noise import NoiseFloor
from genload.errors import RunDirectoryError, UsageError
from genload.reporting.files import write_text
from genload.reporting.rounds import SIDES, Rounds, read_rounds
from genload.runlog.layout import is_run_directory
from genload.settings.suggestion import suggest

FOLDER = Path("baselines")
MANIFEST = "baseline.json"
NOISE = "noise.json"
FORMAT = 1

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}")
T = TypeVar("T")


class Manifest(msgspec.Struct, kw_only=True, frozen=True):
    """What `baseline.json` holds. `runs` are folders beside it, `origins` where they were; times are UTC."""

    format: int = FORMAT
    promoted_at: str
    runs: list[str]
    origins: list[str]
    tested: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Baseline:
    """The runs of one scenario that others are compared with.

    Attributes:
        name: as it was asked for: a name, or a folder.
        floor: the noise of equal builds; None where it was not learned.
        manifest: of a promoted one.
    """

    name: str
    suite: str
    scenario: str
    runs: tuple[Path, ...]
    floor: NoiseFloor | None = None
    manifest: Manifest | None = None


def check_name(name: str) -> None:
    """Raises:
    UsageError: no name of a baseline.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"'{name}' is no name of a baseline", remedy="use letters, digits, '-', '_' and '.', such as main"
        )


def place_of(name: str, suite: str, scenario: str, root: Path = FOLDER) -> Path:
    """The folder of one scenario of a baseline."""
    return root / name / suite / scenario


def find_baseline(asked_for: str, suite: str, scenario: str, root: Path = FOLDER) -> Baseline:
    """The baseline of a scenario: a promoted one by its name, or any folder of runs.

    Raises:
        UsageError: no such baseline, or none for this scenario.
        RunDirectoryError: it cannot be read.
    """
    if (root / asked_for).is_dir() and _NAME.fullmatch(asked_for):
        return _promoted(asked_for, suite, scenario, root)
    folder = Path(asked_for)
    if not folder.is_dir():
        names = [path.name for path in sorted(root.glob("*/"))]
        raise UsageError(
            f"there is no baseline '{asked_for}'",
            remedy=suggest(asked_for, names) if names else f"genload baseline promote DIR --name {asked_for}",
        )
    runs = _runs_in(folder, scenario)
    if not runs:
        raise UsageError(
            f"{folder} has no run of {scenario}", remedy="name a suite folder or a run directory that has one"
        )
    return Baseline(asked_for, suite, scenario, tuple(runs), _read(folder / NOISE, NoiseFloor))


def _promoted(name: str, suite: str, scenario: str, root: Path) -> Baseline:
    place = place_of(name, suite, scenario, root)
    manifest = _read(place / MANIFEST, Manifest)
    if manifest is None:
        known = [f"{each.suite}/{each.scenario}" for each in baselines(root) if each.name == name]
        raise UsageError(
            f"baseline {name} has no runs of {suite}/{scenario}"
            + (f"; it has {', '.join(known)}" if known else ""),
            remedy=f"genload baseline promote DIR --name {name}, with such a run in DIR",
        )
    runs = tuple(place / run for run in manifest.runs)
    return Baseline(name, suite, scenario, runs, _read(place / NOISE, NoiseFloor), manifest)


def baselines(root: Path = FOLDER) -> Iterator[Baseline]:
    """Every promoted baseline, scenario by scenario.

    Raises:
        RunDirectoryError: one cannot be read.
    """
    for path in sorted(root.glob(f"*/*/*/{MANIFEST}")):
        name, suite, scenario, _ = path.relative_to(root).parts
        yield _promoted(name, suite, scenario, root)


def write_manifest(place: Path, manifest: Manifest) -> None:
    """From here on these runs are the baseline.

    Raises:
        OSError: the folder cannot be written.
    """
    _write(place / MANIFEST, manifest)


def write_noise(place: Path, floor: NoiseFloor) -> Path:
    """Write a noise floor into a folder, made where it is missing.

    Raises:
        OSError: the folder cannot be written.
    """
    place.mkdir(parents=True, exist_ok=True)
    return _write(place / NOISE, floor)


def read_noise(place: Path) -> NoiseFloor | None:
    """The noise floor in a folder; None where there is none.

    Raises:
        RunDirectoryError: it cannot be read.
    """
    return _read(place / NOISE, NoiseFloor)


def equal_rounds(folder: Path, rounds: Rounds) -> list[Path]:
    """The runs of both sides of rounds, which are one and the same.

    Raises:
        UsageError: they are two builds.
    """
    if not rounds.equal:
        raise UsageError(
            f"{folder} has rounds of two builds", remedy=f"name the runs of one of them: {folder}/new-*"
        )
    return rounds.counted(folder, SIDES)


def _runs_in(folder: Path, scenario: str) -> list[Path]:
    if is_run_directory(folder):
        return [folder]
    rounds = read_rounds(folder)
    if rounds is None:
        return [folder / scenario] if is_run_directory(folder / scenario) else []
    return equal_rounds(folder, rounds) if rounds.scenario == scenario else []


def _write(path: Path, content: msgspec.Struct) -> Path:
    return write_text(path, msgspec.json.format(msgspec.json.encode(content), indent=2).decode() + "\n")


def _read(path: Path, kind: type[T]) -> T | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise RunDirectoryError(
            f"{path} cannot be read: {error}", remedy="promote the runs again: genload baseline promote DIR"
        ) from error
