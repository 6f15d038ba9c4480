"""The idle times around a load: memory's level before and after it, and nothing else that changes by them."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genload.runlog.reader import open_run
from genload.runlog.records import LoadEnded, LoadStarted, RunEnded

pytestmark = pytest.mark.processes
MIB = 2**20
MEMORY = "exposition: {{interval: {}, series: {{server.memory: process_resident_memory_bytes}}}}"


def times_of(folder: Path) -> tuple[float, float, float]:
    """When the load began and ended, and when the run did."""
    events = list(open_run(folder).events())
    begin, end, last = (
        next(event.t_s for event in events if isinstance(event, kind))
        for kind in (LoadStarted, LoadEnded, RunEnded)
    )
    return begin, end, last


def test_what_a_job_leaves_behind_is_the_change_of_the_idle_level(
    testbed: Callable[..., Any], run_genload: Callable[..., Any], short_suite: Callable[..., str]
) -> None:
    server = testbed(service_time="100ms", slots=20, fault=["memory-step=64MiB@2"])
    target = short_suite(duration="3s", monitors=MEMORY.format("300ms"))
    outcome = run_genload(target, "--host", server.url)
    assert outcome.code == 0, outcome.output

    result = outcome.result("short")
    level = result["trends"]["memory"][0]["level"]
    assert level["missing"] == ""
    assert min(level["before_samples"], level["after_samples"]) >= 3
    assert level["after"] - level["before"] == pytest.approx(64 * MIB, abs=16 * MIB)

    begin_s, end_s, last_s = times_of(outcome.suite_folder / "short")
    assert end_s - begin_s == pytest.approx(result["duration_seconds"])
    assert result["duration_seconds"] == pytest.approx(3.0)
    assert last_s - end_s > 0.9
    (monitor,) = result["monitors"]
    assert monitor["expected"] == 10  # of the load alone


def test_ctrl_c_in_the_last_idle_time_ends_it_and_the_verdict_stands(
    testbed: Callable[..., Any],
    running: Callable[..., subprocess.Popen[str]],
    wait_until: Callable[..., None],
    short_suite: Callable[..., str],
    tmp_path: Path,
) -> None:
    server = testbed(service_time="100ms", slots=20)
    target = short_suite(duration="1s", monitors=MEMORY.format("2s"))
    process = running("--scenario", target, "-H", server.url)

    def drained() -> bool:
        for file in (tmp_path / "results").glob("*/short/events.jsonl"):
            _, ended, after = file.read_text().partition('"load_ended"')
            return bool(ended) and '"in_flight":0' in after
        return False

    wait_until(drained, process)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=200)
    assert process.returncode == 0, output
    assert ": idle, users 0" in output
    (run,) = (tmp_path / "results").glob("*/short")
    _, end_s, last_s = times_of(run)
    assert last_s - end_s < 6.0, "three ticks of 2 s were waited for"
