"""Looking on while a client works, for `genload try`. Costs one comparison a request while nobody looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

from genload.client.answer import Answer
from genload.client.errors import ClientError
from genload.client.exchange import SWITCHED, Exchange
from genload.client.frames import Message


class Passed(NamedTuple):
    """A message that has passed over a WebSocket.

    Attributes:
        when_s: monotonic; of one that was sent, when the system has taken it.
        sent: by us.
    """

    when_s: float
    sent: bool
    message: Message


@dataclass(frozen=True, slots=True)
class Seen:
    """One exchange as it went over the wire.

    Attributes:
        request: its first line (``GET /ready HTTP/1.1``).
        headers: those sent, secrets among them: whoever shows them hides those.
        body: what was sent.
        answer: the answer, or the part of it that came; None before its headers were complete.
        error: why there is no whole answer; None when there is one.
        messages: what passed over the WebSocket that the answer has opened.
    """

    request: str
    headers: list[tuple[str, str]]
    body: bytes
    answer: Answer | None
    error: ClientError | None
    messages: Sequence[Passed] = ()


watchers: list[Callable[[Seen], None]] = []
"""Who looks on."""


@contextmanager
def watched(tell: Callable[[Seen], None]) -> Iterator[None]:
    """Tell of every exchange that ends inside the block, of every client of this process; a WebSocket is one,
    to its last message."""
    watchers.append(tell)
    try:
        yield
    finally:
        watchers.remove(tell)


def watch(
    exchange: Exchange, head: bytes, body: bytes, total_s: float | None, *, opens: bool = False
) -> Answer:
    """`Exchange.run`, with whoever is watching told of it.

    Args:
        opens: a WebSocket, if it is agreed to: then it is told of when that has ended.

    Raises:
        ClientError: as `Exchange.run`.
    """
    try:
        answer = exchange.run(total_s)
    except ClientError as error:
        tell_of(head, body, error.answer, error)
        raise
    if not opens or answer.status != SWITCHED:
        tell_of(head, body, answer, None)
    return answer


def tell_of(
    head: bytes,
    body: bytes,
    answer: Answer | None,
    error: ClientError | None,
    messages: Sequence[Passed] = (),
) -> None:
    """Tell whoever is watching."""
    request, *lines = head.decode("latin-1").split("\r\n")
    pairs = [line.partition(": ") for line in lines if line]
    seen = Seen(request, [(name, value) for name, _, value in pairs], body, answer, error, messages)
    for tell in watchers:
        tell(seen)
