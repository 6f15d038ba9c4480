"""Fetching a page: on a connection of its own, bounded in time and size, and in what gzip may blow up."""

from __future__ import annotations

import socket
import ssl
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead
from time import monotonic
from urllib.parse import urlsplit

from genload.human import human
from genload.settings.secrets import reveal
from genload.settings.service import Tls

MAX_PAGE_BYTES = 64 * 2**20
_PART_BYTES = 65536
_DATE_S = 2.0  # a Date has whole seconds, and is as old as the scrape took
_TEXT_FORMAT = "text/plain; version=0.0.4"


@dataclass(frozen=True, slots=True)
class Target:
    """Where one page is.

    Attributes:
        label: its name among others, for people.
        url: with references to secrets.
        address: connect there instead of to whatever the URL's name leads to.
    """

    label: str
    url: str
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """A page's text, and when it was made by the clock of its machine: the answer's Date, empty if none."""

    text: str
    date: str = ""

    def ahead_of(self, now_unix_s: float) -> float:
        """By how much that clock is ahead of ours; 0 where it is not known, or within the second to which it
        is told."""
        try:
            ahead_s = parsedate_to_datetime(self.date).timestamp() + 0.5 - now_unix_s
        except ValueError:
            return 0.0
        return ahead_s if abs(ahead_s) > _DATE_S else 0.0


@dataclass(frozen=True)
class Scraper:
    """How pages are fetched."""

    timeout_s: float
    headers: Mapping[str, str] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None
    gzip: bool = True

    def fetch(self, target: Target) -> Fetched:
        """The page.

        Raises:
            OSError, HTTPException: no page, and why.
        """
        deadline_s = monotonic() + self.timeout_s
        url = urlsplit(reveal(target.url))
        tls = self.tls if url.scheme == "https" else None
        connection = _Connection(url.netloc, target.address, tls, self.timeout_s)
        try:
            path = (url.path or "/") + (url.query and f"?{url.query}")
            connection.request("GET", path, headers=self._request_headers())
            answer = connection.getresponse()
            if answer.status != 200:
                raise HTTPException(f"{answer.status} {answer.reason}")
            text = _body(answer, deadline_s).decode("utf-8", "replace")
            return Fetched(text, answer.getheader("Date", ""))
        except TimeoutError as error:
            raise TimeoutError(f"did not answer within {human(self.timeout_s, 's')}") from error
        finally:
            connection.close()

    def _request_headers(self) -> dict[str, str]:
        encoding = "gzip" if self.gzip else "identity"
        own = {"Accept": _TEXT_FORMAT, "Accept-Encoding": encoding, "Connection": "close"}
        return own | {name: reveal(value) for name, value in self.headers.items()}


class _Connection(HTTPConnection):
    """To an address that may be another than the URL's name leads to, with TLS for that name."""

    def __init__(
        self, netloc: str, address: str | None, tls: ssl.SSLContext | None, timeout_s: float
    ) -> None:
        self.default_port = 443 if tls else 80  # also decides whether the Host header names the port
        super().__init__(netloc, timeout=timeout_s)
        self._address, self._tls = address, tls

    def connect(self) -> None:
        plain = socket.create_connection((self._address or self.host, self.port), self.timeout)
        self.sock = plain
        if self._tls is not None:
            self.sock = self._tls.wrap_socket(plain, server_hostname=self.host)


def tls_context(tls: Tls) -> ssl.SSLContext:
    """Raises OSError: a file that cannot be used."""
    context = ssl.create_default_context(cafile=tls.ca_file)
    if tls.client_certificate is not None:
        context.load_cert_chain(tls.client_certificate, tls.client_key)
    if not tls.verify:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def addresses(url: str) -> list[str]:
    """Every address of a URL's name, in the order of the alphabet.

    Raises:
        OSError: the name has none.
    """
    parts = urlsplit(reveal(url))
    port = parts.port or (443 if parts.scheme == "https" else 80)
    found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    return sorted({str(entry[4][0]) for entry in found})


def reason(error: Exception) -> str:
    """Why there was no page, in the system's words where it has some."""
    return (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__


def _body(answer: HTTPResponse, deadline_s: float) -> bytes:
    """The page, bounded in size and in time: a timeout alone would wait anew for every byte that drips."""
    page = bytearray()
    for part in _unpacked(answer, _parts(answer, deadline_s)):
        page += part
        if len(page) > MAX_PAGE_BYTES:
            raise HTTPException(f"the page has more than {human(MAX_PAGE_BYTES, 'bytes')}")
    return bytes(page)


def _parts(answer: HTTPResponse, deadline_s: float) -> Iterator[bytes]:
    # Counted here: before Python 3.13 read1 forgets the length, and so neither ends nor sees a cut.
    length, received = answer.length, 0
    while received != length and (part := answer.read1(_PART_BYTES)):
        received += len(part)
        yield part
        if monotonic() > deadline_s:
            raise TimeoutError("timed out")
    if length is not None and received < length:
        raise IncompleteRead(b"", length - received)


def _unpacked(answer: HTTPResponse, parts: Iterator[bytes]) -> Iterator[bytes]:
    coding = answer.getheader("Content-Encoding", "identity").strip().lower()
    if coding in ("", "identity"):
        yield from parts
        return
    if coding not in ("gzip", "x-gzip"):
        raise HTTPException(f"the page is packed as {coding}, which was not asked for")
    gzip, received = zlib.decompressobj(wbits=31), 0
    for part in parts:
        rest = part
        received += len(part)
        if received > MAX_PAGE_BYTES:  # members without end may hold nothing at all
            raise HTTPException(f"the packed page has more than {human(MAX_PAGE_BYTES, 'bytes')}")
        while rest:
            if gzip.eof:
                gzip = zlib.decompressobj(wbits=31)
            try:
                yield gzip.decompress(rest, _PART_BYTES)
            except zlib.error as error:
                raise HTTPException(f"the page is no gzip: {error}") from error
            rest = gzip.unused_data if gzip.eof else gzip.unconsumed_tail
    if not gzip.eof:
        raise HTTPException("the packed page was cut off")
