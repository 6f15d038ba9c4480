"""What a report of a million requests costs: wall and CPU time and memory of `genload report`, in a process
of its own; first of plain lines, as a run is judged at its end, and then of packed ones.

The run directory is made here, with the real writer: one operation, failures in it. Of report.html its size,
and where playwright and Chromium are installed how long the browser takes to open it and to scroll to its
end, by its own clock.

    python bench/report.py [--requests 1000000]
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from genload.harness.header import run_header
from genload.harness.plan import make_plan
from genload.runlog.packing import pack
from genload.runlog.records import LoadEnded, LoadStarted, RequestRecord, RunEnded, RunStarted, Users
from genload.runlog.writer import RunWriter
from genload.targets import RunRequest

FLUSH_EVERY = 10_000
LIMIT_S, LIMIT_BYTES = 12.0, 4 * 10**8
PAGE_BYTES, PAGE_OPENS_S = 5 * 10**6, 2.0
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SCROLLED = """new Promise((done) => {
    const began = performance.now();
    scrollTo(0, document.documentElement.scrollHeight);
    requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - began)));
})"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=1_000_000)
    count = parser.parse_args().requests
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "normal"
        began_s = time.monotonic()
        _write_run(run, count)
        print(f"{count:,} requests written in {time.monotonic() - began_s:.1f} s, {_size(run)}")
        held = _report("plain lines", run)
        began_s = time.process_time()
        pack(run)
        print(f"packed in {time.process_time() - began_s:.1f} s of CPU, {_size(run)}")
        held = _report("packed", run) and held
        held = _page(run / "report.html") and held
    return 0 if held else 1


def _size(folder: Path) -> str:
    return f"{sum(path.stat().st_size for path in folder.iterdir() if path.is_file()) / 1e6:.0f} MB"


def _write_run(folder: Path, count: int) -> None:
    plan = make_plan(RunRequest(("orfeas/normal",)))
    writer = RunWriter(folder)
    writer.header(run_header(plan, "2026-01-01T00:00:00.000+00:00"))
    writer.event(RunStarted(t_s=0.0, wall_time="2026-01-01T00:00:00.000+00:00"))
    writer.event(LoadStarted(t_s=0.0))
    length_s = plan.timeline.duration_s
    rng = np.random.default_rng(1)
    starts = np.sort(rng.uniform(0, length_s, count))
    durations = rng.lognormal(0.0, 0.3, count)
    failed = rng.random(count) < 0.001
    for n in range(count):
        writer.request(_record(rng, n, float(starts[n]), float(durations[n]), bool(failed[n])))
        if n % FLUSH_EVERY == 0:
            writer.flush()
    for second in range(int(length_s)):
        writer.event(Users(t_s=float(second), target=3, working=3, in_flight=3, leaving=0))
    writer.event(LoadEnded(t_s=length_s))
    writer.event(RunEnded(t_s=length_s + 10, records={"local": count}))
    writer.close()


def _record(
    rng: np.random.Generator, n: int, start_s: float, duration_s: float, failed: bool
) -> RequestRecord:
    some_s = rng.uniform(0.0, 0.01, 4).tolist()
    stages = dict(zip(("connect", "upload", "accept", "download"), some_s, strict=True)) | {"queue": 0.0}
    return RequestRecord(
        source="local",
        n=n,
        name="generate",
        operation="generate",
        type="JOB",
        request_id=rng.bytes(16).hex(),
        job_id=rng.bytes(16).hex(),
        phase="steady",
        start_s=start_s,
        duration_s=duration_s,
        outcome="failed" if failed else "ok",
        error_class="job_failed" if failed else "",
        error="out of memory" if failed else "",
        status=200,
        stages=stages | {"run": duration_s - sum(stages.values())},
        numbers={"attempts": 1.0, "rejections": 0.0, "polls": 40.0, "poll_bound_s": 0.1, "faces": 5000.0},
    )


def _report(what: str, run: Path) -> bool:
    """Whether the limits are held."""
    began_s = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "genload", "report", str(run)], stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    wall_s, cpu_s = time.monotonic() - began_s, usage.ru_utime + usage.ru_stime
    peak_bytes = usage.ru_maxrss * 1024
    held = wall_s < LIMIT_S and peak_bytes < LIMIT_BYTES
    print(
        f"genload report of {what}: {wall_s:.1f} s (limit {LIMIT_S:.0f}; CPU {cpu_s:.1f} s), "
        f"{peak_bytes / 1e6:.0f} MB (limit {LIMIT_BYTES / 1e6:.0f}), "
        f"exit code {os.waitstatus_to_exitcode(status)}: {'held' if held else 'NOT HELD'}"
    )
    return held


def _page(page: Path) -> bool:
    """Whether report.html is small, and opens and scrolls at once."""
    size_bytes = page.stat().st_size
    held = size_bytes <= PAGE_BYTES
    said = "held" if held else "NOT HELD"
    print(f"report.html: {size_bytes / 1e6:.2f} MB (limit {PAGE_BYTES / 1e6:.0f}): {said}")
    browser_path = next(filter(None, map(shutil.which, BROWSERS)), None)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        browser_path = None
    if browser_path is None:
        print("not opened: that takes playwright and Chromium")
        return held
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        opened = browser.new_page()
        opened.goto(page.as_uri())
        paint = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
        load = "performance.getEntriesByType('navigation')[0].loadEventEnd"
        while not opened.evaluate("performance.getEntriesByName('first-contentful-paint').length"):
            opened.wait_for_timeout(20)  # not `wait_for_function`: the page's policy lets no text be run
        painted_s, loaded_s, scrolled_s = (opened.evaluate(each) / 1000 for each in (paint, load, SCROLLED))
        browser.close()
    quick = max(painted_s, loaded_s) + scrolled_s <= PAGE_OPENS_S
    print(
        f"painted after {painted_s:.2f} s, loaded after {loaded_s:.2f} s, scrolled in {scrolled_s:.2f} s "
        f"(limit {PAGE_OPENS_S:.0f} s together): {'held' if quick else 'NOT HELD'}"
    )
    return held and quick


if __name__ == "__main__":
    sys.exit(main())
