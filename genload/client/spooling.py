"""An answer whose body, if it is large, is kept in a spool as it comes."""

from __future__ import annotations

from genload.client.content_coding import Gunzip
from genload.client.errors import BadAnswerError
from genload.client.parser import AnswerAssembler
from genload.spool import Spool, Spooled, SpoolFullError

SPOOLED_BYTES = 1 << 20
"""A body that is longer is spooled."""


class SpoolingAssembler(AnswerAssembler, kw_only=True):
    """As `AnswerAssembler`. What is packed with gzip is spooled whatever its length, and unpacked on the way:
    it may unpack to much.

    Attributes:
        spool: where large bodies are kept.
        spooled: the body, once it is large; `body` is then empty.
    """

    spool: Spool
    _brought: list[int] = []  # by each call of `feed`, once it is spooled
    _gunzip: Gunzip | None = None

    def feed(self, data: bytes | memoryview) -> bool:
        """As `AnswerAssembler.feed`.

        Raises:
            BadAnswerError: client_limit, too, where the spool is full.
        """
        try:
            return super().feed(data)
        finally:
            if self.spooled is not None or self._is_large():
                self._move()

    def _is_large(self) -> bool:
        if self.pieces and self.is_packed():
            self._gunzip = Gunzip(self.max_body_bytes)
            return True
        if self._fed_bytes <= SPOOLED_BYTES:
            return False
        self._count_body()
        return self._body_bytes > SPOOLED_BYTES

    def _move(self) -> None:
        """What has come of the body goes into the spool."""
        self._count_body()
        self._brought += super().body_bytes_by_feed()
        try:
            self.spooled = self.spooled or Spooled(self.spool)
            for piece in self.pieces:
                self._keep(piece, self.spooled)
            if self.complete and self._gunzip is not None:
                self._gunzip.end()
        except SpoolFullError as error:
            raise BadAnswerError("client_limit", str(error)) from None
        finally:
            self.forget_body()

    def _keep(self, piece: bytes, spooled: Spooled) -> None:
        if self._gunzip is None:
            spooled.write(piece)
            return
        for unpacked in self._gunzip.pieces(piece):
            spooled.write(unpacked)

    def body_bytes_by_feed(self) -> list[int]:
        return self._brought if self.spooled is not None else super().body_bytes_by_feed()
