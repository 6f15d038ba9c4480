"""What each part of a whole speech request costs: the user as it is against the user without that part.

One real `locust -f … --scenario …` process (`parts/ablated.py`) on one core, against the server of
`whole.py` on another; nothing is decoded. The parts are taken away in turn, each for a few hundred requests,
beside as many whole ones: a pair lies within a second or two, so that other work on the machine falls on
both. Printed are medians of the differences in µs of CPU, with their quartiles. What is left when all but
the floor is gone is what gevent, a socket and a parser need. Parts overlap, and what a part throws out of
the caches is its own as well: they need not add up. At last what tells others of the run is switched on in
the same way (a page of metrics, traces), beside two looks at the same: what those differ by is noise.

    python bench/ablation.py [--turns N] [--users N]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from parts.answers import answers
from parts.genload_commands import speech
from parts.outside import started
from parts.rounds import two_cores


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--turns", type=int, default=20)
    parser.add_argument("--users", type=int, default=64)
    arguments = parser.parse_args()
    core, other_core = two_cores()
    with tempfile.TemporaryDirectory() as name, answers(other_core, Path(name)) as server:
        folder, out = Path(name), Path(name) / "found.json"
        os.environ.update(ABLATION_OUT=str(out), ABLATION_TURNS=str(arguments.turns))
        commands = speech("off", 0, server.host, folder, arguments.users, "bench/parts/ablated.py")
        with started(commands, str(core), folder) as (process,):
            while not out.exists():
                if process.poll() is not None:
                    sys.exit("the users have ended too early")
                time.sleep(0.2)
        report(json.loads(out.read_text()))


def report(found: dict[str, Any]) -> None:
    pairs = found["parts"]
    wholes = [us for values in pairs.values() for us, _ in values]
    print(f"a whole request: {median(wholes):.0f} µs of CPU")
    for name, values in pairs.items():
        alone = name.startswith("all but")
        sizes = [less if alone else us - less for us, less in values]
        low, middle, high = quantiles(sizes, n=4)
        print(
            f"  {name.replace('all but ', ''):42} {middle:6.1f}   (half of the turns {low:.1f} to {high:.1f})"
        )
    imported = ", ".join(found["imported"]) or "nothing"
    print(f"without a page of metrics, a gateway or traces, of their code {imported} was imported; with")
    for name, values in found["outlets"].items():
        low, middle, high = quantiles([more - us for us, more in values], n=4)
        print(f"  {name:42} {middle:+6.1f}   (half of the turns {low:+.1f} to {high:+.1f})")
    for name, us in found["calls"].items():
        print(f"  {name:42} {us:6.1f}   of one call by the clock, as it is")


if __name__ == "__main__":
    main()
