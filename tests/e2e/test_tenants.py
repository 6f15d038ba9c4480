"""Speech and 3D users in one scenario, and callers who come on a schedule, with real processes: each
population's counts, records and criteria, and what the one does to the other, against what the testbeds were
told.
"""

from __future__ import annotations

import json
import subprocess
import urllib.request
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import quote

import pytest

from genload.runlog.error_classes import NOT_STARTED
from genload.runlog.reader import RunLog, open_run
from genload.runlog.records import PhaseStarted, RequestRecord, Users

from ..listening import listening_port
from .beside_plan import beside_plan
from .conftest import LOCUSTFILES, Outcome

pytestmark = pytest.mark.processes

# While two jobs run, the first audio takes 200 + 2 × 200 ms instead of 200 ms.
GPU = {"first_chunk": "200ms", "slowed_by": 1, "audio": "1600ms", "pace": "1ms"}
SUITE = """\
service: {{api: orfeas, host: "{jobs}", timeout: 30s, poll: {{interval: 50ms}}}}
locustfile: generation3d
validity: {{lag_floor: 2s, min_user_seconds: 30%, max_cpu: 200%}}
scenarios:
  gpu:
    shape:
      kind: phases
      phases:
        - {{name: alone, duration: 2s, users: {{speech: 3}}}}
        - {{name: together, duration: 3s, users: {{generation3d: 2, speech: 4}}}}
    populations:
      generation3d:
        criteria: {{all_good: generate.failed == 0, none_alone: "generate.attempted{{phase=together}} >= 2"}}
      speech:
        service: {{api: speech, host: "{speech}", request: {{dialect: openai, format: pcm}}}}
        locustfile: speech
        criteria:
          all_good: speech.failed == 0
          hardly_later: speech.ttfa.p50{{phase=together}} <= 150% of speech.ttfa.p50{{phase=alone}}
      callers:
        service: {{api: speech, host: "{speech}", request: {{dialect: openai, format: pcm}}}}
        locustfile: speech
        shape:
          kind: arrivals
          stages: [{{name: alone, rate: 4/s, duration: 2s}}, {{name: together, rate: 6/s, duration: 3s}}]
          max_in_flight: 20
        criteria: {{all_good: speech.failed == 0}}
"""


@pytest.fixture
def shared_gpu(testbed: Callable[..., Any], tmp_path: Path) -> tuple[Any, Any, str]:
    """A testbed of jobs and one of speech on one GPU, and the scenario with users of both."""
    jobs = testbed(service_time="800ms", spread=0, gpu=tmp_path / "gpu")
    speech = testbed(api="openai", engine="tone", gpu=tmp_path / "gpu", **GPU)
    suite = tmp_path / "own.yaml"
    suite.write_text(SUITE.format(jobs=jobs.url, speech=speech.url))
    return jobs, speech, f"{suite}/gpu"


def load_of(log: RunLog, population: str) -> list[RequestRecord]:
    of_one = [record for record in log.requests() if record.population == population and record.operation]
    return [record for record in of_one if not record.warmup]


def check(log: RunLog, jobs: Any, speech: Any, sources: set[str]) -> None:
    """Counts by phase, records against the truth, and what the jobs did to the speech."""
    events = list(log.events())
    begins = {event.phase: event.t_s for event in events if isinstance(event, PhaseStarted)}
    assert list(begins) == ["alone", "together"]
    wanted = {("generation3d", "together"): 2, ("speech", "alone"): 3, ("speech", "together"): 4}
    check_callers(log, sources)
    for population in ("generation3d", "speech"):
        records = load_of(log, population)
        at_work: dict[str, set[tuple[str, int]]] = {}
        for record in records:
            at_work.setdefault(record.phase, set()).add((record.source, record.user))
        counts = {(population, phase): len(users) for phase, users in at_work.items()}
        assert counts == {key: count for key, count in wanted.items() if key[0] == population}
        targets = {e.target for e in events if isinstance(e, Users) and e.population == population}
        assert targets <= {0, *(count for key, count in wanted.items() if key[0] == population)}
        assert {record.source for record in records} == sources
    # Every request of either testbed is a record of a population that asks it, and of no other.
    made = [record for record in log.requests() if record.operation and record.error_class != NOT_STARTED]
    told = {row["job_id"] for row in jobs.truth_records()}
    assert told == {record.job_id for record in made if record.population == "generation3d"}
    truth = {row["request_id"]: row for row in speech.truth_records()}
    spoke = [record.request_id for record in made if record.population in ("speech", "callers")]
    assert sorted(truth) == sorted(spoke)
    assert not log.missing_records()
    # Nobody knows a job before it runs: speech beside n jobs is held back n times as long as it was told.
    spoken = load_of(log, "speech")
    for record in spoken:
        row = truth[record.request_id]
        assert row["slowed_s"] == pytest.approx(0.2 * row["gpu_jobs"])
        assert record.numbers["ttfa_s"] >= 0.2 + row["slowed_s"] - 0.002
    alone, together = ([r for r in spoken if r.phase == phase] for phase in ("alone", "together"))
    assert {truth[record.request_id]["gpu_jobs"] for record in alone} == {0}
    assert max(truth[record.request_id]["gpu_jobs"] for record in together) == 2
    first, later = (median(r.numbers["ttfa_s"] for r in some) for some in (alone, together))
    assert later > first


