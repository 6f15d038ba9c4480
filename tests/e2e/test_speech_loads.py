"""Speech by burst, sequence and open schedule: what the service saw is what was planned, and all of it is
recorded.
"""

from __future__ import annotations

import itertools
import json
import signal
import subprocess
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from genload.runlog.reader import open_run
from genload.runlog.records import LoadEnded, LoadStarted, RequestRecord, Users
from genload.settings.arrivals import Stage, open_load

from ..busy_machine import VALIDITY
from ..listening import listening_port
from .beside_plan import beside_plan

pytestmark = pytest.mark.processes

VOICES = ("af_heart", "am_puck", "am_adam")
LENGTHS = ("short", "medium", "long", "very_long")
EVERY_S = 0.1

Start = Callable[..., subprocess.Popen[str]]


class SpeechLoad:
    """A LiteTTS that hums, a suite with one scenario and no limits that a busy machine would exceed, and what
    comes of its run.
    """

    def __init__(self, testbed: Callable[..., Any], start: Start, folder: Path) -> None:
        self._testbed, self._start, self.folder = testbed, start, folder

    def serve(self, **options: Any) -> None:
        """Each answer at once unless the options say otherwise."""
        at_once = {"per_character": "20ms", "pace": "0s", "chunk": "10s"}
        self.server = self._testbed(api="litetts", engine="tone", **{**at_once, **options})

    def options(
        self,
        shape: str,
        *,
        criteria: str = "all_good: speech.failed == 0",
        lengths: Sequence[str] = LENGTHS,
        warmup: int = 0,
        **scenario: str,
    ) -> tuple[str, ...]:
        """Write the suite; the options of Locust that run it."""
        also = "".join(f"    {key}: {value}\n" for key, value in scenario.items())
        self.suite = self.folder / "own.yaml"
        self.suite.write_text(
            "service:\n  api: speech\n  timeout: 40s\n  retry: {max_retries: 0}\n"
            "  request: {dialect: {extends: litetts, name: Mine},"
            f" voices: [{', '.join(VOICES)}],"
            f" texts: {{lengths: [{', '.join(lengths)}]}}, validate: {{min_s_per_character: 5ms}}}}\n"
            "locustfile: speech\nreports: [results_json]\n"
            f"validity: {VALIDITY}\n"
            f"scenarios:\n  one:\n    shape: {{{shape}}}\n    warmup: {{jobs: {warmup}}}\n"
            "    failure_pause: 0s\n"
            f"    criteria: {{{criteria}}}\n{also}"
        )
        return "--scenario", f"{self.suite}/one", "-H", self.server.url

    def start(self, *options: str) -> subprocess.Popen[str]:
        return self._start(*options, locustfile="speech")

    def run(self, shape: str, **options: Any) -> list[dict[str, Any]]:
        """A headless run to its end, which must be a pass; what the service saw."""
        process = self.start("--headless", *self.options(shape, **options))
        output = ended(process)
        assert process.returncode == 0, output
        if any(record.outcome == "ok" for record in self.log.requests()):
            beside = beside_plan(self.run_folder, str(self.suite))
            assert beside.agrees, beside
        return list(self.server.truth_records())

    @property
    def results(self) -> Path:
        return self.folder / "results"

    @property
    def log(self) -> Any:
        """The run's records."""
        return open_run(self.run_folder)

    @property
    def run_folder(self) -> Path:
        (folder,) = self.results.glob("*/one")
        return folder


@pytest.fixture
def load(testbed: Callable[..., Any], start_locust: Start, tmp_path: Path) -> SpeechLoad:
    return SpeechLoad(testbed, start_locust, tmp_path)


def ended(process: subprocess.Popen[str]) -> str:
    output, _ = process.communicate(timeout=200)
    return output


def by_intention(run: Any) -> list[RequestRecord]:
    return sorted(run.requests(), key=lambda record: record.intended_s or 0.0)


def arrival_numbers(run: Any) -> list[int]:
    """Which multiples of the interval after the load's beginning the intended starts are."""
    (began,) = [event.t_s for event in run.events() if isinstance(event, LoadStarted)]
    return [round((record.intended_s - began) / EVERY_S) for record in by_intention(run)]


def all_there_before_the_first_answer(rows: list[dict[str, Any]]) -> bool:
    return max(row["received_s"] for row in rows) < min(row["first_byte_s"] for row in rows)


def spoken(records: list[RequestRecord]) -> Counter[tuple[str, str]]:
    return Counter((record.labels["voice"], record.labels["length"]) for record in records)


def test_a_burst_is_all_there_before_its_first_answer(load: SpeechLoad) -> None:
    load.serve(first_chunk="3s")
    rows = load.run("kind: burst, users: 24")
    assert all_there_before_the_first_answer(rows)
    records = list(load.log.requests())
    assert sorted(record.request_id for record in records) == sorted(row["request_id"] for row in rows)
    # 24 requests are 12 combinations twice: each number from 0 was made once.
    assert spoken(records) == {(voice, length): 2 for voice in VOICES for length in LENGTHS}
    assert {record.labels["cache"] for record in records} == {"miss"}
    assert {record.numbers["valid"] for record in records} == {1.0}
    assert {record.user for record in records} == set(range(24))


