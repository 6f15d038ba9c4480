"""What the measuring client costs, on one core, against nginx on another.

Throughput: requests a second of whole 48,000-byte answers, beside Locust's FastHttpUser. Each round starts a
fresh Locust process; the rounds of the clients are interleaved, so that a machine that slows down slows both.
The genload user makes what a run makes of every request: times, an event for Locust, and a record encoded and
written. Prints the median of each and their ratio, by the clock and by the CPU time that the process used.

Then the share of a core and the memory that N users take who each wait for a job and poll it every 2 s
(`genload.drivers.job_driver` and services/orfeas.py, as in a run), over kept connections and over new ones;
beside that of as many who poll with the least code that Python needs, and who only sleep for as long. Their
ratio says on any machine what a share of one machine's core cannot.

And the memory of N users who have each sent a request that is never answered, and of as
many Locust users who only sleep: what the client adds is the difference.

    python bench/client.py [--rounds N] [--seconds S] [--users N] [--pollers N] [--waiting N]
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from parts.nginx import PORT, nginx
from parts.polling import POLLS, measure_polling, report_polling
from parts.rounds import allow_many_connections, ratio, round_of, started, two_cores

CLIENTS = ("genload", "FastHttpUser")
WAITS = ("waiting", "asleep")
SILENT = "silent"  # the load that is none: the server that the waiting users wait for


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
    parser.add_argument("--pollers", type=int, default=5000, help="polling users; 0: none")
    parser.add_argument("--waiting", type=int, default=10_000, help="users without an answer; 0: none")
    parser.add_argument("--load", choices=[*CLIENTS, *POLLS, *WAITS, SILENT], help=argparse.SUPPRESS)
    return parser.parse_args()


def report(arguments: argparse.Namespace) -> None:
    core, other_core = two_cores("nginx")
    options = ["--seconds", str(arguments.seconds), "--users", str(arguments.users)]
    options += ["--pollers", str(arguments.pollers), "--waiting", str(arguments.waiting)]
    results: dict[str, list[list[float]]] = {name: [] for name in CLIENTS}
    with tempfile.TemporaryDirectory() as folder, nginx(Path(folder), other_core):
        for _ in range(arguments.rounds):
            for name in CLIENTS:
                results[name].append(round_of(name, core, options))
        report_throughput(results)
        if arguments.pollers:
            report_polling(core, arguments, options)
    if arguments.waiting:
        report_waiting(core, arguments.waiting, options)


def report_throughput(results: dict[str, list[list[float]]]) -> None:
    for column, unit in enumerate(("s", "s of CPU")):
        rates = {name: [values[column] for values in results[name]] for name in CLIENTS}
        for name in CLIENTS:
            each = ", ".join(f"{rate:,.0f}" for rate in rates[name])
            print(f"{name:14} {median(rates[name]):9,.0f} requests/{unit}   (rounds: {each})")
        print(f"{'ratio':14} {ratio(rates['genload'], rates['FastHttpUser']):9.2f}")


def report_waiting(core: int, users: int, options: list[str]) -> None:
    with silent_server():
        waiting, asleep = (round_of(load, core, options)[0] / 1000 for load in WAITS)
    print(f"{users:,} waiting users  {waiting:.1f} kB each, of them {asleep:.1f} kB Locust's own")


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


def measure_throughput(name: str, arguments: argparse.Namespace) -> None:
    """Prints requests a second, and a second of CPU."""
    import gevent
    from locust import FastHttpUser, task

    class Fast(FastHttpUser):
        @task
        def fetch(self) -> None:
            self.client.get("/file")

    environment = started(recording_user() if name == "genload" else Fast, arguments.users, PORT)
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
    started(user_class, arguments.waiting, PORT)
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
