"""A multipart/form-data body, built whole, so that it goes out with a content-length."""

from __future__ import annotations

import re
from collections.abc import Mapping
from secrets import token_hex

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
    if not _MEDIA_TYPE.fullmatch(media_type):
        raise ValueError(f"{media_type!r} is no media type")
    boundary = boundary or token_hex(16)
    line = f"--{boundary}\r\n"
    plain = "".join(
        f'{line}Content-Disposition: form-data; name="{_quoted(name)}"\r\n\r\n{value}\r\n'
        for name, value in (fields or {}).items()
    )
    head = (
        f'{line}Content-Disposition: form-data; name="{_quoted(field)}"; filename="{_quoted(filename)}"\r\n'
        f"Content-Type: {media_type}\r\n\r\n"
    )
    body = b"".join((plain.encode(), head.encode(), content, f"\r\n--{boundary}--\r\n".encode()))
    return f"multipart/form-data; boundary={boundary}", body


def _quoted(name: str) -> str:
    """A name inside quotes, escaped as in the WHATWG's "multipart/form-data encoding algorithm"."""
    return name.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")
