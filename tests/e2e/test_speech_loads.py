"""Speech by burst, sequence and open schedule: what the service saw is what was planned, and all of it is
recorded.
"""

from __future__ import annotations

import itertools
import json
import signal
import subprocess
import time
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from genload.runlog.reader import open_run
from genload.runlog.records import LoadStarted, RequestRecord

pytestmark = pytest.mark.processes

VOICES = ("af_heart", "am_puck", "am_adam")
LENGTHS = ("short", "medium", "long", "very_long")
EVERY_S = 0.1

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def target(tmp_path: Path) -> Callable[..., str]:
    """Write a suite with one scenario, ``own.yaml/one``, and no limits that a busy machine would exceed."""

    def write(shape: str, *, criteria: str = "all_good: speech.failed == 0") -> str:
        suite = tmp_path / "own.yaml"
        suite.write_text(
            "service:\n  api: openai_speech\n  timeout: 40s\n  retry: {max_retries: 0}\n"
            f"  request: {{voices: [{', '.join(VOICES)}], texts: {{lengths: [{', '.join(LENGTHS)}]}}}}\n"
            "locustfile: speech\nreports: [results_json]\n"
            "validity: {lag_floor: 5s, late_share: 100000%, burst_spread_floor: 5s}\n"
            f"scenarios:\n  one:\n    shape: {{{shape}}}\n    warmup: {{jobs: 0}}\n    failure_pause: 0s\n"
            f"    criteria: {{{criteria}}}\n"
        )
        return f"{suite}/one"

    return write


@pytest.fixture
def starting(start_locust: Start) -> Iterator[Start]:
    """Start Locust with the speech users; what still runs at the end of the test is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(*options: str) -> subprocess.Popen[str]:
        started.append(start_locust(*options, locustfile="speech"))
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def tone(testbed: Callable[..., Any]) -> Callable[..., Any]:
    """A LiteTTS that hums, each answer at once unless the options say otherwise."""
    at_once = {"per_character": "20ms", "pace": "0s", "chunk": "10s"}
    return lambda **options: testbed(api="litetts", engine="tone", **at_once, **options)


def ended(process: subprocess.Popen[str]) -> str:
    output, _ = process.communicate(timeout=100)
    return output


def the_run(tmp_path: Path) -> Any:
    (folder,) = (tmp_path / "results").glob("*/one")
    return open_run(folder)


def by_intention(run: Any) -> list[RequestRecord]:
    return sorted(run.requests(), key=lambda record: record.intended_s or 0.0)


def arrival_numbers(run: Any) -> list[int]:
    """Which multiples of the interval after the load's beginning the intended starts are."""
    (began,) = [event.t_s for event in run.events() if isinstance(event, LoadStarted)]
    return [round((record.intended_s - began) / EVERY_S) for record in by_intention(run)]


def test_a_burst_is_all_there_before_its_first_answer(
    tone: Callable[..., Any], target: Callable[..., str], starting: Start, tmp_path: Path
) -> None:
    server = tone(first_chunk="3s")
    process = starting("--headless", "--scenario", target("kind: burst, users: 24"), "-H", server.url)
    output = ended(process)
    assert process.returncode == 0, output
    rows = server.truth_records()
    assert max(row["received_s"] for row in rows) < min(row["first_byte_s"] for row in rows)
    records = list(the_run(tmp_path).requests())
    assert sorted(record.request_id for record in records) == sorted(row["request_id"] for row in rows)
    # 24 requests are 12 combinations twice: each number from 0 was made once.
    spoken = Counter((record.labels["voice"], record.labels["length"]) for record in records)
    assert spoken == {(voice, length): 2 for voice in VOICES for length in LENGTHS}
    assert {record.labels["cache"] for record in records} == {"miss"}
    assert {record.numbers["valid"] for record in records} == {1.0}
    assert {record.user for record in records} == set(range(24))


