"""What a report of a million requests costs: wall and CPU time of `genload report`, which reads them in two
processes where there are two cores, and the memory of the larger one; first of plain lines, as a run is
judged at its end, and then of packed ones.

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

from parts.large_run import write_run

from genload.runlog.packing import pack

LIMIT_S, LIMIT_BYTES = 3.0, 310 * 10**6
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
        write_run(run, count)
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
