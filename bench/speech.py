"""What it costs to listen: whole WAV answers of 48,000 bytes, requests a second on one core.

A server on another core answers each request with other bytes. Two kinds of genload users, each with every
answer decoded and judged, and with a sample of 10 %:

client and listener  `HttpClient`, `Listener`, an event for Locust, and the record written
whole user           also a text of its own for each request, services/openai_speech.py and the driver: a
                     run's speech user without its gate

Their inspector runs on the same core, and its CPU time counts. Beside them, in turn, Locust's FastHttpUser,
which looks at nothing, and genai-bench's text-to-speech task where that is installed (its command on the
PATH, or named by GENAI_BENCH). Each round starts a fresh process. Prints the median of each, and the median
of its ratio to FastHttpUser in the same round, by the clock and by CPU time. On a machine that is used by
others, --realtime puts all of them before those (SCHED_RR, needs root).

    python bench/speech.py [--rounds N] [--seconds S] [--users N] [--realtime]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from parts.rounds import ratio, round_of, started, two_cores
from parts.wav_server import PORT, SERVER, one_second, serve, server

PLAIN = "FastHttpUser"
LISTENING = {
    "all": ("client and listener", "all"),
    "sample": ("client and listener", "sample 10%"),
    "user-all": ("whole user", "all"),
    "user-sample": ("whole user", "sample 10%"),
}
LOADS = (*LISTENING, PLAIN)
WANTED = {"all": 1.3, "sample": 2.2}
"""Times FastHttpUser, at least: of those who, like it, send what they are given."""
PATH = "/v1/audio/speech"
GENAI_REQUESTS = 1500


def main() -> None:
    arguments = _arguments()
    if arguments.load == SERVER:
        serve()
    elif arguments.load:
        measure(arguments.load, arguments)
    else:
        report(arguments)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0, help="measured seconds of each round")
    parser.add_argument("--users", type=int, default=64)
    parser.add_argument("--realtime", action="store_true", help="run before everybody else's processes")
    parser.add_argument("--load", choices=[*LOADS, SERVER], help=argparse.SUPPRESS)
    return parser.parse_args()


def report(arguments: argparse.Namespace) -> None:
    core, other_core = two_cores()
    options = ["--seconds", str(arguments.seconds), "--users", str(arguments.users)]
    if arguments.realtime:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))  # of what is started from here, too
    genai_bench = shutil.which(os.environ.get("GENAI_BENCH", "genai-bench"))
    results: dict[str, list[list[float]]] = {name: [] for name in LOADS}
    genai_rates = []
    with tempfile.TemporaryDirectory() as folder, server(other_core):
        for _ in range(arguments.rounds):
            for name in LOADS:
                results[name].append(round_of(name, core, options))
            if genai_bench:
                genai_rates.append(genai_round(genai_bench, core, arguments, Path(folder)))
    for column, unit in enumerate(("s", "s of CPU")):
        print_rates({name: [row[column] for row in rows] for name, rows in results.items()}, unit)
    if genai_rates:
        print_rate("genai-bench", genai_rates, [row[0] for row in results[PLAIN]], "s")
    else:
        print("genai-bench: not installed")


def print_rates(rates: dict[str, list[float]], unit: str) -> None:
    for name, rounds in rates.items():
        kind, validate = LISTENING.get(name, (name, ""))
        label = f"{kind}, {validate}" if validate else kind
        print_rate(label, rounds, rates[PLAIN], unit, WANTED.get(name))


def print_rate(
    label: str, rounds: list[float], plain: list[float], unit: str, wanted: float | None = None
) -> None:
    times = ratio(rounds, plain)
    more = f" (wanted {wanted})" if wanted else ""
    each = ", ".join(f"{rate:,.0f}" for rate in rounds)
    print(f"{label:31} {median(rounds):8,.0f} requests/{unit}  × {times:.2f}{more}   rounds: {each}")


# --- the clients ------------------------------------------------------------------------------------


def measure(load: str, arguments: argparse.Namespace) -> None:
    """Prints requests a second, and a second of CPU."""
    import gevent

    from genload.artifacts.inspector import shared
    from genload.harness.housekeeping import hold_back

    user = fast_user() if load == PLAIN else listening_user(*LISTENING[load])
    if load != PLAIN:
        inspect_one()
    environment = started(user, arguments.users, PORT)
    stats = environment.stats
    while stats.total.num_requests < 10 * arguments.users:
        gevent.sleep(0.1)  # until everybody has had some answers
    gevent.sleep(0.5)
    if load != PLAIN:
        hold_back()  # as a run does
    before, start_s, cpu_s = stats.total.num_requests, time.monotonic(), cpu_of_all(shared().pid)
    gevent.sleep(arguments.seconds)
    requests = stats.total.num_requests - before
    rates = requests / (time.monotonic() - start_s), requests / (cpu_of_all(shared().pid) - cpu_s)
    environment.runner.quit()
    shared().close()
    if stats.total.num_failures or not requests:
        sys.exit(f"{requests} requests, of all {stats.total.num_failures} failed: {list(stats.errors)}")
    print(*rates)


def inspect_one() -> None:
    """What the inspector takes to start is not of the answers."""
    from genload.artifacts.audio.facts import RawSamples
    from genload.artifacts.inspector import shared
    from genload.artifacts.inspector.messages import AudioTask

    wav = bytes(one_second())
    task = AudioTask(
        size=len(wav),
        form="wav",
        raw=RawSamples(),
        decode=True,
        streamed=False,
        silent_below=0.001,
        longest_s=60.0,
        offsets=[],
    )
    shared().audio(task, wav)


def cpu_of_all(inspector_pid: int | None) -> float:
    """CPU seconds of this process and its inspector."""
    import psutil

    inspector = psutil.Process(inspector_pid).cpu_times() if inspector_pid else None
    return time.process_time() + (inspector.user + inspector.system if inspector else 0.0)


def fast_user() -> Any:
    from locust import FastHttpUser, task

    class Fast(FastHttpUser):
        @task
        def speak(self) -> None:
            self.client.post(PATH, json={"input": "x" * 50, "voice": "af_heart", "response_format": "wav"})

    return Fast


def listening_user(kind: str, validate: str) -> Any:
    """A user that listens to each answer, tells Locust of it, and writes its record."""
    import msgspec
    from locust import User, task

    from genload.extensions import Wings
    from genload.runlog.records import RequestRecord
    from genload.settings.service import Service

    request = {"dialect": "litetts", "format": "wav", "validate": validate}
    settings = {"api": "openai_speech", "host": f"http://127.0.0.1:{PORT}", "request": request}
    service = Service.model_validate(settings, context={"wings": Wings()})
    way = (whole_way if kind == "whole user" else bare_way)(service)
    encoder, numbers = msgspec.json.Encoder(), iter(range(sys.maxsize))
    out = Path(os.devnull).open("wb", buffering=1 << 16)  # noqa: SIM115

    class Listening(User):
        def on_start(self) -> None:
            self.ask: Callable[[int], RequestRecord] = way()

        @task
        def speak(self) -> None:
            record = self.ask(next(numbers))
            self.environment.events.request.fire(
                request_type="POST",
                name="speech",
                response_time=record.duration_s * 1e3,
                response_length=record.bytes_received,
                exception=RuntimeError(record.error) if record.error_class else None,
                context={},
            )
            out.write(encoder.encode(record) + b"\n")

    return Listening


def bare_way(service: Any) -> Callable[[], Callable[[int], Any]]:
    """For each user, a function that asks for an utterance, listens, and makes the record."""
    from genload.artifacts.audio.listener import Heard, Listener
    from genload.artifacts.duplicates import OutputRegistry
    from genload.client import HttpClient, Timeouts
    from genload.drivers.speech_driver import request_of
    from genload.runlog.records import RequestRecord
    from genload.service import ServiceError, Speech, Utterance

    listener = Listener(request_of(service), seed=1, registry=OutputRegistry())
    timeouts = Timeouts(connect_s=30, receive_s=60, total_s=90)

    def new_user() -> Callable[[int], RequestRecord]:
        client = HttpClient(service.host, timeouts=timeouts, max_answer_bytes=1 << 20)

        def ask(number: int) -> RequestRecord:
            text = f"The text of the request number {number}, fifty long..."
            answer = client.post_json(PATH, {"input": text, "voice": "af_heart", "response_format": "wav"})
            times = answer.times
            speech = Speech(
                answer.body,
                "audio/wav",
                times.connected_s,
                times.first_byte_s,
                times.end_s,
                answer.arrivals,
                streamed=False,
            )
            error = ""
            try:
                heard = listener.listen(speech, Utterance(number, text, "af_heart"))
            except ServiceError as failure:
                heard, error = Heard({}), failure.error_class
            return RequestRecord(
                source="local",
                n=number,
                name="speech",
                operation="speech",
                type="POST",
                phase="load",
                start_s=times.start_s,
                duration_s=times.end_s - times.start_s,
                error_class=error,
                status=answer.status,
                bytes_sent=answer.bytes_sent,
                bytes_received=answer.bytes_received,
                gaps=heard.gaps,
                numbers=heard.numbers,
            )

        return ask

    return new_user


def whole_way(service: Any) -> Callable[[], Callable[[int], Any]]:
    """The same by the way of a run."""
    from genload.artifacts.audio.listener import Listener
    from genload.artifacts.duplicates import OutputRegistry
    from genload.artifacts.inputs.texts import TextSource
    from genload.drivers.speech_driver import SpeechDriver, request_of
    from genload.extensions import attribute
    from genload.identifiers import new_identifier
    from genload.runlog.records import RequestRecord

    request = request_of(service)
    new_client = attribute("services", "openai_speech", "Client")
    texts = TextSource(request.texts, request.voices, seed=1, salt="bench")
    listener = Listener(request, seed=1, registry=OutputRegistry())

    def new_user() -> Callable[[int], RequestRecord]:
        client = new_client(service)

        def ask(number: int) -> RequestRecord:
            utterance = texts.utterance(number)
            request_id = new_identifier()
            driver = SpeechDriver(
                client, utterance, service=service, listener=listener, request_id=request_id
            )
            result = driver.run()
            return RequestRecord(
                source="local",
                n=number,
                name="speech",
                operation="speech",
                type="POST",
                request_id=request_id,
                phase="load",
                start_s=result.start_s,
                duration_s=result.duration_s,
                outcome=result.outcome,
                error_class=result.error_class,
                error=result.error,
                status=result.status,
                bytes_sent=result.bytes_sent,
                bytes_received=result.bytes_received,
                labels=result.labels,
                gaps=result.gaps,
                numbers=result.numbers,
            )

        return ask

    return new_user


# --- genai-bench ------------------------------------------------------------------------------------


def genai_round(command: str, core: int, arguments: argparse.Namespace, folder: Path) -> float:
    """Requests a second between its first answer and its last, by the server's clock."""
    tokenizer = folder / "tokenizer"
    tokenizer.mkdir(exist_ok=True)
    words = {"type": "WordLevel", "vocab": {"[UNK]": 0, "a": 1}, "unk_token": "[UNK]"}
    whole = {"version": "1.0", "added_tokens": [], "pre_tokenizer": {"type": "Whitespace"}, "model": words}
    (tokenizer / "tokenizer.json").write_text(json.dumps(whole))
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "[UNK]"}
    (tokenizer / "tokenizer_config.json").write_text(json.dumps(config))
    # Its options are checked in their order: the backend before the task.
    run = ["taskset", "-c", str(core), command, "benchmark", "--api-backend", "openai"]
    run += ["--api-base", f"http://127.0.0.1:{PORT}", "--api-key", "none", "--task", "text-to-speech"]
    run += ["--api-model-name", "speech", "--model-tokenizer", str(tokenizer), "--traffic-scenario", "A(50)"]
    run += ["--num-concurrency", str(arguments.users), "--max-time-per-run", "1"]
    run += ["--max-requests-per-run", str(GENAI_REQUESTS), "--experiment-base-dir", str(folder)]
    run += ["--log-dir", str(folder)]
    asked("/reset")
    done = subprocess.run(run, check=False, cwd=folder, capture_output=True, text=True, timeout=300)
    answers = asked("/answers")
    if answers["count"] < GENAI_REQUESTS / 2:
        sys.exit(f"genai-bench made {answers['count']} requests: {done.stdout[-3000:]} {done.stderr[-2000:]}")
    return float(answers["count"] / (answers["last_s"] - answers["first_s"]))


def asked(path: str) -> dict[str, float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{PORT}{path}", timeout=10) as answer:
        return dict(json.load(answer))


if __name__ == "__main__":
    main()
