"""Hours at a steady rate: does the load generator's own memory stay flat?

Runs 20 users against a fast testbed, then compares the client's resident memory in the last tenth of the
load with that in the second (the first holds start-up). Exit code 1 when it grew by more than 5 %.

    python bench/long/steady.py [--hours 2]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from genload.commands._testbed import running
from genload.runlog.reader import open_run
from genload.runlog.records import ClientHealth

LIMIT = 0.05
SUITE = """
name: soak
service: {{api: orfeas, timeout: 60s, poll: {{interval: 100ms}}}}
locustfile: generation3d
monitors: {{host: {{interval: 10s}}, exposition: {{interval: 10s}}}}
scenarios:
  steady:
    shape: {{kind: sustained, users: 20, duration: {seconds}s}}
    criteria: {{nothing_failed: generate.failed == 0}}
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hours", type=float, default=2.0)
    seconds = round(parser.parse_args().hours * 3600)
    with tempfile.TemporaryDirectory() as name:
        suite = Path(name) / "soak.yaml"
        suite.write_text(SUITE.format(seconds=seconds))
        with running(["--slots", "20", "--service-time", "1s"]) as url:
            run = [sys.executable, "-m", "genload", "run", f"{suite}/steady", "--host", url]
            subprocess.run([*run, "--results", name], check=False)
        (directory,) = Path(name).glob("*/steady")
        return _judge(directory)


def _judge(directory: Path) -> int:
    log = open_run(directory)
    rss_bytes = [event.rss_bytes for event in log.events() if isinstance(event, ClientHealth)]
    tenth = len(rss_bytes) // 10
    levels = [median(rss_bytes[i * tenth : (i + 1) * tenth]) / 2**20 for i in range(10)]
    growth = levels[-1] / levels[1] - 1
    print("client memory by tenths of the run, MiB: " + " ".join(f"{level:.1f}" for level in levels))
    print(f"growth from the second to the last: {growth:+.2%} (limit {LIMIT:.0%})")
    return 0 if growth <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
