"""A run of its own service, alone or with workers, for tests that let something happen to it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genload.runlog.reader import open_run
from genload.runlog.records import RequestRecord, WorkerLost

from ..flaky_link import Link
from ..listening import listening_port

SERVICE_S = 0.1


class Scene:
    """Three users of a testbed whose jobs take 100 ms, alone or on two workers.

    Attributes:
        link: by which the workers reach the master, where a test has put one there.
    """

    link: Link

    def __init__(
        self, server: Any, start: Callable[..., Any], target: Callable[..., str], folder: Path
    ) -> None:
        self.server, self._start, self._target, self._folder = server, start, target, folder
        self.workers: list[subprocess.Popen[str]] = []

    def begin(self, url: str = "", duration: str = "20s", **how: Any) -> None:
        """Alone.

        Args:
            how: it is started.
        """
        self.main = self._start("--headless", *self._options(url, duration), **how)
        self._wait_for_jobs()

    def begin_cluster(
        self, duration: str, by: Callable[[int], int] = lambda port: port, **first: Any
    ) -> None:
        """A master and two workers.

        Args:
            by: the port by which they reach it, from its own.
            first: how the first of them is started.
        """
        self.main = self._start(
            "--master", "--headless", "--master-bind-port", "0", "--expect-workers", "2",
            *self._options("", duration),
        )  # fmt: skip
        port = str(by(listening_port(self.main)))
        self.workers = [self._start("--worker", "--master-port", port, **each) for each in (first, {})]
        self._wait_for_jobs()

    def _options(self, url: str, duration: str) -> tuple[str, ...]:
        target = self._target(duration=duration, criteria="some: generate.attempted > 0")
        # That the machine does other things as well, and stands still for it, is no matter of these tests.
        bounds = "--set", "validity.lag_floor=60s", "--set", "validity.min_user_seconds=1%"
        return "--scenario", target, "-H", url or self.server.url, *bounds

    def _wait_for_jobs(self) -> None:
        deadline_s = time.monotonic() + 60
        while len(self.server.truth_records()) < 5:
            assert self.main.poll() is None, self.main.communicate()[0]
            assert time.monotonic() < deadline_s, "no job has ended"
            time.sleep(0.05)

    def go_on(self, seconds: float) -> None:
        """Let the run go on for so long."""
        until_s = time.monotonic() + seconds
        while time.monotonic() < until_s:
            assert self.main.poll() is None, self.main.communicate()[0]
            time.sleep(0.05)

    def end(self, within_s: float = 90.0) -> tuple[int, str]:
        """The exit code and everything that was printed; of one that does not end, what it had said."""
        try:
            output, _ = self.main.communicate(timeout=within_s)
        except subprocess.TimeoutExpired:
            self.main.kill()
            output, _ = self.main.communicate()
            pytest.fail(f"it did not end within {within_s:g} s: {output}")
        return self.main.returncode, output

    @property
    def run(self) -> Any:
        (folder,) = (self._folder / "results").glob("*/short")
        return open_run(folder)

    @property
    def jobs(self) -> list[RequestRecord]:
        return [record for record in self.run.requests() if record.operation]

    @property
    def jobs_without_a_record(self) -> list[dict[str, Any]]:
        """What the service says of the jobs that it knows and the records do not."""
        known = {job.job_id for job in self.jobs}
        return [row for row in self.server.truth_records() if row["job_id"] not in known]

    @property
    def without_a_record(self) -> int:
        return len(self.jobs_without_a_record)

    @property
    def run_began_s(self) -> float:
        """On the service's clock: no request came there before it was sent."""
        sent_s = {job.job_id: job.start_s for job in self.jobs}
        rows = [row for row in self.server.truth_records() if row["job_id"] in sent_s]
        return min(float(row["upload_s"]) - sent_s[row["job_id"]] for row in rows)

    @property
    def lost_workers(self) -> list[str]:
        return [event.source for event in self.run.events() if isinstance(event, WorkerLost)]
