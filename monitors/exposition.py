"""The service's own metrics page, in the Prometheus text format; of each replica where there are several."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import monotonic, time
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from genload.exposition.family_state import FamilyState
from genload.exposition.page import parser
from genload.exposition.replica import Look, Replica
from genload.exposition.scrape import Scraper, Target, addresses, reason, tls_context
from genload.exposition.selector import Selector
from genload.monitor import Monitor as Base
from genload.monitor import MonitorError
from genload.settings.contract import Expects
from genload.settings.metrics.labelled import labelled
from genload.settings.metrics.machines import MACHINE_METRICS, together
from genload.settings.secrets import Headers, refuse_secret_in_url
from genload.settings.service import Service, Tls, asked_alike
from genload.settings.units import Seconds, TransportSeconds
from genload.settings.wing_models import MonitorSettings

UP, SCRAPE_DURATION, RESTARTS = OWN_METRICS = ("server.up", "server.scrape_duration", "server.restarts")
CONTRACT_METRICS = ("contract.absent", "contract.idle", "contract.live")
CONTRACT_STATE = "contract.state"
MOST_REPLICAS = 64


class ExpositionSettings(MonitorSettings, extra="forbid"):
    """``exposition: {interval: 5s, series: {server.memory: process_resident_memory_bytes}}``"""

    labels = {"replica": ("",)}  # of whatever metrics the suite maps

    interval_s: Seconds = 5.0
    """Time between two scrapes. A scrape can cost the service more than a request does."""
    url: str | tuple[str, ...] | None = None
    """The page, or a list with the page of each replica; unless set, /metrics of the service's host."""
    every_address: bool = False
    """Each address of the URL's name is a replica; looked up at the start, and after a failed scrape."""
    per_replica: bool | None = None
    """Whether each replica has series of its own, server.memory{replica=10.0.0.7:5000}. Unless set: when
    there may be several, or a criterion names the label."""
    timeout_s: TransportSeconds = 4.0
    """The most that a scrape may take. Less than the interval, so that a service that hangs is a 0 at every
    tick and not a hole at every second one."""
    headers: Headers = {}
    """Sent with each scrape; secrets as ${env:NAME} or ${file:PATH}. Unless these or `url` are set, the
    service's."""
    tls: Tls = Tls()
    gzip: bool = True
    """Ask for a packed page, as a Prometheus does: less network, a little more work for the service."""
    series: dict[str, str] = {"server.memory": "process_resident_memory_bytes"}
    """Which series of the page fills which metric."""
    expects: Expects = Field(default=())
    """Families that the page should have: each is found absent, idle (never moved) or live."""

    @field_validator("url")
    @classmethod
    def _http_urls(cls, value: str | tuple[str, ...] | None) -> str | tuple[str, ...] | None:
        urls = (value,) if isinstance(value, str) else value or ()
        for url in urls:
            refuse_secret_in_url(url)
            if not url.startswith(("http://", "https://", "${")):
                raise ValueError(f"'{url}' is no URL of a page: it begins with http:// or https://")
        if value == () or len(set(urls)) < len(urls) or len(urls) > MOST_REPLICAS:
            raise ValueError(f"a list of pages has 1 to {MOST_REPLICAS}, each once")
        return value

    @field_validator("series")
    @classmethod
    def _known_series(cls, value: dict[str, str]) -> dict[str, str]:
        known = {metric.name for metric in MACHINE_METRICS} - {*OWN_METRICS, *CONTRACT_METRICS}
        for metric, text in value.items():
            if metric not in known and not metric.startswith("prom."):
                raise PydanticCustomError(
                    "series",
                    "'{metric}' is no metric that a page can fill",
                    {"metric": metric, "remedy": f"use one of {', '.join(sorted(known))}, or prom.NAME"},
                )
            Selector.parse(text)
        return value

    @model_validator(mode="after")
    def _one_name(self) -> Self:
        if self.every_address and isinstance(self.url, tuple):
            raise ValueError("every_address goes with one url, not with a list")
        return self

    def of_service(self, service: Service) -> Self:
        return asked_alike(self, service) if self.url is None else self

    def telling_apart(self, labels: Collection[str]) -> Self:
        asked = self.per_replica is None and "replica" in labels
        return self.model_copy(update={"per_replica": True}) if asked else self


