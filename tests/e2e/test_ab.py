"""Two real services in turns: the one that is slower is found, each of six runs a real Locust process."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ..busy_machine import VALIDITY

pytestmark = pytest.mark.processes

SUITE = (
    f"validity: {VALIDITY}\n"
    + """\
service: {api: orfeas, poll: {interval: 20ms}}
locustfile: generation3d
settle: {pause: 50ms}
watch_idle: 0s
scenarios:
  short:
    shape: {kind: sequential, requests: 5}
    warmup: {jobs: 0}
    criteria: {all_good: generate.failed == 0}
"""
)


def test_a_slower_build_is_found(
    testbed: Callable[..., Any], tmp_path: Path, environment: dict[str, str]
) -> None:
    (tmp_path / "own.yaml").write_text(SUITE, encoding="utf-8")
    base, new = (testbed(service_time=each, spread="0") for each in ("100ms", "500ms"))
    words = ["ab", "own.yaml/short", "--base", base.url, "--new", new.url, "--rounds", "3", "--seed", "1"]
    done = subprocess.run(
        [sys.executable, "-m", "genload", *words],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=tmp_path,
        env=environment,
        timeout=280,
    )
    assert done.returncode == 1, done.stdout
    (folder,) = (tmp_path / "results").iterdir()
    record = json.loads((folder / "rounds.json").read_text())
    assert [(run["side"], run["counts"]) for run in record["runs"]] == [
        (side, True) for side in ("base", "new", "new", "base", "base", "new")
    ]
    [compared] = json.loads((folder / "compare.json").read_text())["scenarios"]
    assert compared["verdict"] == "regression" and compared["rounds"]
    [mean] = [m for m in compared["metrics"] if m["metric"] == "generate.duration.mean"]
    assert mean["shift"]["value"] > 0.2
    assert "round 3 of 3: new" in done.stdout
