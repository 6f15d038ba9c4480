"""Master and workers as real processes: nothing lost, the target held across workers, a lost worker
told of.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from genload.runlog.reader import open_run
from genload.runlog.records import ClockOffset, LoadEnded, Users, WorkerLost

from ..busy_machine import VALIDITY
from .conftest import LOCUSTFILES, in_progress

pytestmark = pytest.mark.processes

SCALE = "0.01"


def finished(master: Any, timeout_s: float = 200) -> tuple[int, str]:
    output, _ = master.communicate(timeout=timeout_s)
    return master.returncode, output


def the_run(tmp_path: Path, scenario: str) -> Any:
    (folder,) = (tmp_path / "results").glob(f"*/{scenario}")
    return open_run(folder)


def load_ended(tmp_path: Path, scenario: str) -> bool:
    return any(isinstance(event, LoadEnded) for event in the_run(tmp_path, scenario).events())


def test_every_request_of_every_worker_arrives(
    testbed: Callable[..., Any], cluster: Callable[..., Any], brisk: tuple[str, str], tmp_path: Path
) -> None:
    server = testbed(service_time="82s", slots=20, time_scale=SCALE, seed=1)
    suite = tmp_path / "idle.yaml"
    suite.write_text("extends: demo\nscenarios: {spike: {idle: 30s}}\n")
    scenario = "--scenario", f"{suite}/spike"
    master, workers = cluster(*scenario, "--time-scale", SCALE, "-H", server.url, *brisk)
    code, output = finished(master)
    assert code in (0, 1, 3), output
    run = the_run(tmp_path, "spike")
    jobs = [record for record in run.requests() if record.operation]
    assert sorted(job.job_id for job in jobs) == sorted(row["job_id"] for row in server.truth_records())
    assert not list(run.missing_records())
    assert {record.source for record in jobs} == {"w0", "w1"}
    warmup, cold = sorted((job for job in jobs if job.warmup), key=lambda job: job.start_s)
    assert (warmup.phase, cold.phase, cold.source) == ("warmup", "cold", "w0")
    assert cold.start_s - (warmup.start_s + warmup.duration_s) >= 0.3
    # Each worker has half of the users: that more than the first of them started something in the spike shows
    # that they were let go. It is short: a busy machine holds up some of them, or all of one worker's.
    in_spike = [{job.user for job in jobs if (job.source, job.phase) == (w, "spike")} for w in ("w0", "w1")]
    assert 1 < max(map(len, in_spike)) <= 10
    # The last look comes after the drain, and none of its users is wanted any more.
    (ended_s,) = [event.t_s for event in run.events() if isinstance(event, LoadEnded)]
    looks = [event for event in run.events() if isinstance(event, Users)]
    assert {look.target for look in looks if look.t_s < ended_s} <= {0, 2, 20}
    assert looks[-1].target == 0
    # Processes of one machine read the same clock: nothing is measured, and nothing uncertain.
    clocks = [event for event in run.events() if isinstance(event, ClockOffset)]
    assert {(clock.offset_s, clock.bound_s) for clock in clocks} == {(0.0, 0.0)}
    assert [worker.wait(60) for worker in workers] == [0, 0]


def test_a_lost_worker_makes_the_run_invalid_and_is_named(
    testbed: Callable[..., Any],
    cluster: Callable[..., Any],
    wait_until: Callable[..., None],
    brisk: tuple[str, str],
) -> None:
    server = testbed(service_time="82s", slots=20, time_scale="0.02", seed=1)
    master, workers = cluster("--scenario", "demo/normal", "--time-scale", "0.02", "-H", server.url, *brisk)
    wait_until(lambda: len(server.truth_records()) >= 3, master)
    workers[1].kill()
    code, output = finished(master)
    assert code == 3, output
    assert "is gone" in output
    assert "of its requests were in flight then" in output
    assert "not valid" in output


def test_workers_of_genload_run_end_with_their_master_which_nobody_survives(
    testbed: Callable[..., Any],
    short_suite: Callable[..., str],
    wait_until: Callable[..., None],
    environment: dict[str, str],
    tmp_path: Path,
) -> None:
    server = testbed(service_time="100ms", slots=20)
    command = [sys.executable, "-m", "genload", "run", short_suite(), "--host", server.url]
    command += ["--workers", "2", "--results", str(tmp_path / "results")]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    run = subprocess.Popen(command, text=True, env=environment, **pipes)
    try:
        wait_until(lambda: len(server.truth_records()) >= 3, run)
        [master] = psutil.Process(run.pid).children()
        workers = [child for child in master.children() if child.name() == master.name()]
        master.kill()
        output, _ = run.communicate(timeout=200)
        assert run.returncode == 3, output
        assert "was ended by SIGKILL: counted as invalid" in output
        assert "2 worker processes" in output
        assert not psutil.wait_procs(workers, timeout=200)[1]
    finally:
        run.kill()


def test_a_worker_needs_no_suite_of_its_own(
    testbed: Callable[..., Any], cluster: Callable[..., Any], tmp_path: Path
) -> None:
    # The suite is a file beside the master; workers run in another folder and get it resolved.
    server = testbed(service_time="1s", slots=20, time_scale="1", seed=1)
    suite = tmp_path / "own.yaml"
    suite.write_text(
        "name: own\nservice: {api: orfeas, poll: {interval: 100ms}}\nlocustfile: generation3d\n"
        "scenarios:\n  short:\n    shape: {kind: normal, users: 4, duration: 3s}\n"
        "    criteria: {all_good: generate.failed == 0}\n"
        f"validity: {VALIDITY}\n"
    )
    master, _ = cluster("--scenario", f"{suite}/short", "-H", server.url)
    code, output = finished(master)
    assert code == 0, output
    run = the_run(tmp_path, "short")
    assert {record.source for record in run.requests()} == {"w0", "w1"}


# What a worker has no use for: it makes the load, and neither judges, watches nor shows anything.
NOT_ON_A_WORKER = (
    *("genload.analysis.", "genload.commands.", "genload.console.", "genload.reporting."),
    *("genload.harness.run.", "genload.sampler.child.", "genload_wing_reports"),
    *("pandas.", "prometheus_api_client.", "prometheus_client.", "rich.", "scipy.", "trimesh.", "typer."),
)
SAY_WHAT_WAS_IMPORTED = """
import atexit, json, os, pathlib, sys
place = pathlib.Path(__file__).with_name(f"imported-{os.getpid()}.json")
atexit.register(lambda: place.write_text(json.dumps(sorted(sys.modules))))
"""


@pytest.mark.parametrize(
    ("locustfile", "service", "served"),
    [
        ("generation3d", "{api: orfeas, poll: {interval: 50ms}}", {"service_time": "200ms"}),
        ("speech", "{api: speech, request: {dialect: litetts}}", {"api": "litetts", "engine": "tone"}),
    ],
)
def test_a_worker_imports_only_what_makes_the_load(
    testbed: Callable[..., Any],
    cluster: Callable[..., Any],
    tmp_path: Path,
    locustfile: str,
    service: str,
    served: dict[str, str],
) -> None:
    mine, suite = tmp_path / "mine.py", tmp_path / "own.yaml"
    mine.write_text((LOCUSTFILES / f"{locustfile}.py").read_text() + SAY_WHAT_WAS_IMPORTED)
    monitors = ", ".join(
        f"{name}: {{interval: 200ms}}" for name in ("exposition", "gpu", "host", "readiness")
    )
    suite.write_text(
        f"name: own\nservice: {service}\nlocustfile: {locustfile}\nmonitors: {{{monitors}}}\n"
        "scenarios:\n  short:\n    shape: {kind: normal, users: 4, duration: 2s}\n    observe: true\n"
    )
    options = ("--scenario", f"{suite}/short", "-H", testbed(**served).url)
    master, (worker,) = cluster(*options, workers=1, locustfile=str(mine.with_suffix("")))
    code, output = finished(master)
    assert code in (0, 3), output
    assert worker.wait(60) == 0
    assert {record.source for record in the_run(tmp_path, "short").requests()} == {"w0"}

    def found(process: Any) -> set[str]:
        imported = json.loads((tmp_path / f"imported-{process.pid}.json").read_text())
        return {name for name in imported if f"{name}.".startswith(NOT_ON_A_WORKER)}

    assert {"genload.analysis.judge", "genload.harness.run", "rich"} <= found(master)
    assert found(worker) == set()


def test_the_private_hooks_of_locust_are_where_we_change_them() -> None:
    # In a process of its own: the hooks change Locust for the whole process.
    program = (
        "import locust.argument_parser as a, locust.runners as r, locust.stats as s\n"
        "before = (a.default_args_dict, s.print_stats, s.print_percentile_stats, s.print_error_report)\n"
        "assert r.HEARTBEAT_LIVENESS == 3 and callable(before[0])\n"
        "from genload.harness import locust_hooks\n"
        "locust_hooks.apply(); locust_hooks.apply()\n"
        "assert a.default_args_dict() is a.default_args_dict()\n"
        "assert a.default_args_dict() == before[0]()\n"
        "assert r.HEARTBEAT_LIVENESS > 3\n"
        "import inspect, re, time\n"
        "assert set(re.findall(r'\\btime\\.(\\w+)', inspect.getsource(r))) == {'time'}\n"
        "assert r.time is not time and abs(r.time.time() - time.time()) < 5\n"
        "print('held')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], text=True, capture_output=True, timeout=200)
    assert done.stdout == "held\n", done.stderr


def test_workers_that_are_told_to_end_hand_over_everything_first(
    testbed: Callable[..., Any],
    cluster: Callable[..., Any],
    wait_until: Callable[..., None],
    short_suite: Callable[..., str],
    tmp_path: Path,
) -> None:
    server = testbed(service_time="1s", slots=20)
    master, workers = cluster("--scenario", short_suite(duration="8s"), "-H", server.url, workers=3)
    wait_until(lambda: len(server.truth_records()) >= 3, master)
    with server.standing_still():
        workers[0].send_signal(signal.SIGTERM)
        workers[1].send_signal(signal.SIGHUP)
        assert [worker.wait(60) for worker in workers[:2]] == [130, 130]
    code, output = finished(master)
    assert code == 3, output
    assert output.count("is gone") == 2
    assert "of its requests were in flight then" not in output
    assert workers[2].wait(60) == 0
    run = the_run(tmp_path, "short")
    assert not run.missing_records()
    lost = {event.source for event in run.events() if isinstance(event, WorkerLost)}
    jobs = [record for record in run.requests() if record.operation]
    # Whoever was in flight there is an unfinished request, and nobody else's job was cut short.
    assert len(lost) == 2
    unfinished = {job.source for job in jobs if job.outcome == "unfinished"}
    assert unfinished and unfinished <= lost
    assert {job.outcome for job in jobs if job.source not in lost} == {"ok"}
    accepted = {row["job_id"] for row in server.truth_records()}
    assert accepted <= {job.job_id for job in jobs}


def test_ctrl_c_at_master_and_workers_waits_for_what_is_in_flight(
    testbed: Callable[..., Any],
    cluster: Callable[..., Any],
    wait_until: Callable[..., None],
    short_suite: Callable[..., str],
    tmp_path: Path,
) -> None:
    server = testbed(service_time="1s", slots=20)
    master, workers = cluster("--scenario", short_suite(duration="60s"), "-H", server.url)
    # The first meshes wait for the inspector's start.
    wait_until(lambda: len(server.truth_records()) >= 6, master)
    wait_until(lambda: in_progress(server) >= 1, master)
    with server.standing_still():
        for process in (*workers, master):  # as a terminal does
            process.send_signal(signal.SIGINT)
        wait_until(lambda: load_ended(tmp_path, "short"), master)
    code, output = finished(master)
    assert code == 130, output
    run = the_run(tmp_path, "short")
    assert not run.missing_records()
    assert not [event for event in run.events() if isinstance(event, WorkerLost)]
    jobs = [record for record in run.requests() if record.operation]
    assert {job.outcome for job in jobs} == {"ok"}
    assert any(job.drained for job in jobs)
    assert {row["job_id"] for row in server.truth_records()} == {job.job_id for job in jobs}
    assert [worker.wait(60) for worker in workers] == [0, 0]


def test_when_every_worker_is_lost_they_are_the_reason(
    testbed: Callable[..., Any],
    cluster: Callable[..., Any],
    wait_until: Callable[..., None],
    brisk: tuple[str, str],
) -> None:
    server = testbed(service_time="82s", slots=20, time_scale="0.02", seed=1)
    master, workers = cluster("--scenario", "demo/normal", "--time-scale", "0.02", "-H", server.url, *brisk)
    wait_until(lambda: len(server.truth_records()) >= 3, master)
    for worker in workers:
        worker.terminate()
    code, output = finished(master)
    assert code == 3, output
    assert "interrupted by" not in output
    assert output.count("was lost: its last sign came") == len(workers)
