"""Users who poll their jobs every 2 s, beside as many who poll with the least code, or only sleep."""

from __future__ import annotations

import argparse
import os
import sys
import time
import uuid
from statistics import median
from typing import Any
from urllib.parse import urlsplit

from parts.nginx import PORT
from parts.rounds import allow_many_connections, ratio, round_of, started

POLLS = {
    "kept": "kept connections",
    "raw-kept": "… by a bare loop",
    "new": "new connections",
    "raw-new": "… by a bare loop",
    "none": "only asleep",
}
POLL_INTERVAL_S = 2.0
JITTER = 0.2
GRID_S = 0.040


def report_polling(core: int, arguments: argparse.Namespace, options: list[str]) -> None:
    """Medians of the rounds, which are interleaved too. Last: what users without a client take."""
    rounds = [[round_of(load, core, options) for load in POLLS] for _ in range(arguments.rounds)]
    cost_us: dict[str, list[float]] = {}
    for load, results in zip(POLLS, zip(*rounds, strict=True), strict=True):
        share, user_bytes, rate = (median(column) for column in zip(*results, strict=True))
        cost_us[load] = [result[0] / result[2] * 1e6 for result in results]
        each = ", ".join(f"{result[0]:.3f}" for result in results)
        costs = f"{median(cost_us[load]):.0f} µs of CPU a poll, {user_bytes / 1000:.1f} kB a user"
        print(
            f"{arguments.pollers:,} pollers, {POLLS[load]:16} {share:.3f} of a core at {rate:,.0f} polls/s, "
            f"{costs}   (rounds: {each})"
        )
    for load in ("kept", "new"):
        times = ratio(cost_us[load], cost_us[f"raw-{load}"])
        print(f"{'':14}{POLLS[load]}: {times:.2f} times the CPU of the bare loop")


def measure_polling(load: str, arguments: argparse.Namespace) -> None:
    """Prints the share of a core, the bytes a user, and polls a second."""
    import gc

    import gevent
    import psutil

    from genload.housekeeping import hold_back

    allow_many_connections()  # one each, and one more while an old one is being replaced
    polls = [0]
    if load == "none":
        user_class = dozing_user(polls)
    elif load.startswith("raw-"):
        kept = load == "raw-kept"
        user_class = bare_user(polls, f"http://127.0.0.1:{PORT}{'' if kept else '/new'}", kept=kept)
    else:
        user_class = polling_user(polls, load)
    process = psutil.Process()
    gc.collect()
    rss_bytes = process.memory_info().rss
    environment = started(user_class, arguments.pollers, PORT)
    while polls[0] < 4 * arguments.pollers:  # by then nobody polls in step, though all began at once
        gevent.sleep(0.5)
    hold_back()  # as a run does
    user_bytes = (process.memory_info().rss - rss_bytes) / arguments.pollers
    before, start_s, cpu_s = polls[0], time.monotonic(), time.process_time()
    gevent.sleep(3 * POLL_INTERVAL_S)
    wall_s = time.monotonic() - start_s
    print((time.process_time() - cpu_s) / wall_s, user_bytes, (polls[0] - before) / wall_s)
    sys.stdout.flush()
    if environment.stats.errors:
        sys.exit(f"users failed: {list(environment.stats.errors)}")
    os._exit(0)  # stopping thousands of users one by one would take longer than the measurement


def polling_user(polls: list[int], connections: str) -> Any:
    """A user whose job is never done."""
    import random

    from locust import User, task

    from genload.drivers.job_driver import JobDriver
    from genload.extensions import Wings, attribute
    from genload.service import JobInput, Step
    from genload.settings.service import Service

    settings = {
        "api": "orfeas",
        "host": f"http://127.0.0.1:{PORT}" + ("/new" if connections == "new" else ""),
        "poll": {"interval": f"{POLL_INTERVAL_S}s", "adaptive": False},
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
            job = JobDriver(
                client,
                image,
                service=service,
                inspect=lambda artifact: {},
                rng=random.Random(),
                request_id=str(uuid.uuid4()),
            )
            job.run()

    return Polling


def bare_user(polls: list[int], host: str, *, kept: bool) -> Any:
    """The least that Python needs: a raw socket, one wait, one parser; with the pauses of the others.

    No stamps but one, no limits, no errors, no job.

    Args:
        polls: counted in its first number.
        host: where the service is, without TLS.
    """
    import random
    import socket

    import gevent
    from gevent import get_hub, getcurrent, monkey
    from httptools import HttpResponseParser
    from locust import User, task

    new_socket = monkey.get_original("socket", "socket")
    where = urlsplit(host)
    address = (where.hostname, where.port)
    lines = (
        f"GET {where.path}/api/job-status/1 HTTP/1.1",
        f"Host: {where.netloc}",
        "Accept: */*",
        f"X-Request-ID: {uuid.uuid4()}",
    )
    message = "".join(f"{line}\r\n" for line in (*lines, "")).encode()

    class Answer:
        complete = False

        def on_message_complete(self) -> None:
            self.complete = True

        def on_body(self, body: bytes) -> None:
            self.body = body

    class Bare(User):
        @task
        def poll(self) -> None:
            hub, greenlet = get_hub(), getcurrent()
            connection: Any = None
            while True:
                now_s = time.monotonic()
                pause_s = POLL_INTERVAL_S * random.uniform(1 - JITTER, 1 + JITTER)
                gevent.sleep(round((now_s + pause_s) / GRID_S) * GRID_S - now_s)
                if connection is None:
                    connection = new_socket(socket.AF_INET, socket.SOCK_STREAM)
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    connection.connect(address)  # on one machine it is made at once
                    connection.setblocking(False)
                    watcher = hub.loop.io(connection.fileno(), 1)
                connection.send(message)
                watcher.start(greenlet.switch)
                hub.switch()
                watcher.stop()
                answer = Answer()
                HttpResponseParser(answer).feed_data(connection.recv(1 << 16))
                if not answer.complete:
                    sys.exit("a poll failed")
                polls[0] += 1
                if not kept:
                    watcher.close()
                    connection.close()
                    connection = None

    return Bare


def dozing_user(polls: list[int]) -> Any:
    """A user who sleeps as long as others do between two polls."""
    import random

    import gevent
    from locust import User, task

    class Dozing(User):
        @task
        def sleep(self) -> None:
            while True:
                gevent.sleep(POLL_INTERVAL_S * random.uniform(1 - JITTER, 1 + JITTER))
                polls[0] += 1

    return Dozing
