"""A multipart/form-data body, built whole, so that it goes out with a content-length."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from secrets import token_hex
from typing import NamedTuple

_MEDIA_TYPE = re.compile(r"[\t\x20-\x7e]+")


def multipart(
    field: str,
    filename: str,
    content: bytes,
    media_type: str,
    *,
    fields: Mapping[str, str] | None = None,
    boundary: str | None = None,
) -> tuple[str, bytes]:
    """One file, after any plain fields, as a browser would send them.

    Args:
        field: the form field of the file.
        boundary: for a reproducible body; must not occur in the content. Default: 128 random bits.

    Returns:
        The Content-Type header's value, and the body.

    Raises:
        ValueError: a media type that is no single line of ASCII.
    """
    parts = [FormPart(name, value.encode()) for name, value in (fields or {}).items()]
    return form_data([*parts, FormPart(field, content, filename, media_type)], boundary=boundary)


class FormPart(NamedTuple):
    """One field of a form; a file where it has a name or a media type."""

    field: str
    content: bytes
    filename: str = ""
    media_type: str = ""


def form_data(parts: Iterable[FormPart], *, boundary: str | None = None) -> tuple[str, bytes]:
    """Any fields and files, in their order; see `multipart`."""
    boundary = boundary or token_hex(16)
    pieces: list[bytes] = []
    for part in parts:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(part.field)}"'
        if part.filename or part.media_type:
            if not _MEDIA_TYPE.fullmatch(part.media_type):
                raise ValueError(f"{part.media_type!r} is no media type")
            head += f'; filename="{_quoted(part.filename)}"\r\nContent-Type: {part.media_type}'
        pieces += [f"{head}\r\n\r\n".encode(), part.content, b"\r\n"]
    pieces.append(f"--{boundary}--\r\n".encode())
    return f"multipart/form-data; boundary={boundary}", b"".join(pieces)


def _quoted(name: str) -> str:
    """A name inside quotes, escaped as in the WHATWG's "multipart/form-data encoding algorithm"."""
    return name.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")
