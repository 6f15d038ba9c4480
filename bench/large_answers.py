"""What a mesh of 180 MB as base64 inside a poll does to everyone else in the process: how late the event loop
is while such answers come, are read and are inspected, with them in the spool and, for comparison, in memory.

lag   how much later than asked a greenlet wakes up, as a run measures and judges it (p99 ≤ 10 ms is valid)
turn  the CPU time of the loop between two looks at it: the part of the lag that is genload's own, whatever
      else the machine does

    python bench/large_answers.py [--megabytes 180] [--jobs 3]
"""

from __future__ import annotations

import argparse
import base64
import multiprocessing
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from random import Random
from typing import Any
from unittest import mock

import gevent
import numpy as np

from genload import extensions
from genload.artifacts.inputs.images import ImageSource
from genload.artifacts.inspector import shared
from genload.artifacts.usual import inspection_of
from genload.client import Answer, HttpClient
from genload.drivers.job_driver import JobDriver
from genload.harness.health import HealthMeter
from genload.settings.service import Service

VALID_MS = 10.0
LOOK_S = 0.001
DESCRIBED = {
    "path": "/jobs",
    "json": {"image": "{image.base64}"},
    "capture": {"id": "id"},
    "poll": {"path": "/jobs/{id}", "state": "status", "values": {"done": "completed"}},
    "result": {"base64": "output.mesh", "name": "large.stl"},
    "placeholder": "allow",
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=180)
    parser.add_argument("--jobs", type=int, default=3)
    options = parser.parse_args()
    held = True
    with serving(options.megabytes * 10**6) as url:
        for kind in ("spool", "memory"):
            lags_ms, turns_ms = measured(url, options.jobs, spools=kind == "spool")
            p99_ms = float(np.percentile(lags_ms, 99))
            held = held and (p99_ms <= VALID_MS or kind == "memory")
            memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
            print(
                f"{kind:6}  lag p50 {np.median(lags_ms):.1f}, p99 {p99_ms:.1f}, most {max(lags_ms):.0f} ms; "
                f"turn p99 {np.percentile(turns_ms, 99):.1f}, most {max(turns_ms):.0f} ms; "
                f"memory of this process at most {memory_mb:.0f} MB"
            )
    print(f"the loop's lag is {'valid' if held else 'NOT VALID'} with the spool")
    return 0 if held else 1


def measured(url: str, jobs: int, *, spools: bool) -> tuple[list[float], list[float]]:
    """Milliseconds of each lag and each turn while jobs follow each other."""
    data = {"api": "job", "host": url, "request": DESCRIBED, "max_answer": "1GB"}
    service = Service.model_validate(data, context={"wings": extensions.Wings()})
    client = extensions.attribute("services", "job", "Client")(service)
    images = [ImageSource(number).image("bench", 0, number) for number in range(jobs)]
    turns_ms: list[float] = []
    health = HealthMeter()
    shared().start("mesh")
    health.start()
    looking = gevent.spawn(look, turns_ms)
    request = HttpClient.request

    def sent(client: HttpClient, method: str, path: str, **how: Any) -> Answer:
        return request(client, method, path, **{**how, **({} if spools else {"spool": None})})

    with mock.patch.object(HttpClient, "request", sent):
        for number, image in enumerate(images):
            job = JobDriver(client, image, service=service, inspect=inspection_of(client), rng=Random(number))
            result = gevent.spawn(job.run).get()
            if result.outcome != "ok":
                raise SystemExit(f"{result.error_class}: {result.error}")
        del job, result
    gevent.sleep(LOOK_S)
    looking.kill()
    lags_ms, _, _ = health.take()
    health.stop()
    client.close()
    shared().close()
    return lags_ms, turns_ms


def look(turns_ms: list[float]) -> None:
    before_s = time.thread_time()
    while True:
        gevent.sleep(LOOK_S)
        now_s = time.thread_time()
        turns_ms.append((now_s - before_s) * 1e3)
        before_s = now_s


@contextmanager
def serving(size: int) -> Iterator[str]:
    """A service in its own process, each of whose jobs is done at its first poll."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=serve, args=(size, there), daemon=True)
    process.start()
    yield here.recv()
    process.kill()
    process.join()


def serve(size: int, tell: Connection) -> None:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.reply(done)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.reply(b'{"id": "7"}')

        def reply(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            return

    done = b'{"status": "done", "output": {"mesh": "' + base64.b64encode(mesh(size)) + b'"}}'
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    tell.send(f"http://127.0.0.1:{server.server_port}")
    server.serve_forever()


def mesh(size: int) -> bytes:
    """Triangles side by side, as binary STL."""
    triangles = np.zeros(
        (size - 84) // 50, [("normal", "<f4", 3), ("points", "<f4", (3, 3)), ("more", "<u2")]
    )
    count = np.arange(len(triangles), dtype="f4")
    triangles["points"][:, :, 0] = (count % 1000)[:, None]
    triangles["points"][:, :, 1] = (count // 1000)[:, None]
    triangles["points"][:, 1, 0] += 1
    triangles["points"][:, 2, 1] += 1
    return b"\0" * 80 + len(triangles).to_bytes(4, "little") + triangles.tobytes()


if __name__ == "__main__":
    raise SystemExit(main())
