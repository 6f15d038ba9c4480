"""The user's own texts: JSON lines, all of them read and checked before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite
from pathlib import Path

import msgspec

from genload.errors import CollectedConfigError, ConfigError
from genload.human import human

MAX_CHARACTERS = 100_000
_MAX_FILE_BYTES = 256 * 2**20
_MOST_ERRORS = 10  # a file of the wrong kind has as many as it has lines
_REMEDY = 'write one JSON object a line: {"text": "…", "weight": 2, "length": "short", "voice": "af_heart"}'


class TextLine(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One text; `length` and `voice` are "" where the line does not say."""

    text: str
    weight: float = 1.0
    length: str = ""
    voice: str = ""


def read_texts(path: Path) -> list[TextLine]:
    """Every text of a file, in its order; empty lines are left out.

    Raises:
        ConfigError: what is wrong, by file and line.
    """
    try:
        if path.stat().st_size > _MAX_FILE_BYTES:
            size = f"the file is larger than {human(_MAX_FILE_BYTES, 'bytes')}"
            raise ConfigError(size, file=str(path), remedy="take a part of it: texts are drawn by weight")
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or "no such path"
        remedy = "correct texts.file: it is looked for from where genload was started"
        raise ConfigError(f"the texts cannot be read: {reason}", file=str(path), remedy=remedy) from error
    texts: list[TextLine] = []
    errors: list[ConfigError] = []
    for number, line in _lines(content):
        try:
            texts.append(_read(line))
        except ValueError as error:
            errors.append(ConfigError(str(error), file=str(path), line=number, remedy=_REMEDY))
            if len(errors) == _MOST_ERRORS:
                break
    if errors:
        raise errors[0] if len(errors) == 1 else CollectedConfigError(errors)
    if not texts:
        raise ConfigError("the file holds no text", file=str(path), remedy=_REMEDY)
    return texts


def _lines(content: bytes) -> Iterator[tuple[int, bytes]]:
    content = content.removeprefix(b"\xef\xbb\xbf")
    for number, line in enumerate(content.split(b"\n"), 1):
        if line.strip():
            yield number, line


def _read(line: bytes) -> TextLine:
    """One line.

    Raises:
        ValueError: why it is no text, for people.
    """
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 text (byte {error.start + 1} of the line)") from error
    try:
        found = msgspec.json.decode(line, type=TextLine)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(f"not a text: {error}") from error
    if not found.text.strip():
        raise ValueError("the text is empty")
    if len(found.text) > MAX_CHARACTERS:
        raise ValueError(f"the text has {len(found.text)} characters, more than {MAX_CHARACTERS}")
    if not (isfinite(found.weight) and found.weight > 0):
        raise ValueError(f"the weight {found.weight:g} is not above 0")
    return found
