"""What the measuring client costs: requests a second on one core, beside Locust's FastHttpUser.

Each round starts a fresh Locust process pinned to one core, against nginx pinned to another that serves a
file of 48,000 bytes; the rounds of the clients are interleaved, so that a machine that slows down slows both.
The genload user makes what a run makes of every request: times, an event for Locust, and a record encoded and
written. Prints the median of each and their ratio, by the clock and by the CPU time that the process used.

    python bench/client.py [--rounds N] [--seconds S] [--users N]
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
BODY_BYTES = 48_000
PORT = 18_480
CLIENTS = ("genload", "FastHttpUser")

NGINX = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log stderr crit;
events {{ worker_connections 4096; }}
http {{
  access_log off; default_type application/octet-stream; keepalive_requests 100000000; sendfile on;
  open_file_cache max=10;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port} backlog=4096; root {folder}/www; }}
}}
"""


def main() -> None:
    arguments = _arguments()
    if arguments.load:
        load(arguments.load, arguments)
        return
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2 or not shutil.which("nginx"):
        sys.exit("bench/client.py needs two cores and nginx")
    results: dict[str, list[tuple[float, float]]] = {name: [] for name in CLIENTS}
    with tempfile.TemporaryDirectory() as folder, nginx(Path(folder), cores[-1]):
        for _ in range(arguments.rounds):
            for name in CLIENTS:
                results[name].append(round_of(name, cores[0], arguments))
    for column, unit in enumerate(("s", "s of CPU")):
        rates = {name: [rounds[column] for rounds in results[name]] for name in CLIENTS}
        for name in CLIENTS:
            each = ", ".join(f"{rate:,.0f}" for rate in rates[name])
            print(f"{name:14} {median(rates[name]):9,.0f} requests/{unit}   (rounds: {each})")
        print(f"{'ratio':14} {median(rates['genload']) / median(rates['FastHttpUser']):9.2f}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0, help="measured seconds of each round")
    parser.add_argument("--users", type=int, default=64)
    parser.add_argument("--load", choices=CLIENTS, help=argparse.SUPPRESS)
    return parser.parse_args()


@contextmanager
def nginx(folder: Path, core: int) -> Iterator[None]:
    (folder / "www").mkdir()
    folder.chmod(0o755)  # the worker runs as another user
    (folder / "www" / "file").write_bytes(os.urandom(BODY_BYTES))
    configuration = folder / "nginx.conf"
    configuration.write_text(NGINX.format(folder=folder, port=PORT))
    command = ["taskset", "-c", str(core), "nginx", "-p", str(folder), "-c", str(configuration)]
    process = subprocess.Popen(command)
    time.sleep(0.5)
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


def round_of(name: str, core: int, arguments: argparse.Namespace) -> tuple[float, float]:
    """Requests a second, and a second of CPU, of one fresh process."""
    command = ["taskset", "-c", str(core), sys.executable, __file__, "--load", name]
    command += ["--seconds", str(arguments.seconds), "--users", str(arguments.users)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True, timeout=120)
    if done.returncode:
        sys.exit(done.stderr)
    rate, per_cpu_s = done.stdout.split()[-2:]
    return float(rate), float(per_cpu_s)


def load(name: str, arguments: argparse.Namespace) -> None:
    """The process of one round; prints its rate."""
    import gevent
    from locust import FastHttpUser, User, task
    from locust.env import Environment

    host = f"http://127.0.0.1:{PORT}"

    class Fast(FastHttpUser):
        @task
        def fetch(self) -> None:
            self.client.get("/file")

    user_class: Any = genload_user(User, task) if name == "genload" else Fast
    user_class.host = host
    environment = Environment(user_classes=[user_class], host=host)
    runner = environment.create_local_runner()
    runner.start(arguments.users, spawn_rate=arguments.users)
    gevent.sleep(1.0)
    before, start, cpu = environment.stats.total.num_requests, time.monotonic(), time.process_time()
    gevent.sleep(arguments.seconds)
    requests = environment.stats.total.num_requests - before
    rate, per_cpu_s = requests / (time.monotonic() - start), requests / (time.process_time() - cpu)
    failures = environment.stats.total.num_failures
    runner.quit()
    if failures:
        sys.exit(f"{failures} requests failed")
    print(rate, per_cpu_s)


def genload_user(user: type, task: object) -> type:
    """A Locust user of the genload client that writes a record of every request."""
    import msgspec

    from genload.client import HttpClient, Timeouts
    from genload.runlog.records import RequestRecord

    encoder = msgspec.json.Encoder()
    out = Path(os.devnull).open("wb", buffering=1 << 16)  # noqa: SIM115
    numbers = iter(range(sys.maxsize))

    class Genload(user):  # type: ignore[misc]
        def on_start(self) -> None:
            self.client = HttpClient(
                self.host,
                timeouts=Timeouts(connect_s=5, receive_s=30, total_s=60),
                max_answer_bytes=1 << 20,
            )

        @task  # type: ignore[operator]
        def fetch(self) -> None:
            answer = self.client.get("/file")
            times = answer.times
            duration_s = times.end_s - times.start_s
            self.environment.events.request.fire(
                request_type="GET",
                name="/file",
                response_time=duration_s * 1000,
                response_length=len(answer.body),
                exception=None,
                context={},
            )
            record = RequestRecord(
                source="local",
                n=next(numbers),
                name="/file",
                start_s=times.start_s,
                duration_s=duration_s,
                status=answer.status,
                bytes_sent=answer.bytes_sent,
                bytes_received=answer.bytes_received,
                stages={"first_byte": times.first_byte_s - times.start_s},
            )
            out.write(encoder.encode(record) + b"\n")

    return Genload


if __name__ == "__main__":
    main()
