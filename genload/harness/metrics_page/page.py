"""The page itself: served while a run goes on and for a while after it, written and pushed at its end."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit, urlunsplit

from gevent.event import Event
from gevent.pywsgi import WSGIServer
from prometheus_client import CollectorRegistry, generate_latest, push_to_gateway
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, basic_auth_handler, default_handler
from prometheus_client.openmetrics import exposition as openmetrics

from genload.errors import GenloadError, UsageError
from genload.harness.metrics_page.collector import RunCollector
from genload.harness.plan import RunPlan
from genload.harness.run import Run
from genload.outlets import Outlets
from genload.settings.secrets import hide, reveal

if TYPE_CHECKING:
    from genload.analysis.judged import JudgedRun

logger = logging.getLogger(__name__)

JOB = "genload"
PUSH_S = 10.0
"""The longest that a gateway has for its answer."""


class MetricsPage:
    """Shows one run after another; the last one stays until the next begins.

    Args:
        outlets: where it is served and pushed to.

    Attributes:
        url: where it is served; "" where it is only pushed.

    Raises:
        UsageError: nobody can listen there.
    """

    def __init__(self, outlets: Outlets) -> None:
        self._outlets = outlets
        self._registry = CollectorRegistry(auto_describe=False)
        self._collector: RunCollector | None = None
        self._enough = Event()  # set: the page need not stay any longer
        self.url = ""
        if outlets.metrics_port is not None:
            self.url = self._listen(outlets.metrics_host, outlets.metrics_port)

    def _listen(self, host: str, port: int) -> str:
        server = WSGIServer((host, port), self._answer, log=None)
        try:
            server.start()
        except OSError as error:
            raise UsageError(
                f"the metrics page cannot listen at {host}:{port}: {error.strerror}",
                remedy="name another --metrics-port, or 0 for a free one",
            ) from error
        shown = f"[{host}]" if ":" in host else host
        return f"http://{shown}:{server.server_port}/metrics"

    def _answer(self, environ: Mapping[str, str], start_response: Callable[..., Any]) -> list[bytes]:
        """OpenMetrics for who asks for it. Not the library's own answer, which packs the page and checks each
        letter of each name: that takes as long as everything else."""
        if environ["PATH_INFO"] != "/metrics":
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"see /metrics\n"]
        wanted = "application/openmetrics-text" in environ.get("HTTP_ACCEPT", "")
        kind = openmetrics.CONTENT_TYPE_LATEST if wanted else CONTENT_TYPE_PLAIN_0_0_4
        start_response("200 OK", [("Content-Type", kind)])
        return [self._text() if wanted else generate_latest(self._registry)]

    def _text(self) -> bytes:
        text: bytes = openmetrics.generate_latest(self._registry, escaping=openmetrics.ALLOWUTF8)
        return text

    def watched(self, plan: RunPlan) -> tuple[str, ...]:
        """The metrics of requests that it shows whatever the criteria name."""
        stages = plan.client_class.stages_of(plan.service.request)
        names = ("duration", "ttfa", *(f"stage.{stage}" for stage in stages))
        return tuple(f"{plan.client_class.operation}.{name}" for name in names)

    def began(self, run: Run, folder: Path) -> None:
        """From now on this run is shown.

        Args:
            folder: with its results.
        """
        if self._collector is not None:
            self._registry.unregister(self._collector)
        self._collector = RunCollector(run, folder.name)
        self._registry.register(self._collector)

    def judged(self, populations: Sequence[JudgedRun]) -> None:
        """The run that is shown has its verdict: that of each of its populations."""
        if self._collector is not None:
            self._collector.judged = populations

    def conclude(self, run: Run, folder: Path) -> None:
        """Write the page for the last time, beside the reports, and push it where that was asked for. What
        goes wrong is said, and changes no verdict."""
        name = run.plan.scenario_name
        try:
            (folder / f"metrics_{name}.txt").write_bytes(self._text())
        except OSError as error:
            logger.warning(f"the metrics could not be written: {error.strerror}")
        if self._outlets.push_url:
            self._push({"suite": run.plan.suite.name, "scenario": name})

    def _push(self, group: dict[str, str]) -> None:
        try:
            gateway, handler = _gateway(reveal(self._outlets.push_url))
            push_to_gateway(gateway, JOB, self._registry, group, timeout=PUSH_S, handler=handler)
        except (OSError, HTTPException, GenloadError) as error:
            logger.warning(hide(f"the metrics could not be pushed to {self._outlets.push_url}: {error}"))

    def linger(self) -> None:
        """Keep the page for as long as was asked for, or until `let_go`."""
        if self._collector is not None and self.url and self._outlets.linger_s:
            self._enough.wait(self._outlets.linger_s)

    def let_go(self) -> None:
        """Do not linger, or no longer."""
        self._enough.set()


def _gateway(url: str) -> tuple[str, Callable[..., Callable[[], None]]]:
    """Its URL without the user, and what sends to it."""
    parts = urlsplit(url)
    if parts.username is None:
        return url, default_handler
    user, password = unquote(parts.username), unquote(parts.password or "")

    def authenticated(url: str, method: str, timeout: float, headers: Any, data: bytes) -> Callable[[], None]:
        return basic_auth_handler(url, method, timeout, headers, data, user, password)

    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])), authenticated
