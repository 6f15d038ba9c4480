"""Four workers of one service behind one port, each with a metrics page of its own, answering in turn."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from genload import extensions

pytestmark = pytest.mark.processes
exposition: Any = extensions.load("monitors", "exposition")
WORKERS, BEFORE, MORE, ROUNDS = 4, 250, 19, 8
WAIT_S = 60.0
RUNNING = re.compile(r"http://127\.0\.0\.1:\d+")

APP = """
import os

from prometheus_client import Counter, Gauge, generate_latest

JOBS = Counter("jobs", "Requests that did something.")
Gauge("worker", "Its process id.").set(os.getpid())


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    if scope["path"] != "/metrics":
        JOBS.inc()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"connection", b"close")]})
    await send({"type": "http.response.body", "body": generate_latest()})
"""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[str]:
    """``uvicorn --workers 4``, on a port that the system chose; its URL once it answers."""
    (tmp_path / "worker_app.py").write_text(APP)
    words = [*("--workers", f"{WORKERS}", "--port", "0", "--app-dir", str(tmp_path)), "worker_app:app"]
    with (tmp_path / "uvicorn.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "uvicorn", *words], stdout=log, stderr=log)
    deadline_s = time.monotonic() + WAIT_S
    try:
        while not (found := RUNNING.search((tmp_path / "uvicorn.log").read_text())) or not _answers(found[0]):
            assert time.monotonic() < deadline_s, (tmp_path / "uvicorn.log").read_text()
            time.sleep(0.1)
        yield found[0]
    finally:
        process.terminate()
        process.wait(timeout=30)


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).status_code == 200
    except requests.ConnectionError:
        return False


def test_what_four_workers_counted_is_what_was_sent(service: str) -> None:
    seen: Counter[str] = Counter()

    class Telling:
        """The monitor's scraper, which tells whose pages came."""

        def __init__(self, scraper: Any) -> None:
            self._scraper = scraper

        def fetch(self, target: Any) -> Any:
            fetched = self._scraper.fetch(target)
            seen.update(line for line in fetched.text.splitlines() if line.startswith("worker "))
            return fetched

    def look_at_all() -> dict[str, float]:
        """Until each worker's page came so often that workers with one start, of which some are always there,
        are known apart; they answer in turns that nobody sets."""
        seen.clear()
        deadline_s = time.monotonic() + WAIT_S
        while len(seen) < WORKERS or min(seen.values()) < ROUNDS:
            values = dict(watching.sample())
            assert time.monotonic() < deadline_s, seen
        return values

    settings = exposition.Monitor.Settings(series={"prom.jobs": "jobs_total"})
    assert all(_answers(f"{service}/job") for _ in range(BEFORE))
    watching = exposition.Monitor(settings, service)
    watching.open()
    watching._scraper = Telling(watching._scraper)
    before = look_at_all()
    assert all(_answers(f"{service}/job") for _ in range(MORE))
    after = look_at_all()
    assert after["prom.jobs"] - before["prom.jobs"] == MORE
    assert (before["server.restarts"], after["server.restarts"]) == (0.0, 0.0)
    watching.close()
