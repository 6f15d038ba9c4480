"""Where the requests go: one scheme, host and port, and the way to connect there."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address
from time import monotonic
from typing import Any
from urllib.parse import quote, urlsplit

from gevent import Timeout, socket

from genload.client.connection import Connection, connect_tcp, wrap_tls
from genload.client.tls import TlsOptions, tls_context
from genload.client.waiting import ExpiredError
from genload.errors import ConfigError

_FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}
_DEFAULT_PORTS = {"http": 80, "https": 443}
_REMEDY = "an address looks like http://gpu1:5000 or https://gpu1.example/prefix"
_PATH_SAFE = "/?:@!$&'()*+,;=%[]~-._|^`{}\\"

Address = tuple[int, tuple[Any, ...]]  # family, and what `connect` wants


class Origin:
    """Scheme, host and port of a base URL.

    Args:
        base_url: may have a path, which goes in front of every request's.
        tls: for https only.
        kernel_stamps: as `Connection` has it.

    Attributes:
        authority: host and port as the Host header wants them.
        prefix: the base URL's path without its final slash.

    Raises:
        ConfigError: no URL of scheme, host, port and path alone; certificates that cannot be used.
    """

    __slots__ = (
        "_addresses",
        "_context",
        "_host",
        "_kernel_stamps",
        "_literal",
        "_port",
        "authority",
        "prefix",
        "scheme",
    )

    def __init__(self, base_url: str, tls: TlsOptions | None = None, *, kernel_stamps: bool = False) -> None:
        try:
            parts = urlsplit(base_url)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise ConfigError(f"{base_url!r} is no address: {error}", remedy=_REMEDY) from None
        if parts.scheme not in _DEFAULT_PORTS or not host:
            raise ConfigError(f"{base_url!r} is no address", remedy=_REMEDY)
        if parts.username is not None or parts.query or parts.fragment:
            # Not shown: it may hold a password.
            raise ConfigError("an address with a user, a query or a fragment", remedy=_REMEDY)
        self.scheme = parts.scheme
        self._port = port or _DEFAULT_PORTS[parts.scheme]
        # An address that is no name never waits for the resolver's threads.
        literal = _literal(host)
        self._host = _ascii(host) if literal is None else str(literal)
        self._literal = None if literal is None else (_FAMILIES[literal.version], (self._host, self._port))
        self.prefix = percent_encoded(parts.path.rstrip("/"))
        shown_host = f"[{self._host}]" if ":" in self._host else self._host
        is_default = self._port == _DEFAULT_PORTS[parts.scheme]
        self.authority = shown_host if is_default else f"{shown_host}:{self._port}"
        self._context = tls_context(tls or TlsOptions()) if parts.scheme == "https" else None
        self._kernel_stamps = kernel_stamps
        self._addresses: list[Address] = []

    def is_origin_of(self, url: str) -> bool:
        """Whether an absolute URL leads here."""
        try:
            parts = urlsplit(url)
            port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
        except ValueError:
            return False
        return (parts.scheme, parts.hostname, port) == (self.scheme, self._host, self._port)

    def url(self, target: str) -> str:
        """The absolute URL of a path and query on this origin, which begin with a slash."""
        return f"{self.scheme}://{self.authority}{target}"

    def connect(self, until_s: float) -> Connection:
        """A new connection: the addresses of the host are tried in order, the last good one first.

        Names are looked up once and again after a failure, so that a server's restart elsewhere is found,
        and thousands of short connections do not measure the resolver.

        Raises:
            ExpiredError, OSError (gaierror, ssl.SSLError among them), UnicodeError.
        """
        sock = self._connect_any(until_s)
        if self._context is None:
            return Connection(sock, tls=False, kernel_stamps=self._kernel_stamps)
        return Connection(wrap_tls(sock, self._context, self._host, until_s), tls=True)

    def _connect_any(self, until_s: float) -> Any:
        addresses = self._addresses or ([self._literal] if self._literal else self._look_up(until_s))
        self._addresses = []
        failure: Exception = OSError("no address")
        for n, address in enumerate(addresses):
            now_s = monotonic()
            # One silent address must not use up the time of those behind it.
            share_s = (until_s - now_s) / (len(addresses) - n)
            try:
                sock = connect_tcp(*address, now_s + share_s)
            except (ExpiredError, OSError) as error:
                failure = error
                continue
            self._addresses = [address, *addresses[:n], *addresses[n + 1 :]]
            return sock
        raise failure

    def _look_up(self, until_s: float) -> list[Address]:
        with Timeout(max(until_s - monotonic(), 0.001), ExpiredError):
            found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        return [(family, address) for family, _, _, _, address in found]


def origin_of(url: str) -> str:
    """Scheme, host and port (unless it is the usual one) of an absolute http(s) URL; "" for anything else.

    >>> origin_of("https://CDN.example/a.stl?x"), origin_of("/api/download/a.stl")
    ('https://cdn.example', '')
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    usual = port is None or port == _DEFAULT_PORTS[parts.scheme]
    return f"{parts.scheme}://{host}" if usual else f"{parts.scheme}://{host}:{port}"


def percent_encoded(path: str | bytes) -> str:
    """A path and query, or a URL, in which what has no place there is encoded; what is encoded stays."""
    return quote(path, safe=_PATH_SAFE)


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _ascii(host: str) -> str:
    """The host as names are looked up: an internationalised one in its ASCII form."""
    try:
        return host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise ConfigError(f"{host!r} is no host name: {error}", remedy=_REMEDY) from None
