"""Texts of a Socket.IO server in, what they say out: Socket.IO 5 in Engine.IO 4, over a WebSocket alone.

Pure: no sockets, no clock. python-socketio is the tests' oracle. What genload has no use for says nothing:
acknowledgements, messages with binary parts, an upgrade of the transport.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from genload.client.errors import BadAnswerError
from genload.json_text import read_json

MAIN = "/"
"""The namespace that a client means unless it names another."""

# Engine.IO's packets, and inside of its messages those of Socket.IO
_OPEN, _CLOSE, _PING, _MESSAGE, _SILENT = "0", "1", "2", "4", "356"
_CONNECT, _DISCONNECT, _EVENT, _CONNECT_ERROR, _UNUSED = "0", "1", "2", "4", "356"
_HEAD = re.compile(r"(?:(/[^,]*)(?:,|$))?(?:[0-9]+)?")  # namespace, number of an acknowledgement


class Opened(NamedTuple):
    """The server is there, and waits to be told the namespace."""


class Pinged(NamedTuple):
    """To be answered with the same text."""

    text: str


class Joined(NamedTuple):
    """What happens in a namespace is told from here on."""

    namespace: str


class Refused(NamedTuple):
    """There is no such namespace, or not for us."""

    namespace: str
    why: str


class Left(NamedTuple):
    """Nothing more is told of a namespace; None: of any."""

    namespace: str | None


class Told(NamedTuple):
    """An event with its arguments."""

    namespace: str
    name: str
    arguments: list[Any]


Packet = Opened | Pinged | Joined | Refused | Left | Told


def read(text: str) -> Packet | None:
    """What a message of the server says; None: nothing for us.

    Raises:
        BadAnswerError: ``protocol``: it is no packet.
    """
    kind, rest = text[:1], text[1:]
    if kind == _MESSAGE:
        return _message(rest)
    if kind == _OPEN:
        return Opened()
    if kind == _PING:
        return Pinged(rest)
    if kind == _CLOSE:
        return Left(None)
    if kind and kind in _SILENT:
        return None
    raise _wrong(text)


def _message(text: str) -> Packet | None:
    kind = text[:1]
    if kind and kind in _UNUSED:
        return None
    head = _HEAD.match(text, 1)
    assert head is not None  # noqa: S101  all of it may be missing
    namespace = (head[1] or MAIN).partition("?")[0]
    if kind == _CONNECT:
        return Joined(namespace)
    if kind == _DISCONNECT:
        return Left(namespace)
    try:
        data = read_json(text[head.end() :].encode()) if head.end() < len(text) else None
    except ValueError:
        raise _wrong(text) from None
    if kind == _CONNECT_ERROR:
        why = data.get("message") if isinstance(data, dict) else data
        return Refused(namespace, str(why or "no reason given"))
    if kind == _EVENT and isinstance(data, list) and data and isinstance(data[0], str):
        return Told(namespace, data[0], data[1:])
    raise _wrong(text)


def join(namespace: str = MAIN) -> str:
    """Asks to be told what happens in a namespace."""
    return f"{_MESSAGE}{_CONNECT}" if namespace == MAIN else f"{_MESSAGE}{_CONNECT}{namespace},"


def leave(namespace: str) -> str:
    """Wants to be told no more."""
    return f"{_MESSAGE}{_DISCONNECT}{namespace},"


def pong(ping: Pinged) -> str:
    return f"3{ping.text}"


def _wrong(text: str) -> BadAnswerError:
    return BadAnswerError("protocol", f"no packet of a Socket.IO server: {text[:80]!r}")
