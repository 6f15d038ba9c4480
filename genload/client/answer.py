"""What came back, and when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar, overload

import msgspec

from genload.json_text import read_json
from genload.spool import Content, Spooled

_Default = TypeVar("_Default")


class Times(msgspec.Struct, eq=False):  # made in C, as `Answer`: thousands of users make them all the time
    """When the parts of one request happened: seconds of `time.monotonic`, 0.0 for what it never reached.

    Attributes:
        start_s: on a kept connection right before the send, on a new one before name lookup and connect.
        connected_s: right before the send; equal to `start_s` on a kept connection.
        sent_s: the kernel has taken the last byte of the request.
        first_byte_s: the first receive that brought anything (interim 1xx answers included).
        end_s: the answer was complete, or the request failed.
        chunks: every receive: when it returned, and how many bytes it brought.
    """

    start_s: float = 0.0
    connected_s: float = 0.0
    sent_s: float = 0.0
    first_byte_s: float = 0.0
    end_s: float = 0.0
    chunks: list[tuple[float, int]] = []

    @property
    def connect_s(self) -> float:
        """Seconds spent connecting: 0.0 on a kept connection, all of the request if it got no further."""
        return (self.connected_s or self.end_s) - self.start_s


class Headers(Mapping[str, str]):
    """Header fields by name, whatever its case; fields sent more than once are joined by ", ".

    Args:
        pairs: names and values as they came; any byte is allowed and read as Latin-1.
    """

    __slots__ = ("_joined", "_pairs")

    def __init__(self, pairs: Sequence[tuple[bytes, bytes]]) -> None:
        self._pairs = pairs
        # Made for the first who looks: most polls are not looked at.
        self._joined: dict[bytes, bytes] | None = None

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Every field in the order and case in which it came."""
        return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in self._pairs]

    def __getitem__(self, name: str) -> str:
        value = self.get(name)
        if value is None:
            raise KeyError(name)
        return value

    # As Mapping has them, without an exception on the way.

    @overload
    def get(self, name: str, /) -> str | None: ...
    @overload
    def get(self, name: str, /, default: str | _Default) -> str | _Default: ...
    def get(self, name: str, /, default: Any = None) -> Any:
        value = self.raw(_name(name))
        return default if value is None else value.decode("latin-1")

    def raw(self, name: bytes) -> bytes | None:
        """The value as it came, of a name that is given in lower case; None for none."""
        fields = self._joined
        if fields is None:
            fields = self._joined = self._read()
        return fields.get(name)

    def last(self, name: bytes) -> bytes:
        """The value of the last field of this name, which is given in lower case; b"" for none. It is what
        counts for codings that are listed in several fields."""
        value = self.raw(name)
        if value is None or len(self) == len(self._pairs):
            return value.strip() if value else b""
        return next((value.strip() for own, value in reversed(self._pairs) if own.lower() == name), b"")

    def _read(self) -> dict[bytes, bytes]:
        """Values by their names in lower case."""
        fields = {name.lower(): value for name, value in self._pairs}
        if len(fields) < len(self._pairs):
            for name in fields:
                fields[name] = b", ".join([value for own, value in self._pairs if own.lower() == name])
        return fields

    def _fields(self) -> dict[bytes, bytes]:
        if self._joined is None:
            self._joined = self._read()
        return self._joined

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.raw(_name(name)) is not None

    def __iter__(self) -> Iterator[str]:
        """Names in lower case."""
        return (name.decode("latin-1") for name in self._fields())

    def __len__(self) -> int:
        return len(self._fields())

    def __repr__(self) -> str:
        return f"Headers({self.pairs!r})"


@lru_cache(maxsize=256)  # the same few with every answer
def _name(name: str) -> bytes:
    return name.lower().encode("latin-1", "replace")


@lru_cache(maxsize=256)
def _media_type(field: bytes) -> str:
    return field.decode("latin-1").partition(";")[0].strip().lower()


class Answer(msgspec.Struct, eq=False):
    """One answer.

    Attributes:
        status: the HTTP status code, whatever it is.
        reason: the server's own words behind it (Latin-1), maybe empty.
        headers: of the final answer; trailers of a chunked body are among them.
        body: without transfer coding and gzip.
        arrivals: (when, how many bytes of the body) of each receive that brought any of it, in order; they
            count it as it was sent, and so add up to `body` unless that was packed with gzip.
        times: see `Times`.
        bytes_sent, bytes_received: on the wire (inside TLS: before encryption, after decryption).
        reused: True if the request went out on a kept connection.
        spooled: the body, where it is large and was to be spooled: `body` is then empty.
    """

    status: int
    reason: str
    headers: Headers
    body: bytes
    arrivals: tuple[tuple[float, int], ...]
    times: Times
    bytes_sent: int
    bytes_received: int
    reused: bool
    spooled: Spooled | None = None

    @property
    def content(self) -> Content:
        """The body, wherever it is."""
        return self.body if self.spooled is None else self.spooled

    @property
    def connect_s(self) -> float:
        """Seconds spent connecting; 0.0 on a kept connection."""
        return self.times.connect_s

    @property
    def media_type(self) -> str:
        """What it says that it is, in lower case and without parameters; "" when it does not say."""
        return _media_type(self.headers.raw(b"content-type") or b"")

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            ValueError: it is none, or nested too deeply to be read.
        """
        return read_json(self.body)

    def __repr__(self) -> str:
        return f"<Answer {self.status}, {len(self.content)} bytes>"
