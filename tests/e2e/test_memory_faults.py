"""Memory that leaks, steps, fills a cache or stays, in whole runs: the criterion, and what it is called."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from ..busy_machine import LIMITS

pytestmark = [pytest.mark.processes, pytest.mark.faults]
SCALE = "0.02"
JOBS = 60

# What the testbed does, with the result of the criterion, and how reports call the course and say so.
FAULTS = {
    # It would be called a leak after ten minutes.
    "leak": (["memory-growth=1MiB"], "fail", "short", "grows, watched too short to say"),
    "step": ([f"memory-step=40MiB@{JOBS * 7 // 10}"], "fail", "step", "one step, level before and after it"),
    "cache": (["memory-fill=60MiB@10"], "fail", "filling", "grows and flattens, as a cache does that fills"),
    "flat": ([], "pass", None, ""),  # a little that really grows may be found in it
}

LEFT_MIB = {"leak": JOBS, "step": 40, "cache": 60}

SUITE: dict[str, Any] = {
    "service": {"api": "orfeas", "timeout": "300s", "poll": {"interval": "2s"}},
    "locustfile": "generation3d",
    "monitors": {"exposition": {"interval": "4s"}},
    "validity": {**LIMITS, "min_coverage": "1%"},
    "scenarios": {
        "load": {
            "shape": {"kind": "baseline", "users": 5, "iterations": JOBS},
            "criteria": {"memory_stable": "server.memory.growth < 5%"},
        }
    },
}


def test_a_leak_a_step_a_cache_and_flat_memory_are_told_apart(
    testbed: Callable[..., Any], running: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    suite = tmp_path / "memory.yaml"
    suite.write_text(yaml.safe_dump(SUITE))
    runs = {}
    for name, (
        faults,
        *_,
    ) in FAULTS.items():  # all at once: they wait for modelled jobs, and for nothing else
        server = testbed(service_time="30s", slots=20, time_scale=SCALE, fault=faults)
        results = ["--results", str(tmp_path / name)]
        scenario = ["--scenario", f"{suite}/load", "--time-scale", SCALE]
        runs[name] = running(*scenario, *results, "-H", server.url)
    for name, process in runs.items():
        output, _ = process.communicate(timeout=200)
        _, result, kind, words = FAULTS[name]
        assert process.returncode == (1 if result == "fail" else 0), output
        (folder,) = (tmp_path / name).iterdir()
        found = json.loads((folder / "results_load.json").read_text())
        (criterion,) = found["verdict"]["criteria"]
        (memory,) = found["trends"]["memory"]
        assert criterion["result"] == result, name
        assert criterion["bound"] is not None, "the evidence says how sure that is"
        if kind is None:
            assert criterion["evidence"] == "proven"
            assert memory["growth_high"] < 0.05
            continue
        assert memory["kind"] == kind
        assert words in (folder / "summary.md").read_text()
        # What stays is the same before and after, idle: what the faults left behind.
        left = memory["level"]["after"] - memory["level"]["before"]
        assert left == pytest.approx(LEFT_MIB[name] * 2**20, abs=10 * 2**20)
        if name == "leak":
            assert criterion["evidence"] == "proven"
        if name == "step":
            assert memory["step"] == pytest.approx(40 * 2**20, rel=0.1)
