"""Bytes in, messages of a WebSocket's server out (RFC 6455 §5.2 to §5.5 and §7.4), without extensions.

Pure: no sockets, no clock. Strict: whatever no server may send is an error. wsproto writes our frames and is
the tests' oracle; to read with it takes several times the CPU, too much for hundreds of streams of 20 ms.
"""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections.abc import Callable
from typing import Any

import msgspec

from genload.client.errors import BadAnswerError

_FIN, _MASK, _RESERVED = 0x80, 0x80, 0x70
_CONTINUED, _TEXT, _BINARY, _CLOSE, _PING, _PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
_OPCODES = (_CONTINUED, _TEXT, _BINARY, _CLOSE, _PING, _PONG)
_USUAL = (_FIN | _BINARY, _FIN | _TEXT)
_SHORT, _TWO_BYTES = 125, 126
_NO_CODE = 1005
_OF_THE_STANDARD = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014)
_OF_OTHERS = range(3000, 5000)
_new_decoder = getincrementaldecoder("utf-8")


class Ping(msgspec.Struct, frozen=True):
    """To be answered with the same payload."""

    payload: bytes


class Closed(msgspec.Struct, frozen=True):
    """The server has closed the WebSocket.

    Attributes:
        code: 1000 where it has done what it was for, 1005 where none was named.
        reason: its words, maybe none.
    """

    code: int
    reason: str


Message = str | bytes | Ping | Closed


class FrameReader:
    """Takes a stream cut anywhere.

    Args:
        max_bytes: the most that all messages may have together; no more than this is ever kept.
        tell: called with each message as soon as it is whole; with none behind `Closed`.

    Attributes:
        closed: the last message has been told.
    """

    __slots__ = (
        "_decoder",
        "_left_bytes",
        "_max_bytes",
        "_missing_bytes",
        "_opcode",
        "_parts",
        "_rest",
        "_tell",
        "closed",
    )

    def __init__(self, max_bytes: int, tell: Callable[[Message], None]) -> None:
        self._max_bytes = self._left_bytes = max_bytes
        self._tell = tell
        self._rest: list[bytes] = []  # of a frame that is not whole
        self._missing_bytes = 0  # of it, at least
        self._opcode = _CONTINUED  # of a message that is not whole
        self._parts: list[Any] = []  # of it
        self._decoder = _new_decoder()
        self.closed = False

    @property
    def is_between(self) -> bool:
        """Whether nothing has come of a message that is not whole."""
        return not (self._rest or self._parts)

    def begin(self) -> None:
        """Count the bytes of messages anew."""
        self._left_bytes = self._max_bytes

    def feed(self, data: bytes) -> None:
        """Take the next bytes.

        Raises:
            BadAnswerError: ``protocol``, ``too_large``.
        """
        if len(data) < self._missing_bytes:
            self._rest.append(data)
            self._missing_bytes -= len(data)
            return
        if self._rest:
            data = b"".join((*self._rest, data))
            self._rest.clear()
        at = 0
        while not self.closed:
            start, stop = self._place(data, at)
            if stop > len(data):
                self._missing_bytes = stop - len(data)
                if at < len(data):
                    self._rest.append(data[at:])
                return
            self._take(data[at], data[start:stop])
            at = stop

    def _place(self, data: bytes, at: int) -> tuple[int, int]:
        """Where the payload of the frame at `at` begins and ends; of one without a whole header, where that
        ends at the earliest."""
        start = at + 2
        if start > len(data):
            return start, start
        first, size = data[at], data[at + 1]
        if size > _SHORT or first not in _USUAL:
            self._check(first, size)
            if size > _SHORT:
                start += 2 if size == _TWO_BYTES else 8
                if start > len(data):
                    return start, start
                size = _long(size, data[at + 2 : start])
        if size > self._left_bytes:
            raise BadAnswerError("too_large", f"the messages are larger than {self._max_bytes:,} bytes")
        return start, start + size

    def _check(self, first: int, size: int) -> None:
        """Whether a server may send a frame that begins so."""
        opcode = first & 0xF
        if opcode not in _OPCODES:
            raise _wrong(f"a frame of the unknown opcode {opcode:#x}")
        if first & _RESERVED:
            raise _wrong("a frame with a reserved bit")
        if opcode >= _CLOSE and not first & _FIN:
            raise _wrong("a control frame in fragments")
        if size & _MASK:
            raise _wrong("a masked frame")
        if opcode >= _CLOSE and size > _SHORT:
            raise _wrong(f"a control frame of more than {_SHORT} bytes")

    def _take(self, first: int, payload: bytes) -> None:
        opcode = first & 0xF
        if opcode >= _CLOSE:
            self._control(opcode, payload)
            return
        if opcode == _CONTINUED:
            if self._opcode == _CONTINUED:
                raise _wrong("a frame that goes on with no message")
        elif self._opcode != _CONTINUED:
            raise _wrong("a message begins inside another")
        else:
            self._opcode = opcode
        self._left_bytes -= len(payload)
        is_last = bool(first & _FIN)
        part = payload if self._opcode == _BINARY else self._text(payload, is_last)
        if is_last and not self._parts:
            self._opcode = _CONTINUED
            self._tell(part)
            return
        self._parts.append(part)
        if is_last:
            whole = b"".join(self._parts) if self._opcode == _BINARY else "".join(self._parts)
            self._parts.clear()
            self._opcode = _CONTINUED
            self._tell(whole)

    def _text(self, payload: bytes, is_last: bool) -> str:
        try:
            return self._decoder.decode(payload, is_last)
        except UnicodeDecodeError as error:
            raise _wrong(f"text that is no UTF-8: {error.reason}") from None

    def _control(self, opcode: int, payload: bytes) -> None:
        if opcode == _PING:
            self._tell(Ping(payload))
        elif opcode == _CLOSE:
            self.closed = True
            self._tell(_closed(payload))


def _long(size: int, extended: bytes) -> int:
    """What a length says that stands in two or eight bytes."""
    length = int.from_bytes(extended, "big")
    if length <= (_SHORT if size == _TWO_BYTES else 0xFFFF):
        raise _wrong("a length in more bytes than it takes")
    if length >> 63:
        raise _wrong("a length of more than 63 bits")
    return length


def _closed(payload: bytes) -> Closed:
    if not payload:
        return Closed(_NO_CODE, "")
    if len(payload) == 1:
        raise _wrong("half a closing code")
    code = int.from_bytes(payload[:2], "big")
    if code not in _OF_THE_STANDARD and code not in _OF_OTHERS:
        raise _wrong(f"the closing code {code}, which nobody may send")
    try:
        return Closed(code, payload[2:].decode())
    except UnicodeDecodeError as error:
        raise _wrong(f"a reason that is no UTF-8: {error.reason}") from None


def _wrong(words: str) -> BadAnswerError:
    return BadAnswerError("protocol", f"no frames of a WebSocket's server: {words}")
