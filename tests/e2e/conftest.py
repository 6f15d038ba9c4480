"""Whole runs with real processes: the testbed, Locust, the sampler."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from genload.runlog.reader import open_run
from genload.runlog.records import RequestRecord

ROOT = Path(__file__).resolve().parents[2]
LOCUSTFILE = ROOT / "locustfiles" / "generation3d.py"


@dataclass
class Outcome:
    """What a finished process left."""

    code: int
    output: str
    results: Path

    @property
    def suite_folder(self) -> Path:
        (folder,) = self.results.iterdir()
        return folder

    def result(self, scenario: str) -> dict[str, Any]:
        """results_<scenario>.json."""
        document: dict[str, Any] = json.loads((self.suite_folder / f"results_{scenario}.json").read_text())
        return document

    def requests(self, scenario: str) -> list[RequestRecord]:
        return list(open_run(self.suite_folder / scenario).requests())

    def jobs(self, scenario: str) -> list[RequestRecord]:
        return [record for record in self.requests(scenario) if record.operation]


Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONUNBUFFERED": "1", "COLUMNS": "160"}


@pytest.fixture
def start_locust(tmp_path: Path, environment: dict[str, str]) -> Start:
    """Start Locust with our locustfile; results go to tmp_path/results."""

    def start(*options: str) -> subprocess.Popen[str]:
        command = [
            sys.executable,
            "-m",
            "locust",
            "-f",
            str(LOCUSTFILE),
            "--results",
            str(tmp_path / "results"),
            *options,
        ]
        return subprocess.Popen(
            command,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=tmp_path,
            env=environment,
        )

    return start


@pytest.fixture
def run_locust(start_locust: Start, tmp_path: Path) -> Callable[..., Outcome]:
    """Run Locust headless to its end."""

    def run(*options: str, timeout_s: float = 90) -> Outcome:
        process = start_locust("--headless", *options)
        try:
            output, _ = process.communicate(timeout=timeout_s)
        finally:
            process.kill()
        return Outcome(process.returncode, output, tmp_path / "results")

    return run


@pytest.fixture
def run_genload(tmp_path: Path, environment: dict[str, str]) -> Callable[..., Outcome]:
    """Run `genload run` to its end."""

    def run(*arguments: str, timeout_s: float = 110) -> Outcome:
        command = [sys.executable, "-m", "genload", "run", *arguments, "--results", str(tmp_path / "results")]
        done = subprocess.run(
            command,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=tmp_path,
            env=environment,
            timeout=timeout_s,
        )
        return Outcome(done.returncode, done.stdout, tmp_path / "results")

    return run