def test_a_sequence_never_has_two_at_once_and_keeps_what_failed(
    tone: Callable[..., Any], target: Callable[..., str], starting: Start, tmp_path: Path
) -> None:
    server = tone(fault="silence=100%")
    process = starting(
        "--headless",
        "--scenario",
        target("kind: sequential, requests: 6", criteria="none_good: speech.completed == 0"),
        "-H",
        server.url,
    )
    output = ended(process)
    assert process.returncode == 0, output
    rows = sorted(server.truth_records(), key=lambda row: row["received_s"])
    assert len(rows) == 6
    assert all(after["received_s"] >= before["end_s"] for before, after in itertools.pairwise(rows))
    run = the_run(tmp_path)
    records = list(run.requests())
    assert {record.error_class for record in records} == {"silent_audio"}
    assert {record.numbers["valid"] for record in records} == {0.0}
    kept = sorted((tmp_path / "results").glob("*/one/failures/silent_audio/*.wav"))
    assert len(kept) == 3
    assert kept[0].read_bytes()[:4] == b"RIFF"


def test_a_slow_service_moves_no_intended_start(
    tone: Callable[..., Any], target: Callable[..., str], starting: Start, tmp_path: Path
) -> None:
    # One at a time, 300 ms each: 20 arrivals in 2 s take 6 s, and the last has waited for more than 3 s.
    server = tone(slots=1, first_chunk="300ms")
    shape = f"kind: paced, every: {EVERY_S * 1e3:g}ms, duration: 2s"
    process = starting(
        "--headless",
        "--scenario",
        target(shape, criteria="waited: speech.duration.max > 3s"),
        "-H",
        server.url,
    )
    output = ended(process)
    assert process.returncode == 0, output
    run = the_run(tmp_path)
    records = by_intention(run)
    assert arrival_numbers(run) == list(range(20))
    for record in records:
        late_s = record.numbers["start_delay_s"]
        assert record.start_s == pytest.approx(record.intended_s + late_s, abs=1e-6)
        assert late_s >= 0
    # Whoever waits for the answers before cannot have so many at the service at once.
    rows = server.truth_records()
    changes = sorted([(row["received_s"], 1) for row in rows] + [(row["end_s"], -1) for row in rows])
    in_flight = [sum(change for _, change in changes[: n + 1]) for n in range(len(changes))]
    assert max(in_flight) >= 6
    assert {record.phase for record in records} == {"paced"}
    assert sum(record.drained for record in records) >= 10


def test_workers_share_a_burst(
    tone: Callable[..., Any],
    target: Callable[..., str],
    starting: Start,
    free_port: Callable[[], int],
    tmp_path: Path,
) -> None:
    server = tone(first_chunk="3s")
    master = cluster(starting, free_port(), target("kind: burst, users: 12"), server.url)
    output = ended(master)
    assert master.returncode == 0, output
    rows = server.truth_records()
    assert max(row["received_s"] for row in rows) < min(row["first_byte_s"] for row in rows)
    run = the_run(tmp_path)
    records = list(run.requests())
    assert not run.missing_records()
    assert Counter(record.source for record in records) == {"w0": 6, "w1": 6}
    spoken = Counter((record.labels["voice"], record.labels["length"]) for record in records)
    assert spoken == {(voice, length): 1 for voice in VOICES for length in LENGTHS}


def test_workers_share_a_schedule_and_tell_what_they_never_started(
    tone: Callable[..., Any],
    target: Callable[..., str],
    starting: Start,
    free_port: Callable[[], int],
    tmp_path: Path,
) -> None:
    # A hand a worker, and each request takes longer than the rest of the load.
    server = tone(first_chunk="4s")
    shape = f"kind: paced, every: {EVERY_S * 1e3:g}ms, duration: 1s, max_users: 2"
    master = cluster(
        starting, free_port(), target(shape, criteria="some_missing: speech.unfinished == 8"), server.url
    )
    output = ended(master)
    run = the_run(tmp_path)
    assert arrival_numbers(run) == list(range(10)), output
    records = by_intention(run)
    assert [record.source for record in records] == ["w0", "w1"] * 5
    assert [record.outcome for record in records] == ["ok"] * 2 + ["unfinished"] * 8
    assert {record.error_class for record in records[2:]} == {"not_started"}
    assert [record.labels["length"] for record in records] == [LENGTHS[n % 4] for n in range(10)]
    assert len(server.truth_records()) == 2


