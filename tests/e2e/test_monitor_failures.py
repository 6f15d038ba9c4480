"""Monitors that fail in the middle of a load: the run goes on to its verdict, each report names what is
missing, and nothing passes that was not seen.
"""

from __future__ import annotations

import json
import re
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from genload.runlog.records import Sample

from ..monitors.fake_driver import NVML, FakeNvml, build_nvml
from ..monitors.real_prometheus import INTERVAL_S, Prometheus
from ..scripted_server import Call, Reply, served

pytestmark = [pytest.mark.processes, pytest.mark.faults]
MUST = "all_good: generate.failed == 0"
MEMORY = 10**8
Finished = tuple[dict[str, Any], str, str]
"""The results file, the summary for people, and what the terminal showed."""


@pytest.fixture
def finish(tmp_path: Path) -> Callable[[subprocess.Popen[str]], Finished]:
    """Wait for a run whose `must` criterion holds whatever its monitors did; its reports."""

    def wait(process: subprocess.Popen[str]) -> Finished:
        output, _ = process.communicate(timeout=200)
        assert process.returncode == 0, output
        assert "Traceback" not in output
        (folder,) = (tmp_path / "results").iterdir()
        results = json.loads((folder / "results_short.json").read_text())
        assert (results["verdict"]["result"], results["verdict"]["valid"]) == ("pass", True)
        return results, (folder / "summary.md").read_text(), output

    return wait


@pytest.fixture
def samples(tmp_path: Path) -> Callable[[str], list[Sample]]:
    """The samples so far of one monitor in the run that goes on."""

    def read(monitor: str) -> list[Sample]:
        content = b"".join(file.read_bytes() for file in (tmp_path / "results").glob("*/short/samples.jsonl"))
        whole = msgspec.json.Decoder(Sample).decode_lines(content[: content.rfind(b"\n") + 1])
        return [sample for sample in whole if sample.monitor == monitor]

    return read


@pytest.fixture
def load_began(tmp_path: Path) -> Callable[[], bool]:
    def began() -> bool:
        events = (tmp_path / "results").glob("*/short/events.jsonl")
        return any("load_started" in file.read_text() for file in events)

    return began


def told(samples: list[Sample]) -> bool:
    """Whether the newest sample has values."""
    return any(sample.values for sample in samples[-1:])


def criterion(results: dict[str, Any], name: str) -> dict[str, Any]:
    (row,) = (row for row in results["verdict"]["criteria"] if row["name"] == name)
    return dict(row)


def monitor_of(finished: Finished, name: str, words: str) -> dict[str, Any]:
    """One monitor's summary; the three reports say that it lacks ticks, and `words` of why."""
    results, summary, output = finished
    (row,) = (row for row in results["monitors"] if row["monitor"] == name)
    assert re.search(words, row["last_error"])
    ticks = f"{name}: {row['came']} of {row['expected']} ticks, {row['errors']} with an error"
    assert f"- {ticks}" in summary
    assert f"monitor: {ticks}" in " ".join(output.split())
    return dict(row)


def test_a_prometheus_that_is_killed_and_started_again(
    prometheus: str,
    testbed: Callable[..., Any],
    running: Callable[..., subprocess.Popen[str]],
    wait_until: Callable[..., None],
    short_suite: Callable[..., str],
    samples: Callable[[str], list[Sample]],
    load_began: Callable[[], bool],
    finish: Callable[..., Finished],
    environment: dict[str, str],
    tmp_path: Path,
) -> None:
    environment["PROMETHEUS_PASSWORD"] = "test"  # noqa: S105
    service = testbed(service_time="100ms", slots=20)
    folder = tmp_path / "prometheus"
    folder.mkdir()
    there = Prometheus(prometheus, folder, {"service": service.url.removeprefix("http://")})
    there.start()
    try:
        target = short_suite(
            duration="9s",
            criteria=f"{MUST}, memory_known: {{must: false, holds: server.memory.mean > 0}}",
            monitors=f"prometheus: {{interval: {INTERVAL_S}s, url: '{there.url}', "
            f"tls: {{ca_file: '{there.authority.file}'}}, "
            "basic_auth: {username: admin, password: '${env:PROMETHEUS_PASSWORD}'}, "
            "queries: {server.memory: process_resident_memory_bytes}}",
        )
        process = running("--scenario", target, "-H", service.url)
        wait_until(lambda: load_began() and told(samples("prometheus")), process)
        there.kill()
        wait_until(lambda: sum(bool(sample.error) for sample in samples("prometheus")) >= 5, process)
        there.start()
        finished = finish(process)
    finally:
        there.kill()

    # Where it was not back in time, the end found nobody to ask.
    monitor = monitor_of(finished, "prometheus", "nothing was scraped|at the end: Connection refused")
    assert 0 < monitor["came"] < monitor["expected"] - 3
    judged = criterion(finished[0], "memory_known")
    assert judged["result"] == "inconclusive"
    assert f"{monitor['came']} of {monitor['expected']} ticks came" in judged["needs"]


