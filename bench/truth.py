"""How far the records are from the truth: each job's measured duration against the testbed's own log of it.

The difference may be what polling cannot see (its bound stands in each record), 20 ms of work on both sides
of the wire, and the client's own scheduling lag; each line says whether it is, at the 95th percentile.

    python bench/truth.py [--time-scale 0.02] [--scenarios spike,peak]
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

ALLOWED_S = 0.020


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--time-scale", default="0.02")
    parser.add_argument("--scenarios", default="normal,peak,spike")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        truth_log = Path(folder) / "truth.jsonl"
        serve = ["--slots", "20", "--time-scale", options.time_scale, "--truth", str(truth_log)]
        with running(serve) as url:
            held = [
                _scenario(name, options.time_scale, url, Path(folder), truth_log)
                for name in options.scenarios.split(",")
            ]
    return 0 if all(held) else 1


def _scenario(name: str, time_scale: str, url: str, folder: Path, truth_log: Path) -> bool:
    results = folder / name
    command = [
        sys.executable,
        "-m",
        "genload",
        "run",
        f"demo/{name}",
        "--host",
        url,
        "--time-scale",
        time_scale,
    ]
    subprocess.run([*command, "--results", str(results)], capture_output=True, check=False)
    (document_path,) = results.glob("*/results_*.json")
    document = json.loads(document_path.read_text())
    truth = {row["job_id"]: row for row in map(json.loads, truth_log.read_text().splitlines())}
    jobs = [record for record in open_run(document_path.parent / name).requests() if record.operation]
    missing = [job.job_id for job in jobs if job.job_id not in truth]
    differences = np.array([_difference_s(job, truth[job.job_id]) for job in jobs if job.job_id in truth])
    bounds = np.array([job.numbers.get("poll_bound_s", 0.0) for job in jobs])
    lag_s = (document["client"]["lag_p99_ms"] or 0.0) / 1e3
    p50, p95, p99 = np.percentile(differences, (50, 95, 99)) * 1e3
    allowed_ms = (np.percentile(bounds, 95) + ALLOWED_S + lag_s) * 1e3
    held = bool(p95 <= allowed_ms and not missing and differences.min() >= 0)
    print(
        f"{name}: {len(jobs)} jobs, {len(missing)} not in the truth log; "
        f"record − truth p50 {p50:.1f} p95 {p95:.1f} p99 {p99:.1f} ms; "
        f"allowed at p95 {allowed_ms:.1f} ms: {'held' if held else 'NOT HELD'}"
    )
    return held


def _difference_s(job: Any, row: dict[str, Any]) -> float:
    """Measured duration less the server's own: from the upload's arrival to the last chunk's way out, less
    the time between the job's end and its download, in which only polling was waited for.
    """
    served_s = (row["end_s"] - row["upload_s"]) + (row["download_end_s"] - row["download_start_s"])
    return float(job.duration_s - served_s)


if __name__ == "__main__":
    sys.exit(main())