def check_callers(log: RunLog, sources: set[str]) -> None:
    """Each arrival of the schedule has a record, in its phase, and the workers have them in turn."""
    records = load_of(log, "callers")
    phases = Counter(record.phase for record in records)
    assert phases == {phase["name"]: phase["arrivals"] for phase in log.header.populations["callers"].phases}
    assert all(record.intended_s is not None and record.start_s >= record.intended_s for record in records)
    each = Counter(record.source for record in records)
    assert each.keys() == sources and max(each.values()) - min(each.values()) <= 1


def test_all_populations_of_one_process(
    shared_gpu: tuple[Any, Any, str], run_genload: Callable[..., Outcome]
) -> None:
    jobs, speech, scenario = shared_gpu
    outcome = run_genload(scenario, "--workers", "1")
    assert outcome.code == 1, outcome.output
    log = open_run(outcome.suite_folder / "gpu")
    check(log, jobs, speech, {"local"})
    # Of a machine that stands still as the load ends, the last callers are not let in any more.
    missed = [record for record in load_of(log, "callers") if record.outcome != "ok"]
    assert {record.error_class for record in missed} <= {NOT_STARTED}
    suite = scenario.removesuffix("/gpu")
    beside = beside_plan(outcome.suite_folder / "gpu", suite, population="callers")
    assert beside.agrees, beside
    verdicts = {
        population: {
            name: criterion["result"]
            for criterion in outcome.result(f"gpu.{population}")["verdict"]["criteria"]
            for name in [criterion["name"]]
        }
        for population in ("generation3d", "speech", "callers")
    }
    assert verdicts == {
        "generation3d": {"all_good": "pass", "none_alone": "pass"},
        "speech": {"all_good": "pass", "hardly_later": "fail"},
        "callers": {"all_good": "fail" if missed else "pass"},
    }
    assert "own/gpu/speech  FAIL" in outcome.output and "own/gpu/generation3d  PASS" in outcome.output
    assert "; speech: users" in outcome.output and "; callers: arrived" in outcome.output


def test_all_populations_on_two_workers_from_the_web_page(
    shared_gpu: tuple[Any, Any, str],
    start_locust: Callable[..., subprocess.Popen[str]],
    wait_until: Callable[..., None],
    tmp_path: Path,
) -> None:
    jobs, speech, scenario = shared_gpu
    users = f"generation3d.py,{LOCUSTFILES / 'speech'}"
    asked = "--scenario", scenario, "--seed", "3", "--web-port", "0"
    master = start_locust("--master", "--master-bind-port", "0", *asked, locustfile=users)
    url = f"http://127.0.0.1:{listening_port(master, 1)}"
    port = str(listening_port(master))
    for _ in range(2):
        start_locust("--worker", "--master-port", port, locustfile=users)

    def told(path: str, data: bytes | None = None) -> Any:
        try:
            with urllib.request.urlopen(f"{url}/{path}", data, timeout=30) as answer:  # noqa: S310  our own URL
                return json.load(answer)
        except OSError:  # not there yet
            return {}

    wait_until(lambda: len(told("stats/requests").get("workers", ())) == 2, master)
    assert told("swarm", f"scenario={quote(scenario)}&seed=3".encode())["success"]
    wait_until(lambda: told("scenario/state").get("finished"), master, timeout_s=90)
    state = told("scenario/state")
    master.terminate()
    master.communicate(timeout=60)
    (run,) = (tmp_path / "results").glob("*/gpu")
    log = open_run(run)
    check(log, jobs, speech, {"w0", "w1"})
    names = {f"own/gpu/{population}" for population in ("generation3d", "speech", "callers")}
    assert {one["name"] for one in state["finished"]} == names
    alone, together = (phase["arrivals"] for phase in log.header.populations["callers"].phases)
    assert [phase["load"] for phase in state["run"]["phases"]] == [
        f"generation3d: 0 users, speech: 3 users, callers: {alone} arrivals",
        f"generation3d: 2 users, speech: 4 users, callers: {together} arrivals",
    ]
    assert state["run"]["callers"]["callers"].startswith(f"arrived {alone + together} of {alone + together}")
    assert {"speech: hardly_later", "callers: all_good"} <= {one["name"] for one in state["run"]["criteria"]}


def test_a_population_whose_users_are_not_there_is_refused(
    shared_gpu: tuple[Any, Any, str], run_locust: Callable[..., Outcome]
) -> None:
    _, _, scenario = shared_gpu
    outcome = run_locust("--scenario", scenario, timeout_s=60)
    assert outcome.code == 2, outcome.output
    assert "the population speech of own/gpu needs the users of speech.py" in outcome.output
    assert f"name that file, too: locust -f …,{LOCUSTFILES / 'speech.py'}" in outcome.output
