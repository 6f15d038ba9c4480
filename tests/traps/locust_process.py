"""Real Locust processes that run a suite of one short scenario."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genload.runlog.reader import RunLog, open_run
from genload.runlog.records import RequestRecord

ROOT = Path(__file__).resolve().parents[2]
LOCUSTFILE = ROOT / "locustfiles" / "generation3d.py"
LOCUST_TIMEOUT_S = 90.0


@dataclass(frozen=True)
class Finished:
    """What a run left."""

    code: int
    words: str
    folder: Path

    @property
    def log(self) -> RunLog:
        (header,) = self.folder.glob("results/*/*/run.json")
        return open_run(header.parent)

    @property
    def result(self) -> dict[str, Any]:
        (path,) = self.folder.glob("results/*/results_*.json")
        document: dict[str, Any] = json.loads(path.read_text())
        return document

    def jobs(self) -> list[RequestRecord]:
        return [record for record in self.log.requests() if record.operation]


def locust(folder: Path, *options: str, program: Sequence[str] = ()) -> subprocess.Popen[str]:
    """A Locust process with our locustfile, whose results go into the folder; or `program` there."""
    command = [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "--results", str(folder / "results")]
    return subprocess.Popen(
        [*(program or command), *options],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=folder,
        env={**os.environ, "PYTHONUNBUFFERED": "1", "COLUMNS": "160"},
    )


def finished(process: subprocess.Popen[str], folder: Path, timeout_s: float = LOCUST_TIMEOUT_S) -> Finished:
    try:
        words, _ = process.communicate(timeout=timeout_s)
    finally:
        process.kill()
    return Finished(process.returncode, words, folder)
