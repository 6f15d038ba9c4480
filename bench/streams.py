"""How right the times of streams are: many at once, against the truth log of the tone that sent them.

Each stream is a second of sound, 20 ms every 20 ms. The testbed runs on one core and stamps right
before each write; a Locust process alone on another core has one user a stream, who asks for the next as soon
as one has ended. Both read the machine's one monotonic clock. Printed is by how much the client's values are
off, at the median and the 99th percentile. The formulas are those of `genload.artifacts.audio.playback`, used
once from the client's stamps and once from the server's:

first audio, total  since the request was sent, which truly was when the system was handed it: the bench
                    stamps that itself, in every client
gaps, underrun      of the pauses between chunks
merged              streams of which the client saw two chunks as one; they are left out of the gaps
load                the share of its time in which a user is being sent a stream

The clients: genload's with the kernel's stamps, as the speech services use it; ``whole``, the users of a run
instead of a loop, with gate, texts, records, live totals and a look into a tenth of the answers (of every
client of genload's: ``whole events``); listening to server-sent events, and over a WebSocket; with its own
stamps; and Locust's FastHttpUser with stream=True. Each round starts fresh processes, and the rounds of the
clients are interleaved, so that a machine that slows down slows them all. On a machine that others use,
--realtime puts client and testbed before them (SCHED_FIFO, needs root).

    python bench/streams.py [--rounds N] [--seconds S] [--streams 200,500] [--clients …] [--realtime]
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import accumulate
from math import inf
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from parts.genload_commands import streamed
from parts.listened import Row, stamp_sends, write_down

from genload.artifacts.audio.playback import Playback, play
from genload.commands.demo.testbed import running
from genload.service import Speech

ROOT = Path(__file__).resolve().parents[1]
CHUNKS = 50
CHUNK_S = 0.020
CHUNK_BYTES = 960  # 16-bit mono at 24 kHz
BYTES_PER_S = CHUNK_BYTES / CHUNK_S
AUDIO_S = CHUNKS * CHUNK_S
WARM_UP_S = 2.0
TESTBED = ["--engine", "tone", "--chunk", "20ms", "--audio", f"{AUDIO_S}s"]
REQUESTS: dict[str, dict[str, object]] = {
    "kernel": {"dialect": "kokoro", "voices": ["af_heart"]},
    "events": {"dialect": "openai", "voices": ["alloy"], "stream": "sse"},
    "websocket": {"dialect": "vllm", "voices": ["af_heart"], "stream": "websocket"},
}
WHOLE = "whole"
"""Before a client's name: not its loop alone, but the users of a run."""
CLIENTS = ("kernel", "whole kernel", "events", "websocket", "process", "FastHttpUser")
ERRORS = ("first audio", "total", "gaps", "underrun")


@dataclass(frozen=True, slots=True)
class Limits:
    """What is wanted: errors in ms at the 99th percentile, and the load as a share."""

    first_audio_ms: float
    total_ms: float
    load: float = 0.0


LIMITS = {
    "kernel": {200: Limits(2.0, 2.0), 500: Limits(5.0, 5.0)},
    "whole kernel": {
        200: Limits(5.0, 5.0),
        500: Limits(5.0, 5.0, load=0.99),
        1000: Limits(inf, 5.0, load=0.85),
    },
    "events": {200: Limits(5.0, 5.0), 500: Limits(5.0, 5.0)},
    "websocket": {200: Limits(5.0, 5.0), 500: Limits(5.0, 5.0)},
}
"""For genload as it is, by the number of streams."""


