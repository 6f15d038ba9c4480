"""What `genload compare` was asked for, read and checked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from genload.analysis.comparison.noise import NoiseFloor
from genload.errors import UsageError
from genload.reporting.rounds import read_rounds
from genload.settings.criteria.ast import Dimension
from genload.settings.units import parse_quantity


def asked_sides(
    base: Path | None, new: Path | None, more_base: Sequence[Path], more_new: Sequence[Path]
) -> tuple[list[Path], list[Path]]:
    """The folders of both sides; of the folder that `genload ab` has written both, as far as they count.

    Raises:
        UsageError: one has none.
        RunDirectoryError: the record of the rounds cannot be read.
    """
    if base is not None and new is None and not more_base and not more_new:
        rounds = read_rounds(base)
        if rounds is not None:
            found = rounds.counted(base, ["base"]), rounds.counted(base, ["new"])
            if not all(found):
                raise UsageError(
                    f"{base}: no round is complete, so there is nothing to compare",
                    remedy="run them again: genload ab",
                )
            return found
    sides = [([] if one is None else [one]) + [*more] for one, more in ((base, more_base), (new, more_new))]
    for name, folders in zip(("BASE", "NEW"), sides, strict=True):
        if not folders:
            raise UsageError(
                f"{name} is missing", remedy="genload compare BASE NEW, or --base DIR and --new DIR, repeated"
            )
    return sides[0], sides[1]


def share(option: str, text: str) -> float:
    """A share of 1.

    Raises:
        UsageError: it is none.
    """
    try:
        quantity = parse_quantity(text)
    except ValueError as error:
        raise UsageError(f"{option} {text}: {error}", remedy="write a share such as 5%") from error
    if quantity.dimension is not Dimension.RATIO or not 0 <= quantity.value < 1:
        raise UsageError(f"{option} {text} is no share below 100 %", remedy="write a share such as 5%")
    return quantity.value


def noise_floors(files: Sequence[Path]) -> list[NoiseFloor]:
    """The noise floors in files.

    Raises:
        UsageError: one cannot be read.
    """
    return [_floor(path) for path in files]


def _floor(path: Path) -> NoiseFloor:
    remedy = "name a file that `genload ab` has written with the same URL on both sides"
    try:
        return msgspec.json.decode(path.read_bytes(), type=NoiseFloor)
    except OSError as error:
        raise UsageError(f"--noise {path}: {error.strerror or error}", remedy=remedy) from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UsageError(f"--noise {path} is no noise floor: {error}", remedy=remedy) from error
