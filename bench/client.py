"""What the measuring client costs, on one core, against nginx on another.

Throughput: requests a second of whole 48,000-byte answers, beside Locust's FastHttpUser. Each round starts a
fresh Locust process; the rounds of the clients are interleaved, so that a machine that slows down slows both.
The genload user makes what a run makes of every request: times, an event for Locust, and a record encoded and
written. Prints the median of each and their ratio, by the clock and by the CPU time that the process used.

With --pollers N also: the share of a core and the memory that N users take who each wait for a job and poll
it every 2 s (`genload.job` and services/orfeas.py, as in a run), over kept connections and over new ones;
beside that of as many who only sleep for as long.

With --waiting N also: the memory of N users who have each sent a request that is never answered, and of as
many Locust users who only sleep: what the client adds is the difference.

    python bench/client.py [--rounds N] [--seconds S] [--users N] [--pollers N] [--waiting N]
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
BODY_BYTES = 48_000
PORT = 18_480
CLIENTS = ("genload", "FastHttpUser")
POLLS = {"kept": "kept connections", "new": "new connections", "none": "only asleep"}
POLL_INTERVAL_S = 2.0
WAITS = ("waiting", "asleep")
SILENT = "silent"  # the load that is none: the server that the waiting users wait for

NGINX = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log stderr crit;
events {{ worker_connections 16000; }}
http {{
  access_log off; default_type application/octet-stream; keepalive_requests 100000000; sendfile on;
  open_file_cache max=10; keepalive_timeout 120s;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} backlog=4096; root {folder}/www;
    location /api/ {{ return 200 '{{"job_id": "1", "status": "processing"}}'; }}
    location /new/api/ {{ keepalive_timeout 0; return 200 '{{"job_id": "1", "status": "processing"}}'; }}
  }}
}}
"""


def main() -> None:
    arguments = _arguments()
    if arguments.load in CLIENTS:
        measure_throughput(arguments.load, arguments)
    elif arguments.load in WAITS:
        measure_waiting(arguments.load, arguments)
    elif arguments.load == SILENT:
        never_answer()
    elif arguments.load:
        measure_polling(arguments.load, arguments)
    else:
        report(arguments)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0, help="measured seconds of each round")
    parser.add_argument("--users", type=int, default=64)
    parser.add_argument("--pollers", type=int, default=0, help="also measure this many polling users")
    parser.add_argument(
        "--waiting", type=int, default=0, help="also measure this many users without an answer"
    )
    parser.add_argument("--load", choices=[*CLIENTS, *POLLS, *WAITS, SILENT], help=argparse.SUPPRESS)
    return parser.parse_args()


def report(arguments: argparse.Namespace) -> None:
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2 or not shutil.which("nginx"):
        sys.exit("bench/client.py needs two cores and nginx")
    results: dict[str, list[list[float]]] = {name: [] for name in CLIENTS}
    with tempfile.TemporaryDirectory() as folder, nginx(Path(folder), cores[-1]):
        for _ in range(arguments.rounds):
            for name in CLIENTS:
                results[name].append(round_of(name, cores[0], arguments))
        report_throughput(results)
        if arguments.pollers:
            report_polling(cores[0], arguments)
    if arguments.waiting:
        report_waiting(cores[0], arguments)


def report_throughput(results: dict[str, list[list[float]]]) -> None:
    for column, unit in enumerate(("s", "s of CPU")):
        rates = {name: [values[column] for values in results[name]] for name in CLIENTS}
        for name in CLIENTS:
            each = ", ".join(f"{rate:,.0f}" for rate in rates[name])
            print(f"{name:14} {median(rates[name]):9,.0f} requests/{unit}   (rounds: {each})")
        print(f"{'ratio':14} {median(rates['genload']) / median(rates['FastHttpUser']):9.2f}")


def report_polling(core: int, arguments: argparse.Namespace) -> None:
    """Medians of the rounds, which are interleaved too. Last: what users without a client take."""
    rounds = [[round_of(load, core, arguments) for load in POLLS] for _ in range(arguments.rounds)]
    for kind, results in zip(POLLS.values(), zip(*rounds, strict=True), strict=True):
        share, user_bytes, rate = (median(column) for column in zip(*results, strict=True))
        each = ", ".join(f"{result[0]:.3f}" for result in results)
        print(
            f"{arguments.pollers:,} pollers, {kind:16} {share:.3f} of a core at {rate:,.0f} polls/s, "
            f"{share / rate * 1e6:.0f} µs of CPU a poll, {user_bytes / 1000:.1f} kB a user   (rounds: {each})"
        )