def main() -> int:
    arguments = _arguments()
    if arguments.load:
        measure(arguments)
        return 0
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        sys.exit("bench/streams.py needs two cores")
    if arguments.realtime:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))  # inherited by all that is started
    kept = [measured(streams, cores, arguments) for streams in arguments.streams]
    return 0 if all(kept) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0, help="measured seconds of each round")
    parser.add_argument(
        "--streams", type=lambda text: [int(one) for one in text.split(",")], default=[200, 500]
    )
    parser.add_argument("--clients", type=lambda text: text.split(","), default=list(CLIENTS))
    parser.add_argument("--realtime", action="store_true", help="go before others on this machine")
    parser.add_argument("--load", choices=CLIENTS, help=argparse.SUPPRESS)
    parser.add_argument("--host", default="", help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


@dataclass(frozen=True, slots=True)
class Round:
    """What one round found. `errors` are milliseconds, without their sign."""

    errors: Mapping[str, Any]
    merged: float
    load: float
    cpu: float
    others: float
    late_ms: float


def measured(streams: int, cores: list[int], arguments: argparse.Namespace) -> bool:
    """Measure so many streams with each client in turn, and print it; whether genload kept its limits."""
    rounds: dict[str, list[Round]] = {name: [] for name in arguments.clients}
    for _ in range(arguments.rounds):
        for name in arguments.clients:
            rounds[name].append(round_of(name, streams, cores, arguments.seconds))
    print(f"{streams} streams, errors in ms at p50/p99, and p99 of each round")
    for name in arguments.clients:
        print_line(name, rounds[name])
    return min(held(name, streams, rounds[name]) for name in rounds)


def held(name: str, streams: int, rounds: list[Round]) -> bool:
    wanted = LIMITS.get(name, {}).get(streams)
    if wanted is None:
        return True
    first_ms, total_ms = (percentile(rounds, what, 99) for what in ("first audio", "total"))
    load = float(np.median([one.load for one in rounds]))
    kept = first_ms <= wanted.first_audio_ms and total_ms <= wanted.total_ms and load >= wanted.load
    first = "" if wanted.first_audio_ms == inf else f"first audio {wanted.first_audio_ms:g} ms, "
    least = f", load {wanted.load:.0%}" if wanted.load else ""
    said = "held" if kept else "NOT HELD"
    print(f"  {name}: wanted at p99: {first}total {wanted.total_ms:g} ms{least}: {said}")
    return kept


def percentile(rounds: list[Round], what: str, share: float) -> float:
    """The median over the rounds."""
    return float(np.median([np.percentile(one.errors[what], share) for one in rounds]))


def print_line(name: str, rounds: list[Round]) -> None:
    parts = [f"  {name:12}"]
    for what in ERRORS:
        each = " ".join(f"{np.percentile(one.errors[what], 99):.2f}" for one in rounds)
        parts.append(f"{what} {percentile(rounds, what, 50):.2f}/{percentile(rounds, what, 99):.2f} ({each})")
    merged, load, cpu, others, late_ms = (
        np.median([getattr(one, field) for one in rounds])
        for field in ("merged", "load", "cpu", "others", "late_ms")
    )
    print("  ".join(parts))
    print(
        f"  {'':12}  merged {merged:.1%}, load {load:.0%}, {cpu:.2f} of its core (others {others:.2f}); "
        f"the testbed wrote late by {late_ms:.1f} ms at p99",
        flush=True,
    )


def round_of(name: str, streams: int, cores: list[int], seconds: float) -> Round:
    with tempfile.TemporaryDirectory() as folder:
        truth, out = Path(folder) / "truth.jsonl", Path(folder) / "rows.json"
        os.sched_setaffinity(0, {cores[-1]})
        api = str(requests_of(name)["dialect"])
        with running(["--api", api, *TESTBED, "--truth", str(truth)]) as url:
            os.sched_setaffinity(0, {cores[0]})
            environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'bench'}"}
            if name.startswith(WHOLE):
                request = json.dumps(requests_of(name) | {"format": "pcm", "validate": "sample 10%"})
                (command,) = streamed(request, url, Path(folder), streams)
                environment |= {"STREAMS_OUT": str(out), "STREAMS_SECONDS": str(seconds)}
                environment |= {"STREAMS_WARM_UP_S": str(2 * WARM_UP_S), "STREAMS_AUDIO_S": str(AUDIO_S)}
            else:
                command = [sys.executable, __file__, "--load", name, "--streams", str(streams)]
                command += ["--seconds", str(seconds), "--host", url, "--out", str(out)]
            done = subprocess.run(
                command, check=False, env=environment, capture_output=True, text=True, timeout=120
            )
        os.sched_setaffinity(0, cores)
        if done.returncode:
            sys.exit(done.stderr)
        sent = [json.loads(line) for line in truth.read_text().splitlines()]
        return compared(json.loads(out.read_text()), {row["request_id"]: row for row in sent}, streams)


def requests_of(name: str) -> dict[str, object]:
    """What a client asks for."""
    return REQUESTS.get(name.removeprefix(WHOLE).strip(), REQUESTS["kernel"])


