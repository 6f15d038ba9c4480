"""Looking on while a client works, for `genload try`. Costs one comparison a request while nobody looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from genload.client.answer import Answer
from genload.client.errors import ClientError
from genload.client.exchange import Exchange


@dataclass(frozen=True, slots=True)
class Seen:
    """One exchange as it went over the wire.

    Attributes:
        request: its first line (``GET /ready HTTP/1.1``).
        headers: those sent, secrets among them: whoever shows them hides those.
        body: what was sent.
        answer: the answer, or the part of it that came; None before its headers were complete.
        error: why there is no whole answer; None when there is one.
    """

    request: str
    headers: list[tuple[str, str]]
    body: bytes
    answer: Answer | None
    error: ClientError | None


watchers: list[Callable[[Seen], None]] = []
"""Who looks on."""


@contextmanager
def watched(tell: Callable[[Seen], None]) -> Iterator[None]:
    """Tell of every exchange that ends inside the block, of every client of this process."""
    watchers.append(tell)
    try:
        yield
    finally:
        watchers.remove(tell)


def watch(exchange: Exchange, head: bytes, body: bytes, total_s: float | None) -> Answer:
    """`Exchange.run`, with whoever is watching told of it.

    Raises:
        ClientError: as `Exchange.run`.
    """
    try:
        answer = exchange.run(total_s)
    except ClientError as error:
        _tell(head, body, error.answer, error)
        raise
    _tell(head, body, answer, None)
    return answer


def _tell(head: bytes, body: bytes, answer: Answer | None, error: ClientError | None) -> None:
    request, *lines = head.decode("latin-1").split("\r\n")
    pairs = [line.partition(": ") for line in lines if line]
    seen = Seen(request, [(name, value) for name, _, value in pairs], body, answer, error)
    for tell in watchers:
        tell(seen)