# --- a page of its own, which a test writes

Page = Callable[[float], str]
"""What the page says, given for how many seconds the load has been going on; below 0 before it. "": it is not
there."""


@pytest.fixture
def load_with(
    testbed: Callable[..., Any],
    running: Callable[..., subprocess.Popen[str]],
    short_suite: Callable[..., str],
    load_began: Callable[[], bool],
    finish: Callable[..., Finished],
) -> Callable[..., Finished]:
    """Run a load beside such a page; its reports."""

    def load(
        page: Page,
        criteria: str,
        *,
        service: Any = None,
        exposition: str = "",
        more: str = "",
        duration: str = "4s",
    ) -> Finished:
        began_s = float("inf")

        def metrics(call: Call) -> Reply:
            nonlocal began_s
            if began_s == float("inf") and load_began():
                began_s = time.monotonic()
            text = page(time.monotonic() - began_s)
            return Reply(200 if text else 503, text.encode(), "text/plain")

        with served(metrics) as url:
            target = short_suite(
                duration=duration,
                criteria=f"{MUST}, {criteria}",
                monitors=f"exposition: {{url: '{url}/metrics', {exposition}}}",
                more=more,
            )
            host = (service or testbed(service_time="100ms", slots=20)).url
            # A busy machine misses ticks of its own, which decide nothing here.
            return finish(running("--scenario", target, "-H", host, "--set", "validity.min_coverage=60%"))

    return load


def test_a_page_that_hangs_from_some_moment_on(load_with: Callable[..., Finished]) -> None:
    ended = threading.Event()

    def page(into_s: float) -> str:
        if into_s > 1:
            ended.wait(60)
        return f"process_resident_memory_bytes {MEMORY}\n"

    try:
        finished = load_with(
            page,
            "memory_small: {must: false, holds: server.memory.max < 1GiB}, "
            "page_there: {must: false, holds: server.up.min == 1}",
            exposition="interval: 200ms, timeout: 150ms",
        )
    finally:
        ended.set()
    monitor = monitor_of(finished, "exposition", "did not answer within")
    assert monitor["errors"] > 3
    memory = criterion(finished[0], "memory_small")
    assert memory["result"] == "inconclusive"
    assert "ticks came" in memory["needs"]
    # That there was no page is a number, and a page that hangs is none that is there.
    page_there = criterion(finished[0], "page_there")
    assert (page_there["result"], page_there["value"]) == ("fail", 0)
    (series,) = [row for row in finished[0]["series"] if row["metric"] == "server.memory"]
    assert 0 < series["coverage"] < 0.6
    (trend,) = finished[0]["trends"]["memory"]
    assert trend["kind"] is None
    assert "samples came" in trend["missing"]
    assert "0 after the load" in trend["level"]["missing"]


def test_an_exporter_that_comes_and_goes(load_with: Callable[..., Finished]) -> None:
    """Half a second there, half a second not: what it did not say is not made up."""
    finished = load_with(
        lambda into_s: f"process_resident_memory_bytes {MEMORY}\n" if into_s < 0 or into_s % 1 < 0.5 else "",
        "memory_small: {must: false, holds: server.memory.max < 1GiB}, "
        "page_there: {must: false, holds: server.up.min == 1}",
        exposition="interval: 100ms",
    )
    monitor = monitor_of(finished, "exposition", "503")
    assert monitor["errors"] > 3 and monitor["came"] > 3
    memory = criterion(finished[0], "memory_small")
    assert memory["result"] == "inconclusive" and "ticks came" in memory["needs"]
    (series,) = [row for row in finished[0]["series"] if row["metric"] == "server.memory"]
    assert 0 < series["coverage"] < 0.9
    page_there = criterion(finished[0], "page_there")
    assert (page_there["result"], page_there["value"]) == ("fail", 0)


def test_ten_megabytes_of_metrics(load_with: Callable[..., Finished]) -> None:
    line = 'requests_bucket{{endpoint="/api/generate-3d/{0}",le="{0}"}} {0}\n'
    large = "".join(line.format(number) for number in range(180_000))
    large += f"process_resident_memory_bytes {MEMORY}\n"
    assert len(large) > 10 * 10**6
    results, _, output = load_with(
        lambda into_s: large,
        "memory_small: {must: false, holds: server.memory.max < 1GiB}",
        exposition="interval: 1s, gzip: false",
    )
    judged = criterion(results, "memory_small")
    assert (judged["result"], judged["value"], judged["evidence"]) == ("pass", MEMORY, "exact")
    (monitor,) = results["monitors"]
    assert (monitor["errors"], monitor["last_error"], monitor["hung"]) == (0, "", False)
    assert "monitor:" not in output


