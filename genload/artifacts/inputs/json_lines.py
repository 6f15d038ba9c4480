"""A file of the user's own with one JSON object a line: all of it read and checked beforehand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

from genload.errors import CollectedConfigError, ConfigError
from genload.human import human

_MAX_FILE_BYTES = 256 * 2**20
_MOST_ERRORS = 10  # a file of the wrong kind has as many as it has lines

_Line = TypeVar("_Line", bound=msgspec.Struct)


def read_json_lines(
    path: Path,
    line: type[_Line],
    check: Callable[[_Line], None],
    *,
    noun: str,
    key: str,
    remedy: str,
    most: int | None = None,
) -> list[tuple[int, _Line]]:
    """Every object of a file with the number of its line, in their order; empty lines are left out.

    Args:
        line: what each has to be.
        check: raises ValueError for one that is none, with the reason for people; asked in their order.
        noun: what each is: ``text``.
        key: of the suite, that names the file.
        remedy: how a line is written.
        most: a file with more of them is refused.

    Raises:
        ConfigError: what is wrong, by file and line.
    """
    found: list[tuple[int, _Line]] = []
    errors: list[ConfigError] = []
    content = _content(path, noun, key)
    _check_count(content, most, path, noun)
    for number, text in _lines(content):
        try:
            one = _read(text, line, noun)
            check(one)
        except ValueError as error:
            errors.append(ConfigError(str(error), file=str(path), line=number, remedy=remedy))
            if len(errors) == _MOST_ERRORS:
                break
        else:
            found.append((number, one))
    if errors:
        raise errors[0] if len(errors) == 1 else CollectedConfigError(errors)
    if not found:
        raise ConfigError(f"the file holds no {noun}", file=str(path), remedy=remedy)
    return found


def _content(path: Path, noun: str, key: str) -> bytes:
    try:
        if path.stat().st_size > _MAX_FILE_BYTES:
            size = f"the file is larger than {human(_MAX_FILE_BYTES, 'bytes')}"
            raise ConfigError(size, file=str(path), remedy="take a part of it")
        return path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    except (OSError, ValueError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or "no such path"
        remedy = f"correct {key}: it is looked for from where genload was started"
        raise ConfigError(f"the {noun}s cannot be read: {reason}", file=str(path), remedy=remedy) from error


def _check_count(content: bytes, most: int | None, path: Path, noun: str) -> None:
    lines = content.count(b"\n") + 1
    if most is not None and lines > most:
        many = f"{sum(1 for _ in _lines(content)):,} {noun}s, and {most:,} are the most"
        raise ConfigError(many, file=str(path), remedy=f"take a part of it: head -n {most} FILE")


def _lines(content: bytes) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(content.split(b"\n"), 1):
        if line.strip():
            yield number, line


def _read(text: bytes, line: type[_Line], noun: str) -> _Line:
    """One line.

    Raises:
        ValueError: why it is none, for people.
    """
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 text (byte {error.start + 1} of the line)") from error
    try:
        return msgspec.json.decode(text, type=line)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(f"not a {noun}: {error}") from error
