"""How late the tone testbed writes: many streams of 20 ms chunks, read by a process that does nothing else.

Its truth log is what the client's times are judged by, so it must keep its schedule with a core of its own.

    python bench/tone.py [--streams 500] [--seconds 20]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import os
import select
import socket
import sys
import tempfile
import time
import urllib.parse
from pathlib import Path

import numpy as np
import psutil

from genload.commands.demo.testbed import running

CHUNK_S = 0.02
REQUEST = (
    b"POST /v1/audio/speech HTTP/1.1\r\nhost: tone\r\ncontent-type: application/json\r\n"
    b"connection: close\r\ncontent-length: %d\r\n\r\n%b"
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--streams", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        truth = Path(folder) / "truth.jsonl"
        serve = ["--api", "kokoro", "--engine", "tone", "--truth", str(truth)]
        have_a_core(0)  # inherited by the server
        with running([*serve, "--audio", f"{options.seconds}s"]) as url:
            reader = multiprocessing.get_context("spawn").Process(
                target=read_all, args=(urllib.parse.urlsplit(url).port, options.streams)
            )
            reader.start()
            reader.join()
            (server,) = (one for one in psutil.Process().children() if "--engine=tone" in one.cmdline())
            cpu_s = sum(server.cpu_times()[:2])
        rows = [json.loads(line) for line in truth.read_text().splitlines()]
    print(f"{options.streams} streams, {options.streams / CHUNK_S:,.0f} writes/s for {options.seconds:g} s")
    report(rows)
    print(f"the server took {1e6 * cpu_s / sum(len(row['chunk_ns']) for row in rows):.1f} µs of CPU a write")
    return 0 if len(rows) == options.streams and all(row["outcome"] == "completed" for row in rows) else 1


def report(rows: list[dict[str, object]]) -> None:
    """Of all writes, and second by second: on a machine with other work, some seconds are others'."""
    late_ms = np.concatenate([lateness_ms(row) for row in rows])
    due_s = np.concatenate([due_of(row) for row in rows])
    p50, p99, worst = np.percentile(late_ms, (50, 99, 100))
    print(f"writes late by p50 {p50:.2f} p99 {p99:.2f} max {worst:.2f} ms, of {len(late_ms):,}")
    second = (due_s - due_s.min()).astype(int)
    p99s = [np.percentile(late_ms[second == number], 99) for number in range(second.max())]
    print(f"p99 of a second: median {np.median(p99s):.2f}, best {min(p99s):.2f}, worst {max(p99s):.2f} ms")


def due_of(row: dict[str, object]) -> np.ndarray:
    """When each write of audio was due; the first write is the WAV header."""
    return row["first_due_s"] + CHUNK_S * np.arange(len(row["chunk_ns"]) - 1)


def lateness_ms(row: dict[str, object]) -> np.ndarray:
    """Of each write of audio against its schedule."""
    return (row["received_s"] + np.array(row["chunk_ns"][1:]) / 1e9 - due_of(row)) * 1e3


def have_a_core(core: int) -> None:
    """Run there, before everybody else where the system allows it."""
    os.sched_setaffinity(0, {core})
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))


def read_all(port: int, streams: int) -> None:
    """Ask for every stream within a second, and read until the last has ended."""
    have_a_core(1)
    poll, sockets = select.epoll(), {}
    asked, began_s = 0, time.monotonic()
    while asked < streams or sockets:
        while asked < streams and time.monotonic() - began_s >= asked / streams:
            body = json.dumps({"input": f"Stream {asked}", "response_format": "wav"}).encode()
            connection = socket.create_connection(("127.0.0.1", port))
            connection.sendall(REQUEST % (len(body), body))
            sockets[connection.fileno()] = connection
            poll.register(connection, select.EPOLLIN)
            asked += 1
        for descriptor, _ in poll.poll(0.001):
            if not sockets[descriptor].recv(65536):
                sockets.pop(descriptor).close()


if __name__ == "__main__":
    sys.exit(main())
