"""A locustfile: the speech user as it is, in turn with the same user without one of its parts, and with what
tells others of the run.

The users go on all the time; only what they do changes, every few hundred requests. So the two are compared
within a second, and other work on the machine falls on both. Writes what it found to the file that
ABLATION_OUT names; the load goes on.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from itertools import count
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any
from unittest import mock

import gevent
from gevent import get_hub, getcurrent, monkey, socket
from httptools import HttpResponseParser
from locust import events

from genload.artifacts.audio.listener import Heard, Listener
from genload.client.connection import Connection
from genload.client.parser import AnswerAssembler
from genload.client.request_head import RequestHead
from genload.extensions import attribute
from genload.harness import speech_user
from genload.harness.gate import Turn
from genload.harness.kit import SpeechKit
from genload.harness.live import LiveStats
from genload.harness.locust_statistics import BlockStats
from genload.harness.users import LoadUser
from genload.outlets import Outlets
from genload.runlog.writer import RunWriter
from genload.service import Speech, Utterance
from locustfiles import speech as whole

REQUESTS = 400  # of each part, each turn
BEGINS_S = 4.0
OUTLETS = "genload.harness.metrics_page", "genload.tracing", "prometheus_client", "opentelemetry"
# What takes a part's place is made once.
TEXT = "A text of fifty characters, which is the default.."
PATH = "/v1/audio/speech"
BODY = json.dumps({"input": TEXT, "voice": "af_heart", "response_format": "wav"}).encode()
HEADERS = {"Content-Type": "application/json", "X-Request-ID": "1", "traceparent": "00-1-1-01"}
LEAVE = Turn("steady", False, 0)
HEARD = Heard({"characters": 50.0, "chunks": 1.0, "streamed": 0.0})

new_socket = monkey.get_original("socket", "socket")
numbers = count()
done = [0]
instead: list[Callable[[Any], None]] = []
"""What users do in the place of a whole request, if anything."""
loops: list[bool] = []
"""Something in it: users do not go back to Locust after each request."""


class Ablated(whole.Speech):
    """As it is, but for what is taken away."""

    def say_less(self) -> None:
        while True:
            if instead:
                instead[0](self)
            else:
                self.say()
            done[0] += 1
            if not loops:
                return


Ablated.tasks = [Ablated.say_less]


# --- what takes a part's place


def bare(user: Any, *, parses: bool) -> None:
    """The floor: a socket, a wait, and a parser; no stamps, no limits, nothing kept."""
    if not hasattr(user, "bare"):
        sock = new_socket(socket.AF_INET, socket.SOCK_STREAM)
        host, port = user.host.removeprefix("http://").split(":")
        sock.connect((host, int(port)))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setblocking(False)
        lines = [f"POST {PATH} HTTP/1.1", f"Host: {host}", f"Content-Length: {len(BODY)}"]
        lines += [f"{name}: {value}" for name, value in HEADERS.items()]
        user.bare = sock, get_hub().loop.io(sock.fileno(), 1), "\r\n".join([*lines, "", ""]).encode() + BODY
    sock, watcher, message = user.bare
    sock.send(message)
    whole_answer = _Whole()
    parser = HttpResponseParser(whole_answer)
    while not whole_answer.complete:
        watcher.start(getcurrent().switch)
        get_hub().switch()
        watcher.stop()
        data = sock.recv(1 << 16)
        if parses:
            parser.feed_data(data)
        else:
            whole_answer.take(data)


class _Whole:
    size, complete = 0, False

    def on_body(self, body: bytes) -> None:
        self.body = body

    def on_message_complete(self) -> None:
        self.complete = True

    def take(self, data: bytes) -> None:
        if not self.size:
            end = data.find(b"\r\n\r\n")
            self.size = end + 4 + int(data[data.find(b"Content-Length: ") + 16 : end].split(b"\r\n")[0])
        self.size -= len(data)
        self.complete = self.size == 0


def spoken(client: Any, utterance: Utterance) -> Speech:
    """The answer by the HTTP client alone."""
    answer = client._calls.http.request("POST", PATH, headers=HEADERS, body=BODY, total_s=300.0)
    times = answer.times
    return Speech(
        answer.body, "audio/wav", times.connected_s, times.end_s, times.end_s, answer.arrivals, streamed=False
    )


def heads() -> Callable[..., bytes]:
    made: dict[RequestHead, bytes] = {}
    make = RequestHead.bytes_for

    def bytes_for(head: RequestHead, *asked: Any) -> bytes:
        if head not in made:
            made[head] = make(head, *asked)
        return made[head]

    return bytes_for


def parts() -> dict[str, Callable[[], Any]]:
    """How to take each away, by its name; those with a dash before it are part of the one above."""
    client = attribute("services", "speech", "Client")
    silence = Speech(b"", "audio/wav", 0.0, 0.0, 0.0, ((0.0, 1),), streamed=False)
    turn = nullcontext(LEAVE)
    patch = mock.patch.object
    return {
        "Locust's task loop": lambda: added(loops, True),
        "gate and ticket": lambda: patched(
            patch(LoadUser, "next_number", lambda user: next(numbers)),
            patch(LoadUser, "turn", lambda user: turn),
        ),
        "text": lambda: patch(SpeechKit, "utterance", lambda kit, n: Utterance(n, TEXT, "af_heart")),
        "a turn between preparing and sending": lambda: patch(
            speech_user, "gevent", SimpleNamespace(sleep=lambda seconds: None)
        ),
        "identifier": lambda: patch(speech_user, "new_identifier", lambda: "1"),
        "client, service file and its calls": lambda: patched(
            patch(client, "speak", lambda client, utterance: silence),
            patch(Listener, "listen", lambda *_: HEARD),
        ),
        "- service file and its calls, headers": lambda: patch(client, "speak", spoken),
        "- request head": lambda: patch(RequestHead, "bytes_for", heads()),
        "- look at the kept connection": lambda: patch(Connection, "is_alive", lambda connection: True),
        "listening": lambda: patch(Listener, "listen", lambda *_: HEARD),
        "record and all that follows": lambda: patch(
            speech_user.SpeechUser, "_record_speech", lambda *_: None
        ),
        "- Locust's statistics": lambda: patch(BlockStats, "log_request", lambda *_: None),
        "- live totals": lambda: patch(LiveStats, "add", lambda *_: None),
        "- encoding and writing": lambda: patch(RunWriter, "requests", lambda *_: None),
        "all but the floor": lambda: added(instead, lambda user: bare(user, parses=True)),
        "all but the floor without a parser": lambda: added(instead, lambda user: bare(user, parses=False)),
    }


def outlets(environment: Any) -> dict[str, Callable[[], Any]]:
    """How to switch on what tells others of a run, by its name. A gateway hears of it at its end alone."""
    from genload.harness.metrics_page import MetricsPage  # only when the rest has been measured
    from genload.tracing import start_tracing

    @contextmanager
    def traced() -> Iterator[None]:
        tracing = start_tracing(Path(os.environ["ABLATION_OUT"]).with_name("run") / "load")
        try:
            yield
        finally:
            tracing.stop(timeout_s=0.1)

    seen: list[LiveStats] = []
    with mock.patch.object(LiveStats, "add", lambda live, record: seen.append(live)):
        _wait(1)
    live = seen[0]
    plan = environment.genload.plan
    watched = MetricsPage(Outlets(metrics_port=0)).watched(plan)
    carried = [*live._carried, *(plan.catalogue.metrics[name] for name in watched)]
    return {
        "nothing (what two looks at the same differ by)": nullcontext,
        "a page of metrics": lambda: mock.patch.object(live, "_carried", list(dict.fromkeys(carried))),
        "traces": traced,
    }


@contextmanager
def added(where: list[Any], what: Any) -> Iterator[None]:
    where.append(what)
    try:
        yield
    finally:
        where.clear()


@contextmanager
def patched(*patches: Any) -> Iterator[None]:
    with ExitStack() as stack:
        for each in patches:
            stack.enter_context(each)
        yield


# --- what is measured


def cost_us(users: int) -> float:
    """CPU of a request as it is done now, once what was begun before is over."""
    _wait(2 * users)
    before, cpu_s = done[0], time.process_time()
    _wait(REQUESTS)
    return (time.process_time() - cpu_s) / (done[0] - before) * 1e6


def _wait(requests: int) -> None:
    until = done[0] + requests
    while done[0] < until:
        gevent.sleep(0.01)


def calls_us() -> dict[str, float]:
    """The median of how long the calls took that cannot be taken away. Nothing waits in them."""
    took: dict[str, list[float]] = {"send": [], "receive and parse": [], "parse": []}

    def timed(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any) -> Any:
            start_s = time.perf_counter()
            result = call(*arguments)
            took[name].append(time.perf_counter() - start_s)
            return result

        return wrapped

    with patched(
        mock.patch.object(Connection, "send", timed("send", Connection.send)),
        mock.patch.object(Connection, "_read", timed("receive and parse", Connection._read)),
        mock.patch.object(AnswerAssembler, "feed", timed("parse", AnswerAssembler.feed)),
    ):
        _wait(5 * REQUESTS)
    return {name: median(times) * 1e6 for name, times in took.items() if times}


def pairs(changes: dict[str, Callable[[], Any]], turns: int, users: int) -> dict[str, list[list[float]]]:
    """Of each change, by its name: the cost of a request as it is, and with the change, turn by turn."""
    found: dict[str, list[list[float]]] = {name: [] for name in changes}
    for _ in range(turns):
        for name, change in changes.items():
            with change():
                changed_us = cost_us(users)
            found[name].append([cost_us(users), changed_us])
    return found


def measure(environment: Any) -> None:
    while not environment.runner.user_count or done[0] < 10 * environment.runner.user_count:
        gevent.sleep(0.1)
    gevent.sleep(BEGINS_S)
    turns, out = int(os.environ["ABLATION_TURNS"]), Path(os.environ["ABLATION_OUT"])
    found: dict[str, Any] = {"parts": pairs(parts(), turns, environment.runner.user_count)}
    found["calls"] = calls_us()
    # Last: without them a process has not even imported them.
    found["imported"] = sorted(name for name in sys.modules if name.startswith(OUTLETS))
    found["outlets"] = pairs(outlets(environment), 2 * turns, environment.runner.user_count)
    out.with_suffix(".part").write_text(json.dumps(found))
    out.with_suffix(".part").rename(out)


@events.init.add_listener
def _on_init(environment: Any, **_: Any) -> None:
    measuring = gevent.spawn(measure, environment)
    measuring.link_exception(lambda _: os._exit(1))  # its words are said by then; the load would go on
