"""Runs that are broken off from outside: killed, their disk full, their folder gone. What was written is
read, what is lost is told.
"""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from genload.runlog.reader import open_run

pytestmark = pytest.mark.processes

STEADY = "60s"  # far beyond what any of these tests waits


def folder_of(tmp_path: Path) -> Path:
    (folder,) = (tmp_path / "results").glob("*/short")
    return folder


def jobs_written(tmp_path: Path) -> int:
    files = list((tmp_path / "results").glob("*/short/requests.jsonl"))
    return files[0].read_bytes().count(b'"type":"JOB"') if files else 0


def events_of(tmp_path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in tmp_path.glob("results/*/short/events.jsonl"))


def reported(folder: Path) -> tuple[int, dict[str, Any]]:
    """Exit code and results of `genload report`."""
    command = [sys.executable, "-m", "genload", "report", str(folder.parent)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, json.loads((folder.parent / "results_short.json").read_text())


# Before the load, at its begin with no request written yet, and later, between two flushes.
KILLED_WHEN: dict[str, Callable[[Path], object]] = {
    "before": lambda folder: list(folder.glob("results/*/short/run.json")),
    "at its begin": lambda folder: b"load_started" in events_of(folder),
    "later": lambda folder: jobs_written(folder) >= 20,
}


def test_killed_at_any_moment_what_was_written_is_reported(
    testbed: Callable[..., Any],
    running: Callable[..., Any],
    wait_until: Callable[..., None],
    short_suite: Callable[..., str],
    tmp_path: Path,
) -> None:
    target = short_suite(duration=STEADY)

    def killed(when: str, process: Any, folder: Path) -> None:
        wait_until(lambda: KILLED_WHEN[when](folder), process)
        if when == "later":
            time.sleep(0.1)
        children = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        process.wait()
        # The monitors' process and the inspector end with it, though nobody tells them.
        assert children
        _, left = psutil.wait_procs(children, timeout=200)
        assert left == []
        what_was_written_is_reported(folder_of(folder), some=when == "later")

    with ThreadPoolExecutor(len(KILLED_WHEN)) as pool:
        ends = []
        for when in KILLED_WHEN:
            server, folder = testbed(service_time="100ms", slots=20), tmp_path / when
            process = running("--scenario", target, "-H", server.url, "--results", str(folder / "results"))
            ends.append(pool.submit(killed, when, process, folder))
        for end in ends:
            end.result()


def what_was_written_is_reported(folder: Path, *, some: bool) -> None:
    code, results = reported(folder)
    measured = [r for r in open_run(folder).requests() if r.operation and not r.warmup]
    assert code == 3
    assert results["verdict"]["valid"] is False
    assert "not_ended" in {reason["code"] for reason in results["verdict"]["reasons"]}
    assert results["total_requests"] == len(measured)
    assert results["successful_requests"] == sum(record.outcome == "ok" for record in measured)
    assert measured or not some


def test_a_full_disk_ends_the_run_and_tells_what_is_lost(
    testbed: Callable[..., Any],
    running: Callable[..., Any],
    wait_until: Callable[..., None],
    short_suite: Callable[..., str],
    tmp_path: Path,
) -> None:
    server = testbed(service_time="100ms", slots=20)
    process = running("--scenario", short_suite(duration=STEADY), "-H", server.url)
    wait_until(lambda: jobs_written(tmp_path) > 5, process)
    requests = folder_of(tmp_path) / "requests.jsonl"
    # No file of this process may grow from here on: to a writer the same as a disk without room.
    size = requests.stat().st_size
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, size))
    output, _ = process.communicate(timeout=200)
    assert process.returncode == 2, output
    told = [line for line in output.splitlines() if "lines are lost" in line]
    assert len(told) == 1 and "requests.jsonl cannot be written" in told[0], output
    assert "Traceback" not in output
    # What had been written stands, whole, and is never passed as a whole run.
    assert requests.stat().st_size == size
    code, results = reported(folder_of(tmp_path))
    assert code == 3
    assert {reason["code"] for reason in results["verdict"]["reasons"]} & {"not_recorded", "not_ended"}


def test_a_results_folder_that_vanishes_ends_the_run_with_one_line(
    testbed: Callable[..., Any],
    running: Callable[..., Any],
    wait_until: Callable[..., None],
    short_suite: Callable[..., str],
    tmp_path: Path,
) -> None:
    server, target = testbed(service_time="100ms", slots=20), short_suite(duration=STEADY)
    folders = [tmp_path / gone for gone in ("run directory", "results")]
    processes = [
        running("--scenario", target, "-H", server.url, "--results", str(folder / "results"))
        for folder in folders
    ]
    for folder, process in zip(folders, processes, strict=True):
        wait_until(lambda wanted=folder: jobs_written(wanted) > 5, process)
        shutil.rmtree(folder_of(folder) if folder.name == "run directory" else folder / "results")
    for folder, process in zip(folders, processes, strict=True):
        output, _ = process.communicate(timeout=200)
        assert process.returncode == 2, (folder.name, output)
        told = [line for line in output.splitlines() if "was deleted during the run" in line]
        assert len(told) == 1 and "lines are lost" in told[0], output
        assert "Traceback" not in output


def test_monitors_that_die_are_told_of(
    testbed: Callable[..., Any],
    running: Callable[..., Any],
    wait_until: Callable[..., None],
    short_suite: Callable[..., str],
    tmp_path: Path,
) -> None:
    server = testbed(service_time="100ms", slots=20)
    target = short_suite(duration="4s", criteria="quiet: host.cpu.mean < 200%")
    process = running("--scenario", target, "-H", server.url)
    wait_until(lambda: list((tmp_path / "results").glob("*/short/samples.jsonl")), process)
    (sampler,) = [
        child for child in psutil.Process(process.pid).children() if "genload.sampler" in str(child.cmdline())
    ]
    sampler.kill()
    output, _ = process.communicate(timeout=200)
    assert process.returncode == 3, output  # telemetry with holes decides nothing
    assert "the monitors' process ended by itself, code -9" in output
    _, results = reported(folder_of(tmp_path))
    assert any("the monitors' process ended" in notice for notice in results["notices"])
