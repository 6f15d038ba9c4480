"""Bytes in, server-sent events out: the stream format of HTML (§9.2.6), as `text/event-stream` has it.

Pure: no sockets, no clock. A line ends with LF, CR or CRLF, and an event with an empty line; where that is a
CR, the event is there with it, and a LF that follows belongs to it. What is not whole when the stream ends is
no event.
"""

from __future__ import annotations

import msgspec

from genload.client.errors import BadAnswerError

_BOM = b"\xef\xbb\xbf"


class ServerEvent(msgspec.Struct, frozen=True):
    """One event.

    Attributes:
        name: what kind it is; ``message`` unless it says another.
        data: its lines of data, joined by LF.
    """

    name: str
    data: bytes


class EventParser:
    """Takes a stream cut anywhere.

    Args:
        max_event_bytes: the most that one event may take on the wire; no more than this is ever kept.
    """

    __slots__ = ("_after_cr", "_at_start", "_bytes", "_data", "_max_bytes", "_name", "_rest")

    def __init__(self, max_event_bytes: int) -> None:
        self._max_bytes = max_event_bytes
        self._rest: list[bytes] = []  # of a line that has not ended
        self._data: list[bytes] = []
        self._name = b""
        self._bytes = 0  # of the event so far, the line that has not ended with it
        self._at_start = True  # where a byte order mark may stand
        self._after_cr = False

    @property
    def unfinished(self) -> bool:
        """Whether something has come since the last event that may be a part of one."""
        return bool(self._rest or self._data)

    def feed(self, data: bytes) -> list[ServerEvent]:
        """Take the next bytes; the events that they complete, in order.

        Raises:
            BadAnswerError: too_large.
        """
        if not data:
            return []
        if self._after_cr:
            data = data.removeprefix(b"\n")
        events: list[ServerEvent] = []
        for piece in data.splitlines(keepends=True):  # of bytes: at LF, CR and CRLF alone
            self._bytes += len(piece)
            if self._bytes > self._max_bytes:
                raise BadAnswerError("too_large", f"an event is larger than {self._max_bytes:,} bytes")
            line = piece.rstrip(b"\r\n")
            if line == piece:
                self._rest.append(piece)
                break
            if self._rest:
                line = b"".join((*self._rest, line))
                self._rest.clear()
            self._take(line, events)
        self._after_cr = data.endswith(b"\r")
        return events

    def _take(self, line: bytes, events: list[ServerEvent]) -> None:
        if self._at_start:
            self._at_start = False
            line = line.removeprefix(_BOM)
        if line:
            self._field(line)
            return
        if self._data:
            name = self._name.decode("utf-8", "replace") or "message"
            events.append(ServerEvent(name, b"\n".join(self._data)))
            self._data.clear()
        self._name = b""
        self._bytes = 0

    def _field(self, line: bytes) -> None:
        """One line with something in it; a comment has no name."""
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data.append(value.removeprefix(b" "))
        elif name == b"event":
            self._name = value.removeprefix(b" ")
