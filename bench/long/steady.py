"""Hours at a steady rate: does the load generator's own memory stay flat?

Runs 20 users against a fast testbed. Exit code 1 when the memory of the load generator, its sampler and
inspector included, was more than 5 % higher at the end than after the start.

    python bench/long/steady.py [--hours 2]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from memory_level import stayed_flat

from genload.commands.demo.testbed import running

SUITE = """
name: soak
service: {{api: orfeas, timeout: 60s, poll: {{interval: 100ms}}}}
locustfile: generation3d
monitors: {{host: {{interval: 5s}}, exposition: {{interval: 10s}}}}
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
        return 0 if stayed_flat(directory, "steady") else 1


if __name__ == "__main__":
    sys.exit(main())