COUNTER = re.compile(r'(orfeas_requests_total{[^}]*/api/generate-3d",[^}]*status="200"[^}]*}) (\S+)')
START_TIME = re.compile(r"^process_start_time_seconds \S+", re.MULTILINE)


def test_a_counter_that_is_reset(testbed: Callable[..., Any], load_with: Callable[..., Finished]) -> None:
    service = testbed(service_time="100ms", slots=20)
    last, before = 0.0, 0.0

    def page(into_s: float) -> str:
        """The service's own; from some jobs on, as if it had begun anew just after the page before."""
        nonlocal last, before
        with urllib.request.urlopen(f"{service.url}/metrics") as answer:  # noqa: S310  our own http URL
            text = answer.read().decode()
        found = COUNTER.search(text)
        count = float(found[2]) if found else 0.0
        before = before or (last if into_s > 0 and count > last > 1 else 0.0)
        if before:
            text = START_TIME.sub("process_start_time_seconds 3e9", text)
        last = count
        return COUNTER.sub(lambda match: f"{match[1]} {count - before}", text)

    results, summary, output = load_with(
        page,
        "stayed_up: {must: false, holds: server.restarts.max == 0}",
        service=service,
        exposition="interval: 200ms, series: {server.memory: process_resident_memory_bytes, "
        """prom.accepted: 'orfeas_requests_total{endpoint="/api/generate-3d", status="200"}'}""",
        more="reconcile: {accepted: prom.accepted}",
        duration="8s",  # the first mesh of a busy machine is looked into for seconds
    )
    assert last > before > 0
    judged = criterion(results, "stayed_up")
    assert (judged["result"], judged["value"], judged["evidence"]) == ("fail", 1, "exact")
    assert any("restarted once" in notice for notice in results["notices"])
    assert "restarted once" in summary
    assert "restarted once" in " ".join(output.split())
    (accepted,) = results["reconciliation"]
    assert (accepted["result"], accepted["meaning"]) == ("equal", [])
    assert accepted["server"] == pytest.approx(last, abs=1)
    assert accepted["server"] > last - before, "what was counted before the reset is in it"


def test_a_driver_that_is_lost(
    c_compiler: str,
    testbed: Callable[..., Any],
    running: Callable[..., subprocess.Popen[str]],
    wait_until: Callable[..., None],
    short_suite: Callable[..., str],
    samples: Callable[[str], list[Sample]],
    load_began: Callable[[], bool],
    finish: Callable[..., Finished],
    environment: dict[str, str],
    tmp_path: Path,
) -> None:
    driver = tmp_path / "driver"
    driver.mkdir()
    fake = FakeNvml(build_nvml(c_compiler, driver), driver / "answers")
    assert fake.library.name == NVML
    environment.update(fake.environment)
    board = {"name": "NVIDIA L4", "memory_total": 24 * 2**30, "memory_reserved": 0, "memory_free": 20 * 2**30}
    answers = {**board, "power": 71_500, "utilisation": 40, "memory_utilisation": 5}
    fake.tell(["count 1", "driver 580.65.06", *(f"0.{name} {value}" for name, value in answers.items())])

    server = testbed(service_time="100ms", slots=20)
    target = short_suite(
        duration="4s",
        criteria=f"{MUST}, gpu_memory_stable: {{must: false, holds: gpu.memory_used.growth < 10%}}",
        monitors="gpu: {interval: 100ms}",
    )
    process = running("--scenario", target, "-H", server.url)
    wait_until(lambda: load_began() and told(samples("gpu")), process)
    before = len(samples("gpu"))
    wait_until(lambda: len(samples("gpu")) >= before + 10, process)
    fake.tell(["init !9", *(f"0.{name} !15" for name in answers)])
    finished = finish(process)

    monitor = monitor_of(finished, "gpu", "the NVIDIA driver does not answer")
    assert 0 < monitor["came"] < 0.9 * monitor["expected"]
    results = finished[0]
    judged = criterion(results, "gpu_memory_stable")
    assert judged["result"] == "inconclusive"
    assert f"{monitor['came']} of {monitor['expected']} ticks came from NVML" in judged["needs"]
    (trend,) = results["trends"]["memory"]
    assert (trend["metric"], trend["kind"], trend["level"]["after"]) == ("gpu.memory_used", None, None)
    assert results["identity"]["gpu.model{gpu=0}"] == "NVIDIA L4"
    assert "energy" not in results.get("efficiency", {})
