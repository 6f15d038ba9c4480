"""Base64, which may be a data URI."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

_DATA_URI = re.compile(r"data:([^;,]*)(?:;[^,]*)?,", re.IGNORECASE)
_LONGEST_HEAD = 200
_PIECE_CHARACTERS = 4 << 20
_BLANKS = b" \t\r\n"


def parted(text: str) -> tuple[str, int]:
    """The media type that a data URI says ("": none), and where the base64 begins."""
    uri = _DATA_URI.match(text, 0, _LONGEST_HEAD)
    return (uri.group(1), uri.end()) if uri else ("", 0)


def decoded(text: str, begin: int = 0) -> Iterator[bytes]:
    """The bytes, in pieces; blanks between the characters do not count.

    Raises:
        ValueError: it is no base64.
    """
    rest, ended = b"", False
    for start in range(begin, len(text), _PIECE_CHARACTERS):
        piece = rest + text[start : start + _PIECE_CHARACTERS].encode("ascii").translate(None, _BLANKS)
        if ended and piece:
            raise ValueError("there is more behind its end")
        whole = len(piece) // 4 * 4
        yield _decoded(piece[:whole])
        rest, ended = piece[whole:], piece[:whole].endswith(b"=")
    yield _decoded(rest)


def _decoded(text: bytes) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error
