"""What a client may fetch from elsewhere: results that a service keeps at S3 or on a CDN."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from genload.client.origin import origin_of

if TYPE_CHECKING:
    from genload.client.http import HttpClient


class OtherOrigins:
    """The origins besides a client's own, each with a client that knows no credentials.

    Args:
        allowed: their URLs.
        make: the client of one.

    Attributes:
        allowed: as `origin_of` has them.
    """

    __slots__ = ("_clients", "_make", "allowed")

    def __init__(self, allowed: Iterable[str], make: Callable[[str], HttpClient]) -> None:
        self.allowed = frozenset(map(origin_of, allowed))
        self._make = make
        self._clients: dict[str, HttpClient] = {}

    def client_for(self, url: str) -> HttpClient | None:
        """The one to fetch an absolute URL with; None where that is not allowed, and for a mere path."""
        origin = origin_of(url) if "://" in url else ""
        if origin not in self.allowed:
            return None
        if origin not in self._clients:
            self._clients[origin] = self._make(origin)
        return self._clients[origin]

    def close(self) -> None:
        """Close the connections."""
        for client in self._clients.values():
            client.close()