class Monitor(Base):
    """Scrapes each page on a connection of its own, all at the same time, and reads only what is asked for.

    ``server.up`` is 1 when the page came with status 200, else 0: a scrape that failed is a value, with the
    reason beside it. ``server.scrape_duration`` runs from before the connect to the page's last byte.

    A counter is the sum of its rises, a reset taken into account, so that it never falls. Of several replicas
    each fills a labelled series, and all together the one without a label: amounts add up, ``server.up`` is 1
    while all of them answer. A number that one of them owes is absent; a counter goes on with what there was.
    """

    Settings = ExpositionSettings
    settings: ExpositionSettings

    @property
    def metrics(self) -> tuple[str, ...]:
        contract = CONTRACT_METRICS if self.settings.expects else ()
        return (*self.settings.series, *OWN_METRICS, *contract)

    @property
    def source(self) -> str:
        return ", ".join(self._urls())

    def origin(self, metric: str) -> str:
        return self.settings.series.get(metric, "")

    @property
    def history_s(self) -> float:
        return self.settings.timeout_s

    def open(self) -> None:
        """Nothing is connected here: a service that is down is a sample, not an error."""
        parser()  # imported now, the first tick does not wait for it
        settings = self.settings
        self._scraper = Scraper(
            settings.timeout_s, settings.headers, tls_context(settings.tls), gzip=settings.gzip
        )
        self._series = {metric: Selector.parse(text) for metric, text in settings.series.items()}
        self._began_unix_s = time()
        self._known: dict[Target, Replica] = {}  # every page there ever was
        self._replicas: list[Replica] = []  # those there are now
        self._look_up = True
        self._states_told: dict[str, FamilyState] = {}
        self._threads = ThreadPoolExecutor(max_workers=MOST_REPLICAS, thread_name_prefix="scrape")

    def sample(self) -> Mapping[str, float]:
        self._find_replicas()
        looks = list(self._threads.map(lambda replica: replica.look(self._scraper), self._replicas))
        values = self._one_number_each(looks) | self._labelled(looks) | self._contract()
        self._look_up = self._look_up or any(look.error for look in looks)
        problems = [
            f"{replica.target.label if self._several else replica.target.url}: {look.error or look.unclear}"
            for replica, look in zip(self._replicas, looks, strict=True)
            if look.error or look.unclear
        ]
        if problems:
            raise MonitorError("; ".join(problems), values)
        return values

    def facts(self) -> Mapping[str, str]:
        """How many replicas there are, of those that answered; nothing of a single page, which may be that of
        a proxy."""
        if not self._several:
            return {}
        answered = sum(replica.answered for replica in self._replicas)
        every = answered == len(self._replicas)
        return {"replicas": str(answered) if every else f"{answered} of {len(self._replicas)} answered"}

    def history(self, begin_s: float, end_s: float) -> Iterable[tuple[float, Mapping[str, float]]]:
        """One last look, so that what was counted since the last tick is not lost."""
        try:
            yield monotonic(), self.sample()
        except MonitorError as problem:
            yield monotonic(), problem.values
            raise

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _urls(self) -> Sequence[str]:
        url = self.settings.url or f"{self.host.rstrip('/')}/metrics"
        return (url,) if isinstance(url, str) else url

    @property
    def _several(self) -> bool:
        return self.settings.every_address or not isinstance(self.settings.url, str | None)

    def _find_replicas(self) -> None:
        """The pages there are now; of one that was there before, what was seen of it is kept."""
        if not self._look_up:
            return
        try:
            targets = self._targets()
        except OSError as error:
            if not self._replicas:
                raise MonitorError(f"{self.source}: {reason(error)}", {UP: 0.0}) from error
            return
        late = bool(self._known)
        for target in targets:
            if target not in self._known:
                self._known[target] = Replica(
                    target, self._series, self.settings.expects, began_unix_s=self._began_unix_s, late=late
                )
        self._replicas = [self._known[target] for target in targets]
        self._look_up = False

    def _targets(self) -> list[Target]:
        urls = self._urls()
        if self.settings.every_address:
            return [Target(address, urls[0], address) for address in addresses(urls[0])[:MOST_REPLICAS]]
        places = [urlsplit(url).netloc for url in urls]
        labels = places if len(set(places)) == len(urls) and all(places) else urls
        return [Target(label, url) for label, url in zip(labels, urls, strict=True)]

    def _one_number_each(self, looks: Sequence[Look]) -> dict[str, float]:
        """Every metric of all replicas together."""
        values = {UP: together(UP, [float(not look.error) for look in looks])}
        if all(not look.error for look in looks):
            values[SCRAPE_DURATION] = together(SCRAPE_DURATION, [look.took_s for look in looks])
        restarts = [replica.restarts for replica in self._known.values() if replica.restarts is not None]
        if restarts:
            values[RESTARTS] = together(RESTARTS, restarts)
        for metric in self._series:
            found = [look.values[metric] for look in looks if metric in look.values]
            counted = [r.counted[metric] for r in self._known.values() if metric in r.counted]
            if found and counted:
                values[metric] = sum(counted)
            elif found and len(found) == len(looks):
                values[metric] = together(metric, found)
        return values

    def _labelled(self, looks: Sequence[Look]) -> dict[str, float]:
        """Every metric of each replica."""
        each = self._several if self.settings.per_replica is None else self.settings.per_replica
        values: dict[str, float] = {}
        for replica, look in zip(self._replicas, looks, strict=True) if each else ():
            own = dict(look.values) | {UP: float(not look.error)}
            own |= {} if look.error else {SCRAPE_DURATION: look.took_s}
            own |= {} if replica.restarts is None else {RESTARTS: replica.restarts}
            label = {"replica": replica.target.label}
            values |= {labelled(metric, label): value for metric, value in own.items()}
        return values

    def _contract(self) -> dict[str, float]:
        """How many expected families are absent, idle and live so far, and each whose state has changed.

        Nothing before the first page: what was not seen is not absent.
        """
        pages = [replica.families.states for replica in self._known.values() if replica.answered]
        if not pages or not self.settings.expects:
            return {}
        states = {family: max(page[family] for page in pages) for family in self.settings.expects}
        news = {family: state for family, state in states.items() if self._states_told.get(family) != state}
        self._states_told |= news
        counts = [sum(state == one for state in states.values()) for one in FamilyState]
        return {metric: float(count) for metric, count in zip(CONTRACT_METRICS, counts, strict=True)} | {
            labelled(CONTRACT_STATE, {"family": family}): float(state) for family, state in news.items()
        }