def test_a_sequence_never_has_two_at_once_and_keeps_what_failed(load: SpeechLoad) -> None:
    load.serve(fault="silence=100%")
    seen = load.run("kind: sequential, requests: 6", criteria="none_good: speech.completed == 0")
    rows = sorted(seen, key=lambda row: row["received_s"])
    assert len(rows) == 6
    assert all(after["received_s"] >= before["end_s"] for before, after in itertools.pairwise(rows))
    records = list(load.log.requests())
    assert {record.error_class for record in records} == {"silent_audio"}
    assert {record.numbers["valid"] for record in records} == {0.0}
    kept = sorted(load.results.glob("*/one/failures/silent_audio/*.wav"))
    assert len(kept) == 3
    assert kept[0].read_bytes()[:4] == b"RIFF"


def test_a_listener_asks_for_more_when_all_has_been_heard(load: SpeechLoad) -> None:
    # Half a second of each text; and after a second without any the next one is late.
    load.serve(per_character="10ms", fault="cold-start=600ms@1s")
    scenario = {"warmup": 1, "idle": "1200ms", "pace": "playback"}
    rows = load.run("kind: sequential, requests: 4", lengths=["medium"], **scenario)
    warmup, cold, *records = sorted(load.log.requests(), key=lambda record: record.start_s)
    assert (warmup.phase, cold.phase) == ("warmup", "cold")
    assert cold.start_s - (warmup.start_s + warmup.duration_s) >= 1.2
    rows.sort(key=lambda row: row["received_s"])
    assert [row["cold_s"] for row in rows[:2]] == [0.6, 0.6]
    for before, after in itertools.pairwise(rows):  # on a busy machine it may have rested once more
        rested_s = after["received_s"] - before["end_s"]
        assert abs(rested_s - 1.0) < 0.1 or (after["cold_s"] > 0) == (rested_s > 1.0)
    (results,) = load.results.glob("*/results_one.json")
    first, idle = json.loads(results.read_text())["cold_starts"]
    for told, record in ((first, warmup), (idle, cold)):
        assert told["duration"] == pytest.approx(record.duration_s) and told["duration"] >= 0.6
        assert told["warm_requests"] == 4 and told["warm_p50"] <= max(each.duration_s for each in records)
    assert [round(record.numbers["audio_duration_s"], 1) for record in records] == [0.5] * 4
    waits_s = [
        after.start_s - before.start_s - before.numbers["playout_s"]
        for before, after in itertools.pairwise(records)
    ]
    assert 0 <= min(waits_s) < 0.5
    received_s = sorted(row["received_s"] for row in rows)
    assert all(after - before > 0.5 for before, after in itertools.pairwise(received_s))


def test_a_slow_service_moves_no_intended_start(load: SpeechLoad) -> None:
    # One at a time, 300 ms each: 20 arrivals in 2 s take 6 s, and the last has waited for more than 3 s.
    load.serve(slots=1, first_chunk="300ms")
    shape = f"kind: paced, every: {EVERY_S * 1e3:g}ms, duration: 2s"
    rows = load.run(shape, criteria="waited: speech.duration.max > 3s")
    records = by_intention(load.log)
    assert arrival_numbers(load.log) == list(range(20))
    for record in records:
        late_s = record.numbers["start_delay_s"]
        assert record.start_s == pytest.approx(record.intended_s + late_s, abs=1e-6)
        assert late_s >= 0
    # Whoever waits for the answers before cannot have so many at the service at once.
    changes = sorted([(row["received_s"], 1) for row in rows] + [(row["end_s"], -1) for row in rows])
    in_flight = [sum(change for _, change in changes[: n + 1]) for n in range(len(changes))]
    assert max(in_flight) >= 6
    assert {record.phase for record in records} == {"paced"}
    assert sum(record.drained for record in records) >= 10


def test_workers_share_a_burst(load: SpeechLoad, cluster: Callable[..., Any]) -> None:
    load.serve(first_chunk="3s")
    master, _ = cluster(*load.options("kind: burst, users: 12"), locustfile="speech")
    output = ended(master)
    assert master.returncode == 0, output
    assert all_there_before_the_first_answer(load.server.truth_records())
    records = list(load.log.requests())
    assert not load.log.missing_records()
    assert Counter(record.source for record in records) == {"w0": 6, "w1": 6}
    assert spoken(records) == {(voice, length): 1 for voice in VOICES for length in LENGTHS}
    beside = beside_plan(load.run_folder, str(load.suite))
    assert beside.planned == beside.completed == 12


