"""An answer whose body, if it is large, is kept in a spool as it comes."""

from __future__ import annotations

from genload.client.errors import BadAnswerError
from genload.client.parser import AnswerAssembler
from genload.spool import Spool, Spooled, SpoolFullError

SPOOLED_BYTES = 1 << 20
"""A body that is longer is spooled."""


class SpoolingAssembler(AnswerAssembler):
    """As `AnswerAssembler`. What is packed with gzip is not spooled; the client asks for none of it.

    Args:
        spool: where large bodies are kept.

    Attributes:
        spooled: the body, once it is large; `body` is then empty.
    """

    __slots__ = ("_brought", "_spool", "spooled")

    def __init__(self, *, head: bool, max_body_bytes: int, spool: Spool) -> None:
        super().__init__(head=head, max_body_bytes=max_body_bytes)
        self._spool = spool
        self._brought: list[int] = []  # by each call of `feed`, once it is spooled
        self.spooled: Spooled | None = None

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
        if self._fed_bytes <= SPOOLED_BYTES:
            return False
        self._count_body()
        return self._body_bytes > SPOOLED_BYTES and not self._field(b"content-encoding")

    def _move(self) -> None:
        """What has come of the body goes into the spool."""
        self._count_body()
        self._brought += super().body_bytes_by_feed()
        try:
            self.spooled = self.spooled or Spooled(self._spool)
            for piece in self.body_pieces():
                self.spooled.write(piece)
        except SpoolFullError as error:
            raise BadAnswerError("client_limit", str(error)) from None
        finally:
            self.forget_body()

    def body_bytes_by_feed(self) -> list[int]:
        return self._brought if self.spooled is not None else super().body_bytes_by_feed()
