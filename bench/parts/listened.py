"""What a process of listening users writes down for `streams.py`: each stream as the client saw it, when it
was truly sent, and the CPU that all took."""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

CONTROL_BYTES = 16  # a WebSocket's goodbye is shorter, and asks for nothing

Row = tuple[str, float, float, float, list[tuple[float, int]]]
"""A stream: its request's id, when it was sent (as the client has it; truly), when it ended, its arrivals."""


def stamp_sends(socket_class: type, method: str) -> None:
    """Have a greenlet know when it last handed the system something to send."""
    from gevent import getcurrent

    send = getattr(socket_class, method)

    def stamped(sock: Any, data: bytes, *args: Any) -> Any:
        if len(data) > CONTROL_BYTES:
            getcurrent().true_sent_s = time.monotonic()
        return send(sock, data, *args)

    setattr(socket_class, method, stamped)


def write_down(
    rows: list[Row], stats: Any, out: Path, *, warm_up_s: float, seconds: float, audio_s: float
) -> None:
    """Write a row for each stream that was asked for and ended in the measured time, and end the process.

    Args:
        rows: filled meanwhile by users who have begun already.
        stats: Locust's, of these users.
    """
    import gevent

    gevent.sleep(warm_up_s)
    gc.collect()
    gc.freeze()
    rows.clear()
    start_s, cpu_s, core_s = time.monotonic(), time.process_time(), _busy_s()
    gevent.sleep(seconds)
    took_s = time.monotonic() - start_s
    cpu = (time.process_time() - cpu_s) / took_s
    others = (_busy_s() - core_s) / took_s - cpu
    kept = [row for row in rows if row[1] >= start_s]
    if stats.total.num_failures or not kept:
        errors = [str(error.to_dict()) for error in stats.errors.values()]
        print(
            f"{len(kept)} streams, {stats.total.num_failures} failed: {errors}", file=sys.stderr, flush=True
        )
        os._exit(1)
    out.write_text(
        json.dumps({"rows": kept, "seconds": took_s - audio_s, "cpu": cpu, "others": max(others, 0.0)})
    )
    os._exit(0)


def _busy_s() -> float:
    """Seconds that anyone used of this process's core."""
    (core,) = os.sched_getaffinity(0)
    fields = Path("/proc/stat").read_text().splitlines()[core + 1].split()
    user, nice, system, _, _, irq, softirq, steal = (int(field) for field in fields[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
