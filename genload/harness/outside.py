"""Who hears of a run besides its directory: a page of metrics, a gateway, a receiver of traces."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from genload.harness.plan import RunPlan
from genload.harness.run import Run
from genload.outlets import Outlets

if TYPE_CHECKING:
    from genload.analysis.judged import JudgedRun
    from genload.harness.metrics_page import MetricsPage
    from genload.tracing import Tracing


class Outside:
    """Tells them of one run after another; nobody, and at no cost, unless it was asked for.

    Raises:
        UsageError: nobody can listen where the page is to be.
    """

    def __init__(self, outlets: Outlets) -> None:
        self._traces = outlets.traces
        self._tracing: Tracing | None = None
        self._page: MetricsPage | None = None
        if outlets.has_metrics:
            from genload.harness.metrics_page import MetricsPage  # only where there is one

            self._page = MetricsPage(outlets)
            if self._page.url:
                print(f"metrics: {self._page.url}", file=sys.stderr, flush=True)

    @property
    def wants_verdict(self) -> bool:
        """Whether anybody is to hear the verdict, too."""
        return self._page is not None

    def watched(self, plan: RunPlan) -> tuple[str, ...]:
        """The metrics of requests that are told whatever the criteria name."""
        return () if self._page is None else self._page.watched(plan)

    def began(self, run: Run, folder: Path) -> None:
        """From now on it is told of this run, whose results are in `folder`."""
        if self._page is not None:
            self._page.began(run, folder)
        if self._traces:
            from genload.tracing import start_tracing  # only where there are traces

            self._tracing = start_tracing(run.folder)

    def recorded(self, notice: Callable[[str, str], None]) -> None:
        """All records are written. What was not sent of them is said, and is no matter of the verdict.

        Args:
            notice: takes a code, and what whoever watches and whoever reads the report should know.
        """
        if self._tracing is None:
            return
        sent, self._tracing = self._tracing.stop(), None
        if sent.reason:
            lost = f"{sent.lost} of {sent.lost + sent.sent}" if sent.lost else "some or all of the"
            receiver = "OTEL_EXPORTER_OTLP_ENDPOINT says where to"
            notice("traces", f"traces: {lost} spans were not sent ({receiver}): {sent.reason}")

    def judged(self, populations: Sequence[JudgedRun]) -> None:
        """The run has its verdict: that of each of its populations."""
        if self._page is not None:
            self._page.judged(populations)

    def concluded(self, run: Run, folder: Path) -> None:
        """It is over, with or without a verdict; one that was refused has no folder any more."""
        if self._page is not None and run.folder.exists():
            self._page.conclude(run, folder)

    def linger(self) -> None:
        """Stay for as long as was asked for, or until `let_go`."""
        if self._page is not None:
            self._page.linger()

    def let_go(self) -> None:
        """Do not linger, or no longer."""
        if self._page is not None:
            self._page.let_go()