def report_waiting(core: int, arguments: argparse.Namespace) -> None:
    with silent_server():
        waiting, asleep = (round_of(load, core, arguments)[0] / 1000 for load in WAITS)
    print(f"{arguments.waiting:,} waiting users  {waiting:.1f} kB each, of them {asleep:.1f} kB Locust's own")


@contextmanager
def silent_server() -> Iterator[None]:
    process = subprocess.Popen([sys.executable, __file__, "--load", SILENT])
    time.sleep(0.5)
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


def never_answer() -> None:
    """Accepts every connection, and that is all."""
    allow_many_connections()
    with socket.create_server(("127.0.0.1", PORT), backlog=4096) as listener:
        accepted = []
        while True:
            accepted.append(listener.accept())


def allow_many_connections() -> None:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


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


def round_of(load: str, core: int, arguments: argparse.Namespace) -> list[float]:
    """The numbers that one fresh process prints."""
    command = ["taskset", "-c", str(core), sys.executable, __file__, "--load", load]
    command += ["--seconds", str(arguments.seconds), "--users", str(arguments.users)]
    command += ["--pollers", str(arguments.pollers), "--waiting", str(arguments.waiting)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True, timeout=120)
    if done.returncode:
        sys.exit(done.stderr)
    return [float(word) for word in done.stdout.splitlines()[-1].split()]


def measure_throughput(name: str, arguments: argparse.Namespace) -> None:
    """Prints requests a second, and a second of CPU."""
    import gevent
    from locust import FastHttpUser, task

    class Fast(FastHttpUser):
        @task
        def fetch(self) -> None:
            self.client.get("/file")

    environment = started(recording_user() if name == "genload" else Fast, arguments.users)
    stats = environment.stats
    gevent.sleep(1.0)
    before, start_s, cpu_s = stats.total.num_requests, time.monotonic(), time.process_time()
    gevent.sleep(arguments.seconds)
    requests = stats.total.num_requests - before
    rates = requests / (time.monotonic() - start_s), requests / (time.process_time() - cpu_s)
    environment.runner.quit()
    if stats.total.num_failures or not requests:
        sys.exit(f"{requests} requests, of all {stats.total.num_failures} failed: {list(stats.errors)}")
    print(*rates)


def measure_polling(connections: str, arguments: argparse.Namespace) -> None:
    """Prints the share of a core, the bytes a user, and polls a second."""
    import gc

    import gevent
    import psutil

    allow_many_connections()  # one each, and one more while an old one is being replaced
    polls = [0]
    user_class = dozing_user(polls) if connections == "none" else polling_user(polls, connections)
    process = psutil.Process()
    gc.collect()
    rss_bytes = process.memory_info().rss
    environment = started(user_class, arguments.pollers)
    while polls[0] < 2 * arguments.pollers:
        gevent.sleep(0.5)
    gc.freeze()
    user_bytes = (process.memory_info().rss - rss_bytes) / arguments.pollers
    before, start_s, cpu_s = polls[0], time.monotonic(), time.process_time()
    gevent.sleep(3 * POLL_INTERVAL_S)
    wall_s = time.monotonic() - start_s
    print((time.process_time() - cpu_s) / wall_s, user_bytes, (polls[0] - before) / wall_s)
    sys.stdout.flush()
    if environment.stats.errors:
        sys.exit(f"users failed: {list(environment.stats.errors)}")
    os._exit(0)  # stopping thousands of users one by one would take longer than the measurement


def measure_waiting(load: str, arguments: argparse.Namespace) -> None:
    """Prints the bytes a user."""
    import gc

    import gevent
    import psutil

    allow_many_connections()
    begun: list[Any] = []
    user_class = waiting_user(begun.append) if load == "waiting" else sleeping_user(begun.append)
    process = psutil.Process()
    gc.collect()
    rss_bytes = process.memory_info().rss
    started(user_class, arguments.waiting)
    while len(begun) < arguments.waiting:
        gevent.sleep(0.5)
    gevent.sleep(2.0)  # until the last of them has connected and sent
    gc.collect()
    user_bytes = (process.memory_info().rss - rss_bytes) / arguments.waiting
    if len(begun) > arguments.waiting:
        sys.exit("a user did not wait")
    print(user_bytes)
    sys.stdout.flush()
    os._exit(0)


