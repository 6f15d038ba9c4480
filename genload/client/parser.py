"""Bytes in, one answer out: httptools' parser made to end where HTTP says that an answer ends.

Pure: no sockets, no clock. What httptools leaves to its caller is answered here: a body that is read to
the close never completes by itself (`eof`); it cannot be told of HEAD; an interim 1xx answer completes
like a real one; bytes after a complete answer are an error or a second answer. Its strictness about
Content-Length beside Transfer-Encoding protects proxies; a client lets Transfer-Encoding win (RFC 9112 §6.3).
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import msgspec
from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from genload.client.answer import Headers
from genload.client.content_coding import gunzip
from genload.client.errors import BadAnswerError
from genload.spool import Spooled

MAX_HEAD_BYTES = 64 * 1024
_FRAMING_PER_BODY_BYTE = 16  # one-byte chunks cost 5 bytes each, chunk extensions some more
_TLS_ALERT = b"\x15\x03"
_NONE = Headers(())


class AnswerAssembler(msgspec.Struct, eq=False):  # made in C: every answer has one
    """Assembles one final answer; interim answers are passed over.

    Attributes:
        head: True if the request was HEAD: the answer ends with its headers.
        max_body_bytes: limit of the body, as sent and as unpacked.
        status: 0 until the final answer's headers are complete.
        reason: the server's words behind it.
        pairs: header fields (and trailers) as they came; of the final answer once `status` is set.
        headers: the same once they are complete; of an answer that is complete, with the trailers.
        pieces: the body so far, as it came; without what was forgotten.
        spooled: what of it is somewhere else.
        complete: the answer has ended.
        keep_alive: the connection may carry another request; meaningful once complete.
        rest: what came behind a 101, in another protocol.
    """

    head: bool
    max_body_bytes: int
    status: int = 0
    reason: str = ""
    pairs: list[tuple[bytes, bytes]] = []
    headers: Headers = _NONE
    pieces: list[bytes] = []
    spooled: Spooled | None = None
    complete: bool = False
    keep_alive: bool = False
    rest: bytes = b""
    on_body: Any = None
    on_status: Any = None
    on_message_begin: Any = None
    _parser: Any = None
    _pieces_before: list[int] = []  # each call of `feed`
    _reasons: list[bytes] = []
    _alone: list[bool] = []  # holds something once the answer has ended and until another begins
    _fields: int = 0  # before the body
    _length_checked: bool = False
    _fed_bytes: int = 0
    _safe_bytes: int = 0  # so many can break no limit
    _body_bytes: int = 0  # that were counted
    _counted_pieces: int = 0
    _body_pieces: int = 0

    def __post_init__(self) -> None:
        # What the parser calls most: a bound C method costs no Python frame.
        self.on_body = self.pieces.append
        self.on_status = self._reasons.append
        self.on_message_begin = self._alone.clear
        self._safe_bytes = min(self.max_body_bytes, MAX_HEAD_BYTES)
        self._parser = parser = HttpResponseParser(self)
        # keep_alive: an interim answer with "Connection: close" must not end the stream.
        parser.set_dangerous_leniencies(lenient_keep_alive=True, lenient_chunked_length=True)

    def feed(self, data: bytes | memoryview) -> bool:
        """Take the next bytes, cut anywhere, and none as `eof`; True once the answer is complete.

        Raises:
            BadAnswerError: protocol or too_large.
        """
        if not data:
            self.eof()
            return True
        self._fed_bytes += len(data)
        self._pieces_before.append(len(self.pieces))
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            if not self.complete:
                raise BadAnswerError("protocol", _complaint(error, data)) from None
            if isinstance(error, HttpParserUpgrade):
                self.rest = bytes(data[error.args[0] :])
            self._alone.clear()
        if self._fed_bytes > self._safe_bytes:
            self._check_size()
        if not self.complete:
            if self.status and not self._length_checked:
                self._check_length()
            return False
        if not self._alone or len(self.pieces) > self._body_pieces:
            self.keep_alive = False
            del self.pieces[self._body_pieces :]  # of what came behind the answer
        return True

    def eof(self) -> None:
        """The connection has ended, which completes a body without a length of its own.

        Raises:
            BadAnswerError: truncated.
        """
        if not self.status:
            raise BadAnswerError("truncated", "the connection ended inside the answer's headers")
        self._count_body()
        if self._is_chunked():
            raise BadAnswerError(
                "truncated", f"the connection ended inside a chunked body, after {self._body_bytes:,} bytes"
            )
        length = self.headers.last(b"content-length")
        if length and not self.headers.last(b"transfer-encoding"):
            raise BadAnswerError(
                "truncated", f"the connection ended after {self._body_bytes:,} of {int(length):,} body bytes"
            )
        self.on_message_complete()
        self.keep_alive = False

    def body(self) -> bytes:
        """What has come of the body so far, as it was sent."""
        pieces = self.pieces
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def forget_body(self) -> None:
        """What has come of the body is somewhere else: it is counted, and not kept."""
        self.pieces.clear()
        self._pieces_before.clear()
        self._counted_pieces = self._body_pieces = 0

    def body_bytes_by_feed(self) -> list[int]:
        """How many bytes of `body` each call of `feed` brought: 0 for headers and framing alone."""
        pieces, before = self.pieces, self._pieces_before
        return [sum(map(len, pieces[a:b])) for a, b in pairwise([*before, len(pieces)])]

    def unpacked(self, body: bytes) -> bytes:
        """The complete body without its gzip coding; other codings are left as they are.

        Raises:
            BadAnswerError: protocol (damaged) or too_large (once unpacked).
        """
        return gunzip(body, self.max_body_bytes) if body and self.is_packed() else body

    def is_packed(self) -> bool:
        """Whether the body has the coding gzip."""
        return self.headers.last(b"content-encoding").lower() in (b"gzip", b"x-gzip")

    def release(self) -> None:
        """Let go of the parser, once. It and its callbacks hold each other: without this every body stays in
        memory until the garbage collector comes by."""
        self._parser = None

    # What the parser calls.

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.complete:
            self.pairs.append((name, value))

    def on_headers_complete(self) -> None:
        if self.complete:
            return
        status = self._parser.get_status_code()
        if 100 <= status < 200 and status != 101:  # that one is final: what follows it is no HTTP
            self.pairs.clear()
            self._reasons.clear()
            return
        self.status = status
        self.reason = b"".join(self._reasons).decode("latin-1")
        self.headers, self._fields = Headers(self.pairs), len(self.pairs)
        if self.head:
            self.on_message_complete()

    def on_message_complete(self) -> None:
        if not self.status or self.complete:
            return
        self.complete = True
        if len(self.pairs) > self._fields:
            self.headers = Headers(self.pairs)
        self.keep_alive = self._parser.should_keep_alive() and self.status != 101
        self._body_pieces = len(self.pieces)
        self._alone.append(True)

    # What bounds it.

    def _check_size(self) -> None:
        self._count_body()
        if self._body_bytes > self.max_body_bytes:
            raise BadAnswerError("too_large", f"the body is larger than {self.max_body_bytes:,} bytes")
        framing_bytes = self._fed_bytes - self._body_bytes
        limit_bytes = MAX_HEAD_BYTES + _FRAMING_PER_BODY_BYTE * self._body_bytes
        if framing_bytes > limit_bytes:
            raise BadAnswerError("too_large", f"headers and framing are larger than {MAX_HEAD_BYTES:,} bytes")
        self._safe_bytes = self._fed_bytes + min(
            self.max_body_bytes - self._body_bytes, limit_bytes - framing_bytes
        )

    def _count_body(self) -> None:
        pieces = self.pieces
        self._body_bytes += sum(map(len, pieces[self._counted_pieces :]))
        self._counted_pieces = len(pieces)

    def _check_length(self) -> None:
        self._length_checked = True
        length = int(self.headers.last(b"content-length") or 0)
        if length > self.max_body_bytes and not self._is_chunked():
            raise BadAnswerError(
                "too_large", f"the body has {length:,} bytes, more than {self.max_body_bytes:,}"
            )

    def _is_chunked(self) -> bool:
        return self.headers.last(b"transfer-encoding").lower().endswith(b"chunked")


def _complaint(error: Exception, data: bytes | memoryview) -> str:
    if data[: len(_TLS_ALERT)] == _TLS_ALERT:
        return "the server speaks TLS here: use https://"
    return f"not HTTP/1.x: {error}"
