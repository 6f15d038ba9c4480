"""Whether the service is there: a health probe all through the run."""

from __future__ import annotations

from collections.abc import Mapping
from http.client import HTTPException
from time import monotonic
from typing import Self

from pydantic import field_validator

from genload.exposition.scrape import Scraper, Target, reason, tls_context
from genload.monitor import Monitor as Base
from genload.monitor import MonitorError
from genload.settings.secrets import Headers, refuse_secret_in_url
from genload.settings.service import Service, Tls, asked_alike
from genload.settings.units import SamplingSeconds, TransportSeconds
from genload.settings.wing_models import MonitorSettings


class ReadinessSettings(MonitorSettings, extra="forbid"):
    """``readiness: {interval: 5s, path: /v1/models}``"""

    interval_s: SamplingSeconds = 5.0
    path: str = "/ready"
    """What is asked for on the service's host: a path, or the URL of another probe."""
    timeout_s: TransportSeconds = 4.0
    """The most that a probe may take. Less than the interval, so that a service that hangs is a 0 at every
    tick and not a hole at every second one."""
    headers: Headers = {}
    """Sent with each probe; secrets as ${env:NAME} or ${file:PATH}. Unless set, and for a path on it, the
    service's."""
    tls: Tls = Tls()

    def of_service(self, service: Service) -> Self:
        return asked_alike(self, service) if self.path.startswith("/") else self

    @field_validator("path")
    @classmethod
    def _path_or_url(cls, value: str) -> str:
        refuse_secret_in_url(value)
        if not value.startswith(("/", "http://", "https://", "${")):
            raise ValueError(f"'{value}' is no path such as /ready, and no URL")
        return value


class Monitor(Base):
    """Asks on a connection of its own each time, as a client would that has just come.

    ``service.up`` is 1 when the answer has status 200, else 0 with the reason beside it: its mean is the
    uptime as a share of time, its changes are the moments when the service went and came back.
    ``service.probe_duration`` runs from before the connect to the answer's last byte.
    """

    Settings = ReadinessSettings
    settings: ReadinessSettings
    metrics = ("service.up", "service.probe_duration")

    @property
    def source(self) -> str:
        path = self.settings.path
        return f"{self.host.rstrip('/')}{path}" if path.startswith("/") else path

    def open(self) -> None:
        """Nothing is connected here: a service that is down is a sample, not an error."""
        self._target = Target("", self.source)
        self._scraper = Scraper(
            timeout_s=self.settings.timeout_s,
            headers={"Accept": "*/*", **self.settings.headers},
            tls=tls_context(self.settings.tls),
            gzip=False,
        )

    def sample(self) -> Mapping[str, float]:
        begin_s = monotonic()
        try:
            self._scraper.fetch(self._target)
        except (OSError, HTTPException) as error:
            raise MonitorError(f"{self.source}: {reason(error)}", {"service.up": 0.0}) from error
        return {"service.up": 1.0, "service.probe_duration": monotonic() - begin_s}