def cluster(starting: Start, port: int, scenario: str, url: str) -> subprocess.Popen[str]:
    """A headless master with two workers."""
    options = ("--master", "--headless", "--master-bind-port", str(port), "--expect-workers", "2")
    master = starting(*options, "--scenario", scenario, "-H", url)
    for _ in range(2):
        starting("--worker", "--master-port", str(port))
    return master


def test_the_web_ui_runs_one_load_after_the_other(
    tone: Callable[..., Any],
    target: Callable[..., str],
    starting: Start,
    free_port: Callable[[], int],
    tmp_path: Path,
) -> None:
    server, port = tone(), free_port()
    scenario = target("kind: burst, users: 6")
    process = starting("--scenario", scenario, "--web-port", str(port), "-H", server.url)
    results = tmp_path / "results"
    for run_number in (1, 2):
        start_from_form(process, f"http://127.0.0.1:{port}", scenario)
        wait_for(process, lambda wanted=run_number: len(list(results.glob("*/results_one.json"))) == wanted)
    process.terminate()
    output = ended(process)
    for folder in results.glob("*/one"):
        records = list(open_run(folder).requests())
        assert [record.outcome for record in records] == ["ok"] * 6, output
        assert {record.source for record in records} == {"local"}
    texts = [row["request_id"] for row in server.truth_records() if row["cache"] == "miss"]
    assert len(set(texts)) == 12  # the second run said something new: nothing came from the cache


def start_from_form(process: subprocess.Popen[str], url: str, scenario: str) -> None:
    """Press the button, again while the page is not there yet or the run before is not quite over."""
    data = urllib.parse.urlencode({"scenario": scenario}).encode()

    def started() -> bool:
        try:
            with urllib.request.urlopen(f"{url}/swarm", data=data, timeout=10) as answer:  # noqa: S310
                return bool(json.load(answer)["success"])
        except OSError:
            return False

    wait_for(process, started)


def wait_for(process: subprocess.Popen[str], reached: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 60
    while not reached():
        assert process.poll() is None and time.monotonic() < deadline_s, "it never came"
        time.sleep(0.1)


def test_ctrl_c_leaves_a_complete_report(
    tone: Callable[..., Any], target: Callable[..., str], starting: Start, tmp_path: Path
) -> None:
    server = tone(first_chunk="60s")
    shape = f"kind: paced, every: {EVERY_S * 1e3:g}ms, duration: 50s"
    process = starting("--headless", "--scenario", target(shape), "-H", server.url)
    logs = tmp_path / "results"
    wait_for(
        process, lambda: any(b"load_started" in log.read_bytes() for log in logs.glob("*/one/events.jsonl"))
    )
    time.sleep(10 * EVERY_S)
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)  # again: do not wait for a minute
    output = ended(process)
    assert process.returncode == 130, output
    assert "speech" in output
    run = the_run(tmp_path)
    numbers = arrival_numbers(run)
    assert numbers == list(range(len(numbers))) and len(numbers) >= 5
    records = list(run.requests())
    assert {record.outcome for record in records} == {"unfinished"}
    assert {record.labels["voice"] for record in records} <= set(VOICES)
    assert not run.missing_records()


@pytest.mark.parametrize(
    ("locustfile", "texts", "words"),
    [
        ("generation3d", "{}", "need a service with a JobClient, and 'openai_speech'"),
        ("speech", "{file: nowhere.jsonl}", "nowhere.jsonl"),
    ],
)
def test_what_cannot_run_is_refused_at_once(
    locustfile: str, texts: str, words: str, tmp_path: Path, start_locust: Start
) -> None:
    suite = tmp_path / "own.yaml"
    suite.write_text(
        f"service: {{api: openai_speech, request: {{texts: {texts}}}}}\nlocustfile: speech\n"
        "scenarios: {one: {shape: {kind: sequential}, criteria: {ok: speech.failed == 0}}}\n"
    )
    process = start_locust("--headless", "--scenario", f"{suite}/one", locustfile=locustfile)
    output = ended(process)
    assert process.returncode == 2, output
    assert words in " ".join(output.split())
    assert "Traceback" not in output
    assert not (tmp_path / "results").exists()
