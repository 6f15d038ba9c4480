"""How late an open load sends what is due: ``python bench/arrivals.py``, a minute.

Real Locust processes with genload's speech users, callers at random, and a server that answers at once.
Every request's start is held against the moment that the schedule has for it, computed here again from the
run's seed. The aims: p99 within 5 ms at 500 a second from one process, within 10 ms at 2,000 a second from
two workers; each process needs a core to itself. The CPU time of an arrival tells on a busy machine, too,
what a core could do in time: it ends with 1 where an aim is missed.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from parts.genload_commands import commands
from parts.wav_server import PORT, SERVER, serve, server

from genload.runlog.reader import open_run
from genload.runlog.records import LoadStarted
from genload.settings.arrivals import Stage, open_load

DURATION_S = 10.0
IN_FLIGHT = 200
CASES = ((500.0, 0, 5.0), (2000.0, 2, 10.0))
"""Requests a second, how many workers send them (0: one process without workers), and how many ms late at p99
they may be.
"""

SUITE = """
name: arrivals
service: {{api: speech, request: {{dialect: litetts, format: wav, validate: off}}}}
locustfile: speech
validity: {{lag_floor: 60s}}
watch_idle: 0s
scenarios:
  load:
    shape: {{kind: arrivals, process: poisson, rate: {rate}/s, duration: {duration}s, max_in_flight: {most}}}
    warmup: {{jobs: 0}}
    observe: true
"""


def run(rate: float, workers: int, limit_ms: float, folder: Path) -> bool:
    """One load, and two lines about it; whether it was in time."""
    suite = folder / "arrivals.yaml"
    suite.write_text(SUITE.format(rate=rate, duration=DURATION_S, most=IN_FLIGHT))
    host = f"http://127.0.0.1:{PORT}"
    before_s = cpu_s()
    started = [
        subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for command in commands("locustfiles/speech.py", suite, folder, workers, host)
    ]
    for process in started:
        process.wait(120)
    used_s = cpu_s() - before_s
    log = open_run(folder / "run" / "load")
    (began_s,) = (event.t_s for event in log.events() if isinstance(event, LoadStarted))
    stage = Stage("arrivals", DURATION_S, rate, rate)
    planned = open_load([stage], "poisson", log.header.seed, IN_FLIGHT, "")
    count = planned.arrivals or 0
    due_s = np.array([planned.arrival(number)[1] for number in range(count)])
    records = sorted(log.requests(), key=lambda record: record.intended_s or 0.0)
    if len(records) != count:
        sys.exit(f"{len(records)} records of {count} arrivals: is one of the processes gone?")
    late_s = np.array([record.start_s - (record.intended_s or 0.0) for record in records])
    off_s = np.array([record.intended_s or 0.0 for record in records]) - began_s - due_s
    p50, p99 = np.percentile(late_s, (50, 99)) * 1e3
    processes = f"{workers} workers" if workers else "one process"
    most, wrong = late_s.max() * 1e3, np.abs(off_s).max() * 1e3
    print(
        f"{rate:6,.0f} a second, {processes:12} {count:6,} arrivals, started {p50:7.2f} ms late at p50, "
        f"{p99:7.2f} ms at p99, {most:7.2f} ms at most; moments off the schedule by {wrong:.2f} ms"
    )
    held = bool(p99 <= limit_ms)
    kept = "held" if held else "NOT HELD"
    print(
        f"{'':6}  limit at p99: {limit_ms:g} ms: {kept}; {used_s / count * 1e6:.0f} µs of CPU an arrival in "
        f"all processes, their start included; load of this machine {os.getloadavg()[0]:.1f}",
        flush=True,
    )
    return held


def cpu_s() -> float:
    """Of all processes that were started here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--load", choices=[SERVER], help=argparse.SUPPRESS)
    if parser.parse_args().load == SERVER:
        serve()
    with server((os.cpu_count() or 1) - 1):
        held = True
        for rate, workers, limit_ms in CASES:
            with tempfile.TemporaryDirectory() as folder:
                held = run(rate, workers, limit_ms, Path(folder)) and held
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
