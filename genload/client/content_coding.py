"""Undoing gzip on a whole body, without letting a small answer unpack into all of memory."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from genload.client.errors import BadAnswerError

_GZIP_ONLY = 16 + zlib.MAX_WBITS
_PIECE_BYTES = 1 << 20


class Gunzip:
    """A gzip body unpacked as it comes; several members in a row are one body (RFC 1952 §2.2).

    Args:
        max_bytes: the most that it may unpack to.
    """

    __slots__ = ("_max_bytes", "_member", "_room")

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = self._room = max_bytes
        self._member = zlib.decompressobj(_GZIP_ONLY)

    def pieces(self, packed: bytes) -> Iterator[bytes]:
        """What the next bytes unpack to.

        Raises:
            BadAnswerError: protocol (no gzip, or damaged), too_large (more than `max_bytes`).
        """
        while packed:
            if self._member.eof:
                self._member = zlib.decompressobj(_GZIP_ONLY)
            try:
                piece = self._member.decompress(packed, min(self._room + 1, _PIECE_BYTES))
            except zlib.error as error:
                raise BadAnswerError("protocol", f"the gzip body is damaged: {error}") from None
            self._room -= len(piece)
            if self._room < 0:
                raise BadAnswerError("too_large", f"the body unpacks to more than {self._max_bytes:,} bytes")
            yield piece
            packed = self._member.unconsumed_tail or self._member.unused_data

    def end(self) -> None:
        """That was all.

        Raises:
            BadAnswerError: protocol (incomplete).
        """
        if not self._member.eof:
            raise BadAnswerError("protocol", "the gzip body is incomplete")


def gunzip(body: bytes, max_bytes: int) -> bytes:
    """A whole gzip body unpacked.

    Raises:
        BadAnswerError: as `Gunzip`.
    """
    unpacking = Gunzip(max_bytes)
    unpacked = b"".join(unpacking.pieces(body))
    unpacking.end()
    return unpacked
