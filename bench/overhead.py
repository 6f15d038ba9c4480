"""What genload itself adds to every request, measured against a service that takes next to no time.

The testbed answers jobs in a few milliseconds; what the records say beyond the testbed's own log of
each job is
genload's: the error bars of every run on this machine. Also its scheduling lag, its CPU and its memory.

    python bench/overhead.py [--seconds 15] [--users 1,20,100]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from genload.commands.demo.testbed import running
from genload.runlog.reader import open_run
from genload.runlog.records import ClientHealth

SUITE = """
name: "null"
service: {{api: orfeas, timeout: 60s, poll: {{interval: 20ms}}}}
locustfile: generation3d
validity: {{lag_floor: 1s}}
scenarios:
  load:
    shape: {{kind: normal, users: {users}, duration: {seconds}s}}
    criteria: {{nothing_failed: generate.failed == 0}}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=15)
    parser.add_argument("--users", default="1,20,100")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        for users in map(int, options.users.split(",")):
            _measure(users, options.seconds, Path(name) / str(users))


def _measure(users: int, seconds: int, folder: Path) -> None:
    folder.mkdir()
    truth_log, suite = folder / "truth.jsonl", folder / "null.yaml"
    suite.write_text(SUITE.format(users=users, seconds=seconds))
    serve = ["--service-time", "5ms", "--slots", "1000", "--truth", str(truth_log)]
    with running(serve) as url:
        run = [sys.executable, "-m", "genload", "run", f"{suite}/load", "--host", url]
        subprocess.run([*run, "--results", str(folder / "r")], capture_output=True, check=False)
    (directory,) = (folder / "r").glob("*/load")
    truth = {row["job_id"]: row for row in map(json.loads, truth_log.read_text().splitlines())}
    _say(users, seconds, directory, truth)


def _say(users: int, seconds: int, directory: Path, truth: dict[str, dict[str, Any]]) -> None:
    log = open_run(directory)
    jobs = [record for record in log.requests() if record.operation and not record.warmup]
    own_ms = 1e3 * np.array([_own_s(job, truth[job.job_id]) for job in jobs if job.job_id in truth])
    health = [event for event in log.events() if isinstance(event, ClientHealth)]
    lags_ms = np.array([lag for event in health for lag in event.lags_ms])
    cpu_s = sum(event.cpu for event in health) / len(health) * seconds
    cpu_ms = 1e3 * cpu_s / len(jobs)
    rss_mib = max(event.rss_bytes for event in health) / 2**20
    own, lag = np.percentile(own_ms, (50, 99)), np.percentile(lags_ms, (50, 99))
    print(
        f"{users} users: {len(jobs) / seconds:.0f} jobs/s; a job's own share beyond its polls' bound: "
        f"p50 {own[0]:.1f} p99 {own[1]:.1f} ms; lag p50 {lag[0]:.2f} p99 {lag[1]:.2f} ms; "
        f"CPU {cpu_ms:.1f} ms a job; memory {rss_mib:.0f} MiB"
    )


def _own_s(job: Any, row: dict[str, Any]) -> float:
    served_s = (row["end_s"] - row["upload_s"]) + (row["download_end_s"] - row["download_start_s"])
    return float(job.duration_s - served_s - job.numbers["poll_bound_s"])


if __name__ == "__main__":
    main()