def compared(found: dict[str, Any], truth: Mapping[str, dict[str, Any]], streams: int) -> Round:
    errors: dict[str, list[float]] = {what: [] for what in ERRORS}
    merged, sending_s, late_s = 0, 0.0, []
    for key, sent_s, true_sent_s, end_s, arrivals in found["rows"]:
        row = truth[key]
        stamps_s = row["received_s"] + np.array(row["chunk_ns"]) / 1e9
        true, true_arrivals = played(true_sent_s, list(zip(stamps_s, row["chunk_bytes"], strict=True)))
        seen, seen_arrivals = played(sent_s, arrivals)
        errors["first audio"].append(_s(seen.ttfa_s) - _s(true.ttfa_s))
        errors["total"].append((end_s - sent_s) - (row["end_s"] - true_sent_s))
        errors["underrun"].append(_s(seen.underrun_s) - _s(true.underrun_s))
        if len(seen_arrivals) == len(true_arrivals):
            errors["gaps"].extend(np.diff(seen_arrivals) - np.diff(true_arrivals))
        else:
            merged += 1
        sending_s += row["end_s"] - row["received_s"]
        late_s.append(row["late_max_s"])
    count = len(found["rows"])
    return Round(
        {what: np.abs(values or [0.0]) * 1e3 for what, values in errors.items()},
        merged / count,
        sending_s / (streams * found["seconds"]),
        found["cpu"],
        found["others"],
        float(np.percentile(late_s, 99)) * 1e3,
    )


def played(sent_s: float, arrivals: list[tuple[float, int]]) -> tuple[Playback, list[float]]:
    """What a listener notices of a stream of raw PCM, and when each part of it came."""
    times_s = [when_s for when_s, _ in arrivals]
    speech = Speech(b"", "audio/pcm", sent_s, times_s[0], times_s[-1], tuple(arrivals), streamed=True)
    available_s = [bytes_ / BYTES_PER_S for bytes_ in accumulate(count for _, count in arrivals)]
    return play(speech, available_s, AUDIO_S), times_s


def _s(value: float | None) -> float:
    assert value is not None  # a stream of raw PCM has them all
    return value


# --- the client's process


def measure(arguments: argparse.Namespace) -> None:
    """Write a row for each stream that was asked for and ended in the measured time."""
    from locust.env import Environment

    rows: list[Row] = []
    users = arguments.streams[0]
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    user_class = fast_user(rows) if arguments.load == "FastHttpUser" else genload_user(rows, arguments.load)
    user_class.host = arguments.host
    environment = Environment(user_classes=[user_class], host=arguments.host)
    environment.create_local_runner().start(users, spawn_rate=users)
    write_down(
        rows,
        environment.stats,
        arguments.out,
        warm_up_s=WARM_UP_S,
        seconds=arguments.seconds,
        audio_s=AUDIO_S,
    )


def begin_apart() -> None:
    """Let users start their first stream at different times."""
    import random

    import gevent

    gevent.sleep(random.uniform(0, 2 * AUDIO_S))


def genload_user(rows: list[Row], stamps: str) -> Any:
    from gevent import getcurrent
    from locust import User, task

    from genload.client.connection import Connection
    from genload.extensions import Wings, attribute
    from genload.service import Utterance
    from genload.settings.service import Service

    stamp_sends(Connection, "send")
    if stamps == "process":
        mock.patch("genload.client.connection.ask_for_stamps", lambda sock: False).start()
    new_client: Callable[[Service], Any] = attribute("services", "speech", "Client")
    request: dict[str, Any] = {"format": "pcm", **requests_of(stamps)}

    class Listening(User):
        def on_start(self) -> None:
            settings = {"api": "speech", "host": self.host, "request": request}
            self.client = new_client(Service.model_validate(settings, context={"wings": Wings()}))
            begin_apart()

        @task
        def listen(self) -> None:
            key = self.client.request_id = str(uuid.uuid4())
            speech = self.client.speak(Utterance(0, key, request["voices"][0]))
            true_sent_s = getcurrent().true_sent_s
            rows.append((key, speech.sent_s, true_sent_s, speech.end_s, list(speech.arrivals)))
            self.environment.events.request.fire(
                request_type="POST",
                name="speech",
                response_time=(speech.end_s - speech.sent_s) * 1e3,
                response_length=len(speech.content),
                exception=None,
                context={},
            )

    return Listening


def fast_user(rows: list[Row]) -> Any:
    from gevent import getcurrent, socket
    from locust import FastHttpUser, task

    stamp_sends(socket.socket, "sendall")

    class Listening(FastHttpUser):
        def on_start(self) -> None:
            begin_apart()

        @task
        def listen(self) -> None:
            key = str(uuid.uuid4())
            order = {"input": key, "voice": "af_heart", "response_format": "pcm"}
            sent_s = time.monotonic()
            response = self.client.post(
                "/v1/audio/speech", json=order, headers={"X-Request-ID": key}, stream=True, name="speech"
            )
            pieces = response.iter_content(CHUNK_BYTES, decode_content=False)
            arrivals = [(time.monotonic(), len(piece)) for piece in pieces]
            rows.append((key, sent_s, getcurrent().true_sent_s, time.monotonic(), arrivals))

    return Listening


if __name__ == "__main__":
    sys.exit(main())
