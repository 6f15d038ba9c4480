"""Undoing gzip on a whole body, without letting a small answer unpack into all of memory."""

from __future__ import annotations

import zlib

from genload.client.errors import BadAnswerError

_GZIP_ONLY = 16 + zlib.MAX_WBITS


def gunzip(body: bytes, max_bytes: int) -> bytes:
    """A gzip body unpacked; several members in a row are one body (RFC 1952 §2.2).

    Raises:
        BadAnswerError: protocol (no gzip, damaged or incomplete), too_large (more than `max_bytes`).
    """
    unpacked: list[bytes] = []
    room = max_bytes
    while body:
        member = zlib.decompressobj(_GZIP_ONLY)
        try:
            piece = member.decompress(body, room + 1)
        except zlib.error as error:
            raise BadAnswerError("protocol", f"the gzip body is damaged: {error}") from None
        room -= len(piece)
        if room < 0:
            raise BadAnswerError("too_large", f"the body unpacks to more than {max_bytes:,} bytes")
        if not member.eof:
            raise BadAnswerError("protocol", "the gzip body is incomplete")
        unpacked.append(piece)
        body = member.unused_data
    return b"".join(unpacked)
