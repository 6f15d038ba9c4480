"""The service as a whole decays: memory, outages, its end; what a monitor and a client see of it."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from testbed.decline import AWAY_S, Decline
from testbed.fault_options import parse_faults
from testbed.faults import Fault
from testbed.gpu import Gpu
from testbed.options import WhenFull

LIMIT_S = 30.0
MIB = 2**20


def until(found: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + LIMIT_S
    while not (value := found()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return value


def answers(service: Any) -> bool:
    try:
        return bool(service.get("/ready").status == 200)
    except OSError:
        return False


def drive(service: Any, picture: Callable[..., bytes], jobs: int) -> None:
    for seed in range(jobs):
        service.fetch(service.job(picture(seed))[1])


def test_each_thing_happens_at_its_job_and_no_other() -> None:
    happened: list[Any] = []
    gpu = Gpu(slots=1, when_full=WhenFull.QUEUE)
    options = ["refused=3s@2", "crash=4", "restart=3", "gpu-growth=1MiB", "gpu-step=10MiB@2"]
    decline = Decline(
        parse_faults(options), gpu, away=happened.append, end=happened.append, cut=happened.append
    )
    before_bytes = gpu.allocated_bytes, gpu.reserved_bytes
    seen = []
    for _ in range(5):
        decline.job_ended()
        seen.append((list(happened), gpu.leaked_bytes // MIB))
        happened.clear()

    assert seen == [([], 1), ([3.0], 12), ([Fault.RESTART], 13), ([Fault.CRASH], 14), ([], 15)]
    assert (gpu.allocated_bytes, gpu.reserved_bytes) == tuple(size + 15 * MIB for size in before_bytes)
    for fault in (Fault.REFUSED, Fault.CRASH):
        decline.strike(fault)
    assert happened == [AWAY_S, Fault.CRASH]


def test_memory_grows_by_the_job_and_in_a_step(serve, picture: Callable[..., bytes]) -> None:
    service = serve(faults=["memory-growth=4MiB", "memory-step=100MiB@6", "gpu-step=1GiB@6"])
    gauge = 'orfeas_gpu_memory_allocated_bytes{gpu_id="0"}'
    resident, on_gpu = [], []
    for jobs in (1, 4, 1):
        drive(service, picture, jobs)
        resident.append(service.metric("process_resident_memory_bytes") / MIB)
        on_gpu.append(service.metric(gauge))

    assert 16 - 2 < resident[1] - resident[0] < 16 + 20  # the rest is what Python keeps of its work
    assert 104 - 2 < resident[2] - resident[1] < 104 + 20
    assert [value - on_gpu[0] for value in on_gpu] == [0, 0, 2**30]


def test_a_cache_fills_the_slower_the_fuller_it_is(serve, picture: Callable[..., bytes]) -> None:
    service = serve(faults=["memory-fill=100MiB@2"])
    resident = []
    for jobs in (0, 2, 2, 6):
        drive(service, picture, jobs)
        resident.append(service.metric("process_resident_memory_bytes") / MIB)
    # 1 - 1/e of it by the second job, 1 - 1/e² by the fourth, all but 1/e⁵ by the tenth.
    filled = [value - resident[0] for value in resident[1:]]
    assert filled == pytest.approx([63.2, 86.5, 99.3], abs=15)


def test_a_crash_leaves_truth_and_no_folder(
    serve, picture: Callable[..., bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    service = serve(faults=["crash=2"], service_time="200s", slots=1)
    drive(service, picture, 1)
    ids = [service.upload(picture(seed)).json()["job_id"] for seed in (7, 8)]
    for job_id in ids:
        service.generate(job_id)

    assert service.process.wait(LIMIT_S) == 1
    rows = [(line["job_id"], line["outcome"], line["faults"]) for line in service.truths()[1:]]
    assert rows == [(ids[0], "completed", "crash"), (ids[1], "unfinished", "crash")]
    assert service.truths()[0]["faults"] == ""
    assert list(tmp_path.iterdir()) == []


def test_a_restart_is_another_process_in_the_same_place(serve, picture: Callable[..., bytes]) -> None:
    service = serve(faults=["restart=2"], service_time="100s")
    before_s = service.metric("process_start_time_seconds")
    drive(service, picture, 1)
    job_id = service.upload(picture(5)).json()["job_id"]
    service.generate(job_id)
    until(lambda: len(service.truths()) == 2)
    until(lambda: answers(service) and service.metric("process_start_time_seconds") > before_s)

    assert service.metric('orfeas_generations_total{provider="hunyuan3d",status="success",type="3d"}') is None
    assert service.status(job_id).status == 404
    assert psutil.Process(service.process.pid).status() != psutil.STATUS_ZOMBIE
    (line,) = service.truth_of(job_id)
    assert "restart" in line["faults"]
    assert service.end(signal.SIGTERM) == 0


def test_nothing_listens_for_a_while(serve, picture: Callable[..., bytes]) -> None:
    service = serve(faults=["refused=2000s@1"], service_time="100s")  # 2 s at this scale
    job_id = service.upload(picture(5)).json()["job_id"]
    service.generate(job_id)

    def refused() -> bool:
        try:
            service.get("/health")
        except ConnectionRefusedError:
            return True
        except ConnectionResetError:  # it came just before, and was never served
            return False
        return False

    until(refused)
    status = until(lambda: answers(service) and service.status(job_id).json())
    assert status["status"] == "completed"
    service.fetch(status)
    assert service.truth_of(job_id)[0]["faults"] == "refused"
    assert service.end() == 0


def test_a_request_may_ask_for_the_end(serve) -> None:
    service = serve()
    with pytest.raises(OSError):  # reset, or ended without an answer
        service.call("GET", "/ready", headers={"X-Testbed-Fault": "crash"})
    assert service.process.wait(LIMIT_S) == 1
