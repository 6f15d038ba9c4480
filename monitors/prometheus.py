"""A Prometheus that watches the service anyway: PromQL of the suite, over exactly the time of the run.

While the run goes on, each query is asked for its newest value, for the display. At the end it is asked for
the whole window, and that is what counts: the samples are Prometheus's own, at the times of its own clock,
which is measured against ours.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from math import ceil, floor
from time import monotonic, sleep
from typing import Any, Self

import msgspec
import requests
from prometheus_api_client import PrometheusConnect
from prometheus_api_client.exceptions import PrometheusApiClientException
from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from genload.monitor import Monitor as Base
from genload.monitor import MonitorError
from genload.promql.series import Line, by_time, lines_of
from genload.promql.steps import Steps
from genload.settings.metrics.catalogue import ANY_LABEL
from genload.settings.metrics.machines import MACHINE_METRICS
from genload.settings.model import Settings
from genload.settings.secrets import Headers, has_reference, refuse_secret_in_url, reveal
from genload.settings.service import Tls
from genload.settings.units import SamplingSeconds, TransportSeconds
from genload.settings.wing_models import MonitorSettings

MOST_STEPS = 10_000  # of one range query; Prometheus itself refuses 11,000
HISTORY_S = 6.0
_AGAIN_AFTER_S = 0.5
# A Prometheus that was down left no mark behind its series: a query over that time repeats the last value for
# five minutes. But each of its scrapes leaves a sample of `up`.
_SCRAPED = "sum(count_over_time(up[{within}]))"
_STALE = (
    "nothing was scraped within two intervals. Prometheus was down, or scrapes less often than interval says"
)
_HIDDEN_S = 1.0  # from then on the newest data is said to be hidden
_LEFT_OUT = "no value in the last {seconds:.0f} s: the series ended, or the server hides what is new"
_FIRST_LOOKS = "not the whole window, but what was seen while the run went on: {reason}"
_QUERY_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ERRNO = re.compile(r"\[Errno -?\d+\] ([^'\")]+)")
_API_ERROR = re.compile(r'"error":\s*"((?:[^"\\]|\\.)*)"')


class BasicAuth(Settings):
    """``basic_auth: {username: me, password: "${env:PROMETHEUS_PASSWORD}"}``"""

    username: str
    password: str


class PrometheusSettings(MonitorSettings, extra="forbid"):
    """``prometheus: {url: http://prometheus:9090, queries: {queue: sum(jobs_waiting)}}``"""

    labels = {ANY_LABEL: ("",)}  # those in which the series of a query's answer differ

    interval_s: SamplingSeconds = 15.0
    """The step of the queries, and how often the newest value is asked for. Take the interval at which that
    Prometheus scrapes: a shorter one repeats values, and leaves holes."""
    url: str
    """Its base URL, as in a browser, with the prefix if it has one."""
    queries: dict[str, str] = Field(min_length=1)
    """PromQL by name: `queue` fills the metric prom.queue, `gpu.memory_used` the engine's own of that name.
    In base units: bytes, seconds, shares of 1."""
    timeout_s: TransportSeconds = 4.0
    """The longest silence on a connection that owes an answer."""
    headers: Headers = {}
    """Sent with each query; secrets as ${env:NAME} or ${file:PATH}."""
    basic_auth: BasicAuth | None = None
    bearer: str | None = None
    """A token, as ${env:NAME} or ${file:PATH}."""
    tls: Tls = Tls()

    @field_validator("url")
    @classmethod
    def _http_url(cls, value: str) -> str:
        refuse_secret_in_url(value)
        if not value.startswith(("http://", "https://", "${")):
            raise ValueError(f"'{value}' is no URL: it begins with http:// or https://")
        return value.rstrip("/")

    @field_validator("queries")
    @classmethod
    def _known_names(cls, value: dict[str, str]) -> dict[str, str]:
        known = {metric.name for metric in MACHINE_METRICS}
        for name in value:
            if name not in known and not _QUERY_NAME.fullmatch(name.removeprefix("prom.")):
                raise PydanticCustomError(
                    "queries",
                    "'{name}' is no metric that a query can fill",
                    {
                        "name": name,
                        "remedy": "use a plain name, which becomes prom.NAME, or one of the engine's",
                    },
                )
        return value

    @model_validator(mode="after")
    def _secrets_by_reference(self) -> Self:
        if self.basic_auth is not None and self.bearer is not None:
            raise ValueError("basic_auth and bearer go not together")
        for secret in (self.bearer, self.basic_auth and self.basic_auth.password):
            if secret and not has_reference(secret):
                raise PydanticCustomError(
                    "secret",
                    "a password or token in clear would reach the run directory",
                    {"remedy": "write ${env:NAME} or ${file:PATH} instead"},
                )
        return self


class _Beside(msgspec.Struct, rename="camel"):
    """What an answer says of itself beside its data: of Prometheus, Thanos, Mimir, VictoriaMetrics."""

    warnings: list[str] | None = None
    infos: list[str] | None = None
    is_partial: bool = False


class Monitor(Base):
    """Asks one Prometheus; one that does not answer is named in each sample, and never ends a run."""

    Settings = PrometheusSettings
    settings: PrometheusSettings
    provisional = True

    @property
    def metrics(self) -> tuple[str, ...]:
        return tuple(self._queries)

    @property
    def source(self) -> str:
        return self.settings.url

    def origin(self, metric: str) -> str:
        return self._queries.get(metric, "")

    @property
    def history_s(self) -> float:
        return HISTORY_S

    def open(self) -> None:
        """Nothing is asked here: a Prometheus that is down is a sample with an error."""
        tls, session = self.settings.tls, requests.Session()
        session.trust_env = False  # no proxy and no password that the suite does not name
        session.verify = (tls.ca_file or True) if tls.verify else False
        warnings.filterwarnings("ignore", message="Unverified HTTPS request")  # the suite says so
        if tls.client_certificate is not None:
            session.cert = (tls.client_certificate, tls.client_key or tls.client_certificate)
        self._session = session
        session.hooks["response"].append(self._listen)
        self._looks: list[tuple[float, Mapping[str, float]]] = []
        self._doubts: dict[str, str] = {}
        self._warnings: list[str] = []
        self._infos: list[str] = []

    def _listen(self, response: requests.Response, *_: Any, **__: Any) -> None:
        """Keep what the library passes over."""
        with suppress(msgspec.MsgspecError):
            beside = msgspec.json.decode(response.content, type=_Beside)
            self._warnings += beside.warnings or (["the answer is partial"] if beside.is_partial else [])
            self._infos += beside.infos or []

    def _said(self) -> tuple[str, str]:
        """The warnings and the infos of the answers since the last time."""
        said = "; ".join(dict.fromkeys(self._warnings)), "; ".join(dict.fromkeys(self._infos))
        self._warnings, self._infos = [], []
        return said

    def doubts(self) -> Mapping[str, str]:
        return self._doubts

    def sample(self) -> Mapping[str, float]:
        """The newest value of each query, if Prometheus has scraped lately."""
        values: dict[str, float] = {}
        errors: list[str] = []
        try:
            if self._is_stale():
                errors.append(f"{self.settings.url}: {_STALE}")
            else:
                for metric, query in self._queries.items():
                    self._look(metric, query, values, errors)
        except (requests.RequestException, PrometheusApiClientException) as error:
            errors.append(f"{self.settings.url}: {_reason(error)}")
        self._looks.append((monotonic(), values))
        if errors:
            raise MonitorError("; ".join(errors), values)
        return values

    def history(self, begin_s: float, end_s: float) -> Iterable[tuple[float, Mapping[str, float]]]:
        """Every query over the window. Where that fails, the first looks stand, doubted, the reason beside
        them."""
        errors: list[str] = []
        self._said()
        try:
            ahead_s, hidden_s = self._clock(monotonic() + HISTORY_S / 2)
            steps = self._steps(begin_s + ahead_s, end_s + ahead_s)
        except (requests.RequestException, PrometheusApiClientException, ValueError, TypeError) as error:
            self._doubts = dict.fromkeys(self.metrics, _FIRST_LOOKS.format(reason=_reason(error)))
            yield from self._looks
            raise MonitorError(f"{self.settings.url} at the end: {_reason(error)}") from error
        if hidden_s > _HIDDEN_S:
            steps = steps.until(monotonic() + ahead_s - hidden_s)
            words = "this server hides the newest {:.0f} s (VictoriaMetrics: -search.latencyOffset)"
            errors.append(words.format(hidden_s))
        if warned := self._said()[0]:
            self._doubts = dict.fromkeys(self.metrics, f"the server warns: {warned}")
        samples: dict[float, dict[str, float]] = {}
        for metric, query in self._queries.items():
            try:
                found = self._range(metric, query, steps)
            except (requests.RequestException, PrometheusApiClientException, ValueError, KeyError) as error:
                self._said()
                errors.append(f"{metric} at the end: {_reason(error)}")
                self._doubts[metric] = _FIRST_LOOKS.format(reason=_reason(error))
                yield from self._looks_at(metric)
                continue
            for at_s, values in found.items():
                samples.setdefault(at_s - ahead_s, {}).update(values)
            errors += self._weighed(metric, steps.left_out_at_the_end(found))
        yield from sorted(samples.items())
        if steps.stale:
            errors.append(f"{steps.stale} of {len(steps.times_s)} steps have no value: {_STALE}")
        if errors:
            raise MonitorError("; ".join(errors))

    def _weighed(self, metric: str, left_out: int) -> list[str]:
        """What the server had to say of an answer, for people; what makes it doubtful is kept."""
        warned, told = self._said()
        if warned:
            self._doubts[metric] = f"the server warns: {warned}"
        elif left_out:
            seconds = left_out * self.settings.interval_s
            self._doubts.setdefault(metric, _LEFT_OUT.format(seconds=seconds))
        return [f"{metric}: {told}"] if told else []

    def close(self) -> None:
        self._session.close()

    @property
    def _queries(self) -> dict[str, str]:
        known = {metric.name for metric in MACHINE_METRICS}
        return {
            name if name in known or name.startswith("prom.") else f"prom.{name}": query
            for name, query in self.settings.queries.items()
        }

    def _look(self, metric: str, query: str, values: dict[str, float], errors: list[str]) -> None:
        """Add the newest values of one query, or what is wrong with it."""
        try:
            lines = lines_of(self._client().custom_query(query))
        except (PrometheusApiClientException, ValueError, KeyError, TypeError) as error:
            if isinstance(error, requests.RequestException):  # some of them are ValueErrors too
                raise
            errors.append(f"{metric}: {_reason(error)}")
            return
        for newest in by_time(metric, lines).values():
            values |= newest
        errors += [f"{metric}: {words}" for words in self._said() if words]
        if not lines:
            errors.append(f"{metric}: the query finds no series")

    def _client(self) -> PrometheusConnect:
        """With the secrets as they are now."""
        settings, basic = self.settings, self.settings.basic_auth
        headers = {name: reveal(value) for name, value in settings.headers.items()}
        if settings.bearer is not None:
            headers["Authorization"] = f"Bearer {reveal(settings.bearer)}"
        return PrometheusConnect(
            url=reveal(settings.url),
            headers=headers,
            auth=(basic.username, reveal(basic.password)) if basic else None,
            session=self._session,
            retry=0,
            timeout=settings.timeout_s,
        )

    def _clock(self, deadline_s: float) -> tuple[float, float]:
        """Prometheus's Unix time − our monotonic time, to half a round trip, and how old the newest data is
        that it tells of; asked until it answers.

        An answer bears the time for which it was asked; VictoriaMetrics makes it of what was 30 s before.
        """
        while True:
            sent_s = monotonic()
            try:
                (line,) = lines_of(self._client().custom_query("time()"))
                ((now_s, told_s),) = line.points.items()
                return now_s - (sent_s + monotonic()) / 2, now_s - told_s
            except (requests.RequestException, PrometheusApiClientException):
                if monotonic() >= deadline_s:
                    raise
                sleep(_AGAIN_AFTER_S)

    def _steps(self, begin_unix_s: float, end_unix_s: float) -> Steps:
        """The multiples of the interval in the window, and at which of them Prometheus had scraped lately."""
        step_s = self.settings.interval_s
        numbers = range(ceil(begin_unix_s / step_s), floor(end_unix_s / step_s) + 1)
        times_s = [round(number * step_s, 3) for number in numbers]
        steps = Steps(times_s, frozenset(times_s))
        scraped = self._matrix(self._scraped_lately, steps)
        if scraped or self._ever_scraped():
            return Steps(times_s, frozenset(at_s for line in scraped for at_s in line.points))
        return steps

    @property
    def _scraped_lately(self) -> str:
        return _SCRAPED.format(within=f"{max(1, round(2000 * self.settings.interval_s))}ms")

    def _is_stale(self) -> bool:
        """Whether what a query finds now is a repetition."""
        return not lines_of(self._client().custom_query(self._scraped_lately)) and self._ever_scraped()

    def _ever_scraped(self) -> bool:
        """False where samples come on other ways than scrapes, which nothing here can tell from old ones."""
        return bool(lines_of(self._client().custom_query(_SCRAPED.format(within="1d"))))

    def _range(self, metric: str, query: str, steps: Steps) -> dict[float, dict[str, float]]:
        samples = by_time(metric, self._matrix(query, steps))
        return {at_s: values for at_s, values in samples.items() if at_s in steps.fresh}

    def _matrix(self, query: str, steps: Steps) -> list[Line]:
        """A query's series over the steps, in as many answers as it takes."""
        found: dict[tuple[tuple[str, str], ...], Line] = {}
        for first in range(0, len(steps.times_s), MOST_STEPS):
            part = steps.times_s[first : first + MOST_STEPS]
            begin, end = (datetime.fromtimestamp(at_s).astimezone() for at_s in (part[0], part[-1]))
            # The library rounds to whole seconds; what stands in params counts instead.
            exact = {"start": f"{part[0]:.3f}", "end": f"{part[-1]:.3f}"}
            step = f"{self.settings.interval_s:.3f}"
            for line in lines_of(self._client().custom_query_range(query, begin, end, step, params=exact)):
                points = {round(at_s, 3): value for at_s, value in line.points.items()}
                key = tuple(sorted(line.identity.items()))
                before = found[key].points if key in found else {}
                found[key] = Line(line.labels, {**before, **points}, line.name)
        return list(found.values())

    def _looks_at(self, metric: str) -> Iterable[tuple[float, Mapping[str, float]]]:
        for at_s, values in self._looks:
            own = {name: v for name, v in values.items() if name.partition("{")[0] == metric}
            if own:
                yield at_s, own


def _reason(error: Exception) -> str:
    """An error in its own words, without the library's around them."""
    text = str(error)
    if isinstance(error, requests.Timeout):
        return "timed out"
    pattern = _API_ERROR if isinstance(error, PrometheusApiClientException) else _ERRNO
    found = pattern.search(text)
    return found[1] if found else text or type(error).__name__
