"""The service's own metrics page, in the Prometheus text format."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, IncompleteRead
from time import monotonic
from urllib.parse import urlsplit

from prometheus_client.parser import text_string_to_metric_families
from pydantic import field_validator
from pydantic_core import PydanticCustomError

from genload.monitor import Monitor as Base
from genload.monitor import MonitorError
from genload.settings.catalogue import MACHINE_METRICS
from genload.settings.secrets import refuse_literal_secret, refuse_secret_in_url, reveal
from genload.settings.suite import MonitorSettings, Tls
from genload.settings.units import Seconds, TransportSeconds

MAX_PAGE_BYTES = 16 * 2**20
_PART_BYTES = 65536

OWN_METRICS = ("server.up", "server.scrape_duration", "server.restarts")
START_TIME = "process_start_time_seconds"
CPU_TIME = "process_cpu_seconds_total"
_COUNTER = re.compile(r"_(total|count|sum)$")
# Some exporters compute the start time anew as now − uptime: it trembles, and no restart is that fast.
_START_TIME_TREMOR_S = 1.0

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_LABEL = r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*'
_SELECTOR = re.compile(rf"\s*({_NAME})\s*(?:\{{((?:{_LABEL},)*(?:{_LABEL})?)\s*\}})?\s*", re.DOTALL)
_ESCAPES = {"\\n": "\n", '\\"': '"', "\\\\": "\\"}


@dataclass(frozen=True, slots=True)
class Selector:
    """Which samples of a page make one metric: ``family`` or ``family{label="value", …}``.

    The family is the name as it stands on the page (``jobs_total``, ``latency_seconds_sum``). Several
    samples that match are summed: one series a GPU or a type is one number for the service.
    """

    family: str
    labels: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, text: str) -> Selector:
        """Raises ValueError, saying how one looks."""
        match = _SELECTOR.fullmatch(text)
        if match is None:
            raise ValueError(f"'{text}' names no series: write family or family{{label=\"value\"}}")
        pairs = re.findall(_LABEL, match[2] or "", re.DOTALL)
        return cls(match[1], tuple((label, _unescaped(value)) for label, value in pairs))

    def matches(self, name: str, labels: Mapping[str, str]) -> bool:
        """Labels that are not asked for may have any value; an absent label is an empty one."""
        return name == self.family and all(labels.get(label, "") == value for label, value in self.labels)


def _unescaped(value: str) -> str:
    return re.sub(r"\\.", lambda found: _ESCAPES.get(found[0], found[0]), value, flags=re.DOTALL)


class ExpositionSettings(MonitorSettings, extra="forbid"):
    """``exposition: {interval: 5s, series: {server.memory: process_resident_memory_bytes}}``"""

    interval_s: Seconds = 5.0
    """Time between two scrapes. A scrape can cost the service more than a request does."""
    url: str | None = None
    """The page; unless set, /metrics of the service's host."""
    timeout_s: TransportSeconds = 4.0
    """The most that a scrape may take. Less than the interval, so that a service that hangs is a 0 at every
    tick and not a hole at every second one."""
    headers: dict[str, str] = {}
    """Sent with each scrape; secrets as ${env:NAME} or ${file:PATH}."""
    tls: Tls = Tls()
    series: dict[str, str] = {"server.memory": "process_resident_memory_bytes"}
    """Which series of the page fills which metric."""

    @field_validator("url")
    @classmethod
    def _http_url(cls, value: str | None) -> str | None:
        if value is not None:
            refuse_secret_in_url(value)
            if not value.startswith(("http://", "https://", "${")):
                raise ValueError(f"'{value}' is no URL of a page: it begins with http:// or https://")
        return value

    @field_validator("headers")
    @classmethod
    def _no_secret_headers(cls, value: dict[str, str]) -> dict[str, str]:
        for header, content in value.items():
            refuse_literal_secret(header, content)
        return value

    @field_validator("series")
    @classmethod
    def _known_series(cls, value: dict[str, str]) -> dict[str, str]:
        known = {metric.name for metric in MACHINE_METRICS} - set(OWN_METRICS)
        for metric, text in value.items():
            if metric not in known and not metric.startswith("prom."):
                raise PydanticCustomError(
                    "series",
                    "'{metric}' is no metric that a page can fill",
                    {"metric": metric, "remedy": f"use one of {', '.join(sorted(known))}, or prom.NAME"},
                )
            Selector.parse(text)
        return value


class Restarts:
    """Counts restarts of the process behind the page since the first scrape.

    A restart is a rise of its start time above the largest one seen (with several processes behind one
    address, pages take turns: older ones are no restart). A page without a start time is judged by its
    counters, which only a restart can lower.
    """

    def __init__(self) -> None:
        self.count = 0
        self.known = False  # the page has shown something to tell a restart by
        self._start_s: float | None = None
        self._counters: dict[str, float] = {}

    def note(self, start_s: float | None, counters: Mapping[str, float]) -> None:
        if start_s is not None:
            if self._start_s is not None and start_s > self._start_s + _START_TIME_TREMOR_S:
                self.count += 1
            self._start_s = max(start_s, self._start_s or start_s)
        elif any(value < self._counters.get(name, 0.0) for name, value in counters.items()):
            self.count += 1
        self._counters.update(counters)
        self.known = self.known or start_s is not None or bool(counters)