def test_workers_share_a_schedule_at_random_and_tell_what_they_never_started(
    load: SpeechLoad, cluster: Callable[..., Any]
) -> None:
    # A hand a worker, and each request takes longer than the rest of the load.
    load.serve(first_chunk="4s")
    shape = "kind: arrivals, stages: [{name: calm, rate: 8/s, duration: 500ms}, "
    shape += "{name: rush, rate: 8/s, to: 40/s, duration: 500ms}], max_in_flight: 2"
    criteria = "mostly_left: speech.unfinished >= 5 and speech.in_flight.last >= 7"
    master, _ = cluster(*load.options(shape, criteria=criteria), "--seed", "5", locustfile="speech")
    output = ended(master)
    stages = [Stage("calm", 0.5, 8.0, 8.0), Stage("rush", 0.5, 8.0, 40.0)]
    planned = open_load(stages, "poisson", 5, 2, "")  # as every process has computed it
    count = planned.arrivals or 0
    found = by_intention(load.log)
    assert len(found) == count, output
    for rank in range(2):
        records, numbers = [r for r in found if r.source == f"w{rank}"], range(rank, count, 2)
        # To the digit but for the clock of the worker, which is known to some milliseconds.
        offsets_s = [r.intended_s - planned.arrival(n)[1] for r, n in zip(records, numbers, strict=True)]
        assert offsets_s == pytest.approx([offsets_s[0]] * len(records), abs=1e-6)
        phases = [planned.phases[planned.arrival(n)[0]].name for n in numbers]
        assert [record.phase for record in records] == phases
        assert [record.labels["length"] for record in records] == [LENGTHS[n % 4] for n in numbers]
        assert [record.outcome for record in records] == ["ok"] + ["unfinished"] * (len(records) - 1)
        assert {record.error_class for record in records[1:]} == {"not_started"}
    assert len(load.server.truth_records()) == 2
    assert f"arrivals: {count} planned, 2 of them started" in output, output


def test_the_web_ui_runs_one_load_after_the_other(load: SpeechLoad, wait_until: Callable[..., None]) -> None:
    load.serve()
    process = load.start(*load.options("kind: burst, users: 6"), "--web-port", "0")
    port = listening_port(process)

    def ended_runs() -> int:
        return len(list(load.results.glob("*/results_one.json")))

    for run_number in (1, 2):
        # Again while the page is not there yet, or the run before is not quite over.
        wait_until(lambda: started_from_form(f"http://127.0.0.1:{port}", f"{load.suite}/one"), process)
        wait_until(lambda wanted=run_number: ended_runs() == wanted, process)
    process.terminate()
    output = ended(process)
    for folder in load.results.glob("*/one"):
        records = list(open_run(folder).requests())
        assert [record.outcome for record in records] == ["ok"] * 6, output
        assert {record.source for record in records} == {"local"}
    texts = [row["request_id"] for row in load.server.truth_records() if row["cache"] == "miss"]
    assert len(set(texts)) == 12  # the second run said something new: nothing came from the cache


def started_from_form(url: str, scenario: str) -> bool:
    """Press the button."""
    data = urllib.parse.urlencode({"scenario": scenario}).encode()
    try:
        with urllib.request.urlopen(f"{url}/swarm", data=data, timeout=30) as answer:  # noqa: S310
            return bool(json.load(answer)["success"])
    except OSError:
        return False


def test_ctrl_c_leaves_a_complete_report(load: SpeechLoad, wait_until: Callable[..., None]) -> None:
    load.serve(first_chunk="60s")
    shape = f"kind: paced, every: {EVERY_S * 1e3:g}ms, duration: 50s"
    process = load.start("--headless", *load.options(shape))

    def told(event: type[Any]) -> list[Any]:
        return [
            one
            for _ in load.results.glob("*/one/run.json")
            for one in load.log.events()
            if isinstance(one, event)
        ]

    wait_until(lambda: any(users.in_flight >= 5 for users in told(Users)), process)
    process.send_signal(signal.SIGINT)
    wait_until(lambda: told(LoadEnded), process)
    process.send_signal(signal.SIGINT)  # again: do not wait for a minute
    output = ended(process)
    assert process.returncode == 130, output
    assert "speech" in output
    numbers = arrival_numbers(load.log)
    assert numbers == list(range(len(numbers))) and len(numbers) >= 5
    records = list(load.log.requests())
    assert {record.outcome for record in records} == {"unfinished"}
    assert {record.labels["voice"] for record in records} <= set(VOICES)
    assert not load.log.missing_records()


@pytest.mark.parametrize(
    ("locustfile", "texts", "words"),
    [
        ("generation3d", "{}", "need a service with a JobClient, and 'speech'"),
        ("speech", "{file: nowhere.jsonl}", "nowhere.jsonl"),
    ],
)
def test_what_cannot_run_is_refused_at_once(
    locustfile: str, texts: str, words: str, tmp_path: Path, start_locust: Start
) -> None:
    suite = tmp_path / "own.yaml"
    suite.write_text(
        f"service: {{api: speech, request: {{dialect: litetts, texts: {texts}}}}}\n"
        "locustfile: speech\n"
        "scenarios: {one: {shape: {kind: sequential}, criteria: {ok: speech.failed == 0}}}\n"
    )
    process = start_locust("--headless", "--scenario", f"{suite}/one", locustfile=locustfile)
    output = ended(process)
    assert process.returncode == 2, output
    assert words in " ".join(output.split())
    assert "Traceback" not in output
    assert not (tmp_path / "results").exists()
