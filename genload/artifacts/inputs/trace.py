"""Recorded traffic: JSON lines that say when each request came, and what it asked for."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite
from pathlib import Path

import msgspec

from genload.artifacts.inputs.json_lines import read_json_lines
from genload.artifacts.inputs.text_file import check_text
from genload.errors import ConfigError
from genload.human import human
from genload.settings.phases import Ask

MOST_ROWS = 500_000
_REMEDY = (
    'write one JSON object a line, in the order of time: {"at": 12.5}, and where it is known "text", '
    '"voice", "length" (a class), or "image" (a file beside the trace)'
)


class Row(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One request: when it came, in seconds on any clock, and what it asked for, where that is told."""

    at: float
    text: str | None = None
    voice: str = ""
    length: str = ""
    image: str = ""


@dataclass(frozen=True, slots=True)
class Trace:
    """Recorded traffic.

    Attributes:
        at_s: when each request came, in seconds after the first.
        asks: what each asked for; nothing where none says anything.
    """

    at_s: Sequence[float]
    asks: Sequence[Ask]


def read_trace(path: Path, longest_gap_s: float) -> Trace:
    """A whole trace.

    Args:
        longest_gap_s: a longer time in which nothing came is refused.

    Raises:
        ConfigError: what is wrong, by file and line.
    """
    try:
        found = path.stat()
    except (OSError, ValueError):
        return _read(path, 0, 0, longest_gap_s)  # which tells why
    return _read(path, found.st_mtime_ns, found.st_size, longest_gap_s)


def digest(path: Path) -> str:
    """Of the file's content; "" where it cannot be read."""
    try:
        return hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
    except (OSError, ValueError):
        return ""


@lru_cache(maxsize=4)  # a suite is checked several times before a run, and each time asks for its timeline
def _read(path: Path, changed_ns: int, size: int, longest_gap_s: float) -> Trace:
    rows = read_json_lines(
        path, Row, _checker(longest_gap_s), noun="row", key="shape.file", remedy=_REMEDY, most=MOST_ROWS
    )
    begin = rows[0][1].at
    says_something = any(row.text or row.voice or row.length or row.image for _, row in rows)
    asks = [_ask(path, number, row) for number, row in rows] if says_something else ()
    return Trace(array("d", (row.at - begin for _, row in rows)), asks)


def _checker(longest_gap_s: float) -> Callable[[Row], None]:
    """Looks at one row after the other."""
    before = None

    def check(row: Row) -> None:
        nonlocal before
        if not isfinite(row.at):
            raise ValueError(f"the time {row.at} is no number of seconds")
        last, before = before, row.at
        if row.text is not None:
            check_text(row.text)
        if row.image and row.text is not None:
            raise ValueError("one request asks for a text or an image, and not for both")
        if last is None:
            return
        if row.at < last:
            raise ValueError(f"{row.at:.15g} s comes before the arrival above it, at {last:.15g} s")
        if row.at - last > longest_gap_s:
            gap, most = human(row.at - last, "s"), human(longest_gap_s, "s")
            raise ValueError(f"nothing comes for {gap} before it, and {most} are allowed (shape.longest_gap)")

    return check


def _ask(path: Path, line: int, row: Row) -> Ask:
    image = str(path.parent / row.image) if row.image else ""
    return Ask(row.text or "", row.voice, row.length, image, str(path), line)


def images_of(asks: Iterable[Ask]) -> tuple[Path, ...]:
    """The pictures that a trace asks for, each once."""
    return tuple(map(Path, dict.fromkeys(ask.image for ask in asks if ask.image)))


def check_speech(asks: Iterable[Ask], lengths: Collection[str]) -> None:
    """See that a service that speaks can be asked for what a trace asks for.

    Args:
        lengths: the classes of length that the suite knows.

    Raises:
        ConfigError: the first line that asks for something else.
    """
    for ask in asks:
        if ask.image:
            raise _refused(ask, "it asks for an image of a service that speaks", _REMEDY)
        if ask.length and not ask.text and ask.length not in lengths:
            known = (
                f"use one of {', '.join(lengths)}, add it to request.texts.classes, or give the text itself"
            )
            raise _refused(ask, f"'{ask.length}' is no class of length", known)


def check_jobs(asks: Iterable[Ask]) -> None:
    """The same of a service that takes images."""
    for ask in asks:
        if ask.text or ask.voice or ask.length:
            raise _refused(ask, "it asks for speech of a service that takes images", _REMEDY)


def _refused(ask: Ask, message: str, remedy: str) -> ConfigError:
    return ConfigError(message, file=ask.file, line=ask.line, remedy=remedy)
