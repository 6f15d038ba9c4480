"""The record of rounds: `rounds.json` in the folder of `genload ab`."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Literal

import msgspec

from genload.errors import RunDirectoryError
from genload.reporting.files import write_text

RECORD = "rounds.json"
FORMAT = 1

Side = Literal["base", "new"]
SIDES: tuple[Side, Side] = ("base", "new")


class RoundRun(msgspec.Struct, kw_only=True, frozen=True):
    """One run of the rounds.

    `run` is its directory, from the folder of the rounds. `counts`: it is sound, and so is the other side's
    run of the same round.
    """

    round: int
    side: Side
    run: str
    seed: int
    verdict: str
    counts: bool


class Rounds(msgspec.Struct, kw_only=True, frozen=True):
    """The two sides, and their runs in the order in which they were made.

    `base` and `new` are the hosts of the services; `equal`: both sides are one and the same, so that what
    differs is noise. `rounds` is how many were asked for.
    """

    format: int = FORMAT
    suite: str
    scenario: str
    base: str
    new: str
    base_settings: list[str]
    new_settings: list[str]
    equal: bool
    rounds: int
    runs: list[RoundRun]

    def counted(self, folder: Path, sides: Collection[Side]) -> list[Path]:
        """The directories of the runs of these sides that count."""
        return [folder / run.run for run in self.runs if run.counts and run.side in sides]


def write_rounds(folder: Path, rounds: Rounds) -> None:
    """Write the record, whole or not at all.

    Raises:
        OSError: the folder cannot be written.
    """
    text = msgspec.json.format(msgspec.json.encode(rounds), indent=2).decode()
    write_text(folder / RECORD, text + "\n")


def read_rounds(folder: Path) -> Rounds | None:
    """The record of a folder; None where there is none.

    Raises:
        RunDirectoryError: it cannot be read.
    """
    path = folder / RECORD
    try:
        return msgspec.json.decode(path.read_bytes(), type=Rounds)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise RunDirectoryError(
            f"{path} cannot be read: {error}", remedy="name the run directories themselves"
        ) from error
