"""Faults by rate and by header, the rate limit, a slow start."""

from __future__ import annotations

import io
import time
from collections.abc import Callable

import pytest
import trimesh

from testbed.faults import Fault, Faults, UnknownFaultError
from testbed.gpu import ServiceTime
from testbed.ratelimit import RateLimit


def asking(fault: str) -> dict[str, str]:
    return {"X-Testbed-Fault": fault}


def test_a_rate_strikes_about_that_often_and_repeats_with_its_seed() -> None:
    def strikes(seed: int) -> list[bool]:
        faults = Faults(fail_rate=0.2, reject_rate=0.0, seed=seed)
        return [faults.strikes(Fault.FAIL, None) for _ in range(2000)]

    assert 320 < sum(strikes(1)) < 480  # 400 ± 4.5 standard errors
    assert strikes(1) == strikes(1) != strikes(2)


def test_a_fault_asked_for_is_the_only_one() -> None:
    faults = Faults(fail_rate=1.0, reject_rate=1.0, seed=0)
    assert faults.strikes(Fault.CUBE, faults.asked("cube"))
    assert not faults.strikes(Fault.FAIL, faults.asked("cube"))
    with pytest.raises(UnknownFaultError, match="takes reject, error, fail, cube, wrong-format"):
        faults.asked("flood")


def test_rates_and_seed_reach_the_service(serve, picture: Callable[..., bytes]) -> None:
    service = serve(reject_rate=0.5, fail_rate=1.0, seed=10)
    expected = Faults(fail_rate=1.0, reject_rate=0.5, seed=10)
    job_id = service.upload(picture(1)).json()["job_id"]
    answers = [service.generate(job_id)]
    while answers[-1].status == 503:
        answers.append(service.generate(job_id))
    rejections = 0
    while expected.strikes(Fault.REJECT, None):
        rejections += 1

    assert rejections > 0  # else another seed is needed
    assert [answer.status for answer in answers] == [503] * rejections + [200]
    for answer in answers[:-1]:
        assert answer.json()["status"] == "models_loading"
        assert answer.json()["retry_after"] == pytest.approx(0.005)  # 5 s at this scale
        assert answer.headers["Retry-After"] is None
    assert service.wait(job_id) == {"status": "failed", "error": "Generation failed"}
    (line,) = service.truths()
    assert line["rejections"] == rejections
    assert line["service_s"] == pytest.approx(ServiceTime(0.1, 0.02, seed=10).draw_s())


def test_faults_of_single_requests(service, picture: Callable[..., bytes]) -> None:
    job_id = service.upload(picture(1)).json()["job_id"]
    assert service.generate(job_id, headers=asking("reject")).status == 503
    assert service.generate(job_id, headers=asking("error")).status == 500
    unknown = service.generate(job_id, headers=asking("flood"))
    assert (unknown.status, unknown.json()["error"][:16]) == (400, "no fault 'flood'")

    assert service.job(picture(2), headers=asking("fail"))[1]["status"] == "failed"
    cube = service.get(service.job(picture(3), headers=asking("cube"))[1]["download_url"]).body
    assert len(trimesh.load(io.BytesIO(cube), file_type="stl").faces) == 12
    other = service.job(picture(4), headers=asking("wrong-format"), format="glb")[1]
    assert other["output_file"].endswith(".obj")
    assert service.job(picture(5))[1]["status"] == "completed"


def test_not_ready_until_its_time_has_come(serve, picture: Callable[..., bytes]) -> None:
    started_s = time.monotonic()
    service = serve(wait_ready=False, ready_after="3000s")  # 3 s at this scale
    answer = service.get("/ready")
    assert answer.status == 503
    assert answer.json()["status"] == "not_ready"
    assert service.get("/health").status == 200
    assert service.get("/api/health").json()["models_status"] == "loading"
    job_id = service.upload(picture(1)).json()["job_id"]
    assert service.generate(job_id).json()["status"] == "models_loading"

    while service.get("/ready").status != 200:
        assert time.monotonic() < started_s + 30
        time.sleep(0.05)
    assert time.monotonic() - started_s >= 3
    assert service.generate(job_id).status == 200


def test_the_rate_limit_is_one_bucket_for_upload_and_submission(serve, picture: Callable[..., bytes]) -> None:
    service = serve(rate_limit=3, time_scale=1)
    job_id = service.upload(picture(1)).json()["job_id"]
    service.generate(job_id)
    service.upload(picture(2))

    for answer in (service.upload(picture(3)), service.generate(job_id)):
        assert answer.status == 429
        assert answer.json() == {"error": "Rate limit exceeded. Max 3 requests per 60s"}
        assert answer.headers["Retry-After"] is None
    assert service.get("/ready").status == 200


def test_the_window_of_the_rate_limit_slides() -> None:
    limit = RateLimit(2, window_s=60.0)
    assert [limit.admit("a", now_s) for now_s in (0, 10, 59, 60, 61, 70)] == [
        True,
        True,
        False,
        True,
        False,
        True,
    ]
    assert limit.admit("b", 61)
    assert all(RateLimit(0, 60.0).admit("a", 0) for _ in range(100))