def started(user_class: Any, users: int) -> Any:
    """A Locust environment with that many users at work."""
    from locust.env import Environment

    user_class.host = f"http://127.0.0.1:{PORT}"
    environment = Environment(user_classes=[user_class], host=user_class.host)
    environment.create_local_runner().start(users, spawn_rate=users)
    return environment


def base_user() -> Any:
    from locust import User

    from genload.client import HttpClient, Timeouts

    class Base(User):
        abstract = True

        def on_start(self) -> None:
            timeouts = Timeouts(connect_s=30, receive_s=60, total_s=90)
            self.client = HttpClient(str(self.host), timeouts=timeouts, max_answer_bytes=1 << 20)

        def fetched(self, path: str) -> Any:
            answer = self.client.get(path)
            self.tell(path, answer.times.end_s - answer.times.start_s, len(answer.body))
            return answer

        def tell(self, name: str, duration_s: float, body_bytes: int) -> None:
            self.environment.events.request.fire(
                request_type="GET",
                name=name,
                response_time=duration_s * 1000,
                response_length=body_bytes,
                exception=None,
                context={},
            )

    return Base


def recording_user() -> Any:
    """A user that fetches the file as fast as it can, and writes a record of every request."""
    import msgspec
    from locust import task

    from genload.runlog.records import RequestRecord

    encoder = msgspec.json.Encoder()
    out = Path(os.devnull).open("wb", buffering=1 << 16)  # noqa: SIM115
    numbers = iter(range(sys.maxsize))

    class Recording(base_user()):  # type: ignore[misc]
        @task
        def fetch(self) -> None:
            answer = self.fetched("/file")
            times = answer.times
            record = RequestRecord(
                source="local",
                n=next(numbers),
                name="/file",
                start_s=times.start_s,
                duration_s=times.end_s - times.start_s,
                status=answer.status,
                bytes_sent=answer.bytes_sent,
                bytes_received=answer.bytes_received,
                stages={"first_byte": times.first_byte_s - times.start_s},
            )
            out.write(encoder.encode(record) + b"\n")

    return Recording


def polling_user(polls: list[int], connections: str) -> Any:
    """A user whose job is never done."""
    import random

    from locust import User, task

    from genload.extensions import Wings, attribute
    from genload.job import Job
    from genload.service import JobInput, Step
    from genload.settings.service import Service

    settings = {
        "api": "orfeas",
        "host": f"http://127.0.0.1:{PORT}" + ("/new" if connections == "new" else ""),
        "poll": {"interval": f"{POLL_INTERVAL_S}s"},
    }
    service = Service.model_validate(settings, context={"wings": Wings()})
    new_client = attribute("services", "orfeas", "Client")

    def count(step: Step) -> None:
        if step.error_class:
            sys.exit(f"a {step.name} failed: {step.error}")
        polls[0] += step.name == "poll"

    class Polling(User):
        @task
        def wait_for_a_job(self) -> None:
            client = new_client(service)
            client.on_step = count
            image = JobInput("a.png", b"", "image/png")
            job = Job(
                client,
                image,
                service=service,
                inspect=lambda artifact: {},
                rng=random.Random(),
                request_id=str(uuid.uuid4()),
            )
            job.run()

    return Polling


def dozing_user(polls: list[int]) -> Any:
    """A user who sleeps as long as others do between two polls."""
    import random

    import gevent
    from locust import User, task

    class Dozing(User):
        @task
        def sleep(self) -> None:
            while True:
                gevent.sleep(POLL_INTERVAL_S * random.uniform(0.8, 1.2))
                polls[0] += 1

    return Dozing


def waiting_user(begin: Callable[[Any], None]) -> Any:
    """A user that waits for an answer until its time is up."""
    from locust import task

    class Waiting(base_user()):  # type: ignore[misc]
        @task
        def wait_for_an_answer(self) -> None:
            begin(self)
            self.fetched("/never")

    return Waiting


def sleeping_user(begin: Callable[[Any], None]) -> Any:
    """A user without a client."""
    import gevent
    from locust import User, task

    class Sleeping(User):
        @task
        def sleep(self) -> None:
            begin(self)
            gevent.sleep(3600)

    return Sleeping


if __name__ == "__main__":
    main()