class Monitor(Base):
    """Scrapes one page, each time on a connection of its own, and reads only what is asked for.

    ``server.up`` is 1 when the page came with status 200, else 0: a scrape that failed is a value, with the
    reason beside it. ``server.scrape_duration`` runs from before the connect to the page's last byte.
    """

    Settings = ExpositionSettings
    settings: ExpositionSettings

    @property
    def metrics(self) -> tuple[str, ...]:
        return (*self.settings.series, *OWN_METRICS)

    @property
    def source(self) -> str:
        return self.settings.url or f"{self.host.rstrip('/')}/metrics"

    def origin(self, metric: str) -> str:
        return self.settings.series.get(metric, "")

    def open(self) -> None:
        """Nothing is connected here: a service that is down is a sample, not an error."""
        self._selectors = {name: Selector.parse(text) for name, text in self.settings.series.items()}
        self._families = {selector.family for selector in self._selectors.values()} | {START_TIME, CPU_TIME}
        self._restarts = Restarts()
        self._context = _tls_context(self.settings.tls)

    def sample(self) -> Mapping[str, float]:
        begin_s = monotonic()
        try:
            page = self._scrape(begin_s + self.settings.timeout_s)
        except (OSError, HTTPException) as error:
            raise MonitorError(f"{self.source}: {_reason(error)}", self._down()) from error
        took_s = monotonic() - begin_s
        samples = read_families(page, self._families)
        self._note_restart(samples)
        values = {name: total(samples, selector) for name, selector in self._selectors.items()}
        present = {name: value for name, value in values.items() if value is not None}
        return present | {"server.up": 1.0, "server.scrape_duration": took_s} | self._restarts_seen()

    def _scrape(self, deadline_s: float) -> str:
        url = urlsplit(reveal(self.source))
        connection = self._connection(url.scheme, url.netloc)
        headers = {name: reveal(value) for name, value in self.settings.headers.items()}
        headers = {"Accept": "text/plain; version=0.0.4", "Connection": "close"} | headers
        try:
            connection.request("GET", (url.path or "/") + (url.query and f"?{url.query}"), headers=headers)
            answer = connection.getresponse()
            if answer.status != 200:
                raise HTTPException(f"{answer.status} {answer.reason}")
            return _body(answer, deadline_s).decode("utf-8", "replace")
        finally:
            connection.close()

    def _connection(self, scheme: str, address: str) -> HTTPConnection:
        timeout_s = self.settings.timeout_s
        if scheme == "https":
            return HTTPSConnection(address, timeout=timeout_s, context=self._context)
        return HTTPConnection(address, timeout=timeout_s)

    def _note_restart(self, samples: Mapping[str, list[PageSample]]) -> None:
        starts = [sample.value for sample in samples.get(START_TIME, [])]
        counters = {
            family: value
            for family in samples
            if _COUNTER.search(family) and (value := total(samples, Selector(family))) is not None
        }
        self._restarts.note(max(starts, default=None), counters)

    def _restarts_seen(self) -> dict[str, float]:
        return {"server.restarts": float(self._restarts.count)} if self._restarts.known else {}

    def _down(self) -> dict[str, float]:
        return {"server.up": 0.0} | self._restarts_seen()


@dataclass(frozen=True, slots=True)
class PageSample:
    """One line of a page."""

    labels: Mapping[str, str]
    value: float


def read_families(page: str, families: Iterable[str]) -> dict[str, list[PageSample]]:
    """The samples of some families, by family; the other lines are not parsed.

    A family with a line that cannot be read is left out: a sum without it would be wrong.
    """
    names = "|".join(sorted(map(re.escape, families)))
    found: dict[str, list[PageSample]] = {}
    unreadable = set()
    for match in re.finditer(rf"^[ \t]*({names})(?=[ \t{{])[^\n]*", page, re.MULTILINE):
        line = match[0].strip()
        try:
            parsed = [sample for family in text_string_to_metric_families(line) for sample in family.samples]
        except (ValueError, IndexError, KeyError):
            unreadable.add(match[1])
            continue
        found.setdefault(match[1], []).extend(PageSample(sample.labels, sample.value) for sample in parsed)
    return {family: samples for family, samples in found.items() if family not in unreadable}


def total(samples: Mapping[str, list[PageSample]], selector: Selector) -> float | None:
    """The sum of the samples that a selector matches; None when none does."""
    values = [
        sample.value
        for sample in samples.get(selector.family, [])
        if selector.matches(selector.family, sample.labels)
    ]
    return sum(values) if values else None


def _tls_context(tls: Tls) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=tls.ca_file)
    if tls.client_certificate is not None:
        context.load_cert_chain(tls.client_certificate, tls.client_key)
    if not tls.verify:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _body(answer: HTTPResponse, deadline_s: float) -> bytes:
    """The page, bounded in size and in time: a timeout alone would wait anew for every byte that drips."""
    page = bytearray()
    # Counted here: before Python 3.13 read1 forgets the length, and so neither ends nor sees a cut.
    length = answer.length
    while len(page) != length and (part := answer.read1(_PART_BYTES)):
        page += part
        if len(page) > MAX_PAGE_BYTES:
            raise HTTPException(f"the page has more than {MAX_PAGE_BYTES >> 20} MiB")
        if monotonic() > deadline_s:
            raise TimeoutError("timed out")
    if length is not None and len(page) < length:
        raise IncompleteRead(b"", length - len(page))
    return bytes(page)


def _reason(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__
