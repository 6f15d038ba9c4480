"""Faults by rate and by header, as a client that knows nothing of genload meets them; the rate limit."""

from __future__ import annotations

import http.client
import io
import socket
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trimesh

from testbed.fault_options import NAMES, After, FaultOptions, parse_faults
from testbed.faults import (
    ANSWERS,
    REFUSALS,
    WHOLE,
    WORK,
    Draws,
    Fault,
    Rates,
    Step,
    Strike,
    UnknownFaultError,
    asked,
    read_strike,
)
from testbed.gpu import ServiceTime
from testbed.ratelimit import RateLimit

ROOT = Path(__file__).resolve().parents[2]


def asking(fault: str) -> dict[str, str]:
    return {"X-Testbed-Fault": fault}


# --- names, values, draws -------------------------------------------------------------------------


def test_every_fault_is_of_one_kind_and_stands_in_both_lists_for_users() -> None:
    kinds = [*REFUSALS, *ANSWERS, *WORK, *WHOLE]
    assert sorted(kinds) == sorted(Fault)
    assert set(Fault) <= set(NAMES)
    documents = [
        (ROOT / "docs" / "testbed.md").read_text(encoding="utf-8"),
        (ROOT / "genload" / "commands" / "serve.py").read_text(encoding="utf-8"),
    ]
    assert [name for name in NAMES for text in documents if name not in text] == []


def test_options_are_read() -> None:
    given = ["cube=5%", "reset@poll=0.5", "reset=1%", "limit=10%", "slow-start=2min", "crash=20", "restart=7"]
    given += [
        "refused=10s@20",
        "memory-growth=1MiB",
        "memory-step=64MiB@3",
        "memory-fill=10MiB@4",
        "gpu-growth=5kB",
        "gpu-step=1GiB@9",
        "updates-cut=5s@2",
        "updates-late=200ms",
        "updates-lost=5%",
    ]
    assert parse_faults(given) == FaultOptions(
        rates=Rates(
            (
                (Strike(Fault.CUBE), 0.05),
                (Strike(Fault.RESET, Step.POLL), 0.5),
                (Strike(Fault.RESET, Step.SUBMIT), 0.01),
            ),
            ((Fault.LIMIT, 0.1),),
        ),
        slow_start_s=120.0,
        refused=After(10.0, 20),
        crash_jobs=20,
        restart_jobs=7,
        memory_growth_bytes=2**20,
        memory_step=After(64 * 2**20, 3),
        memory_fill=After(10 * 2**20, 4),
        gpu_growth_bytes=5000,
        gpu_step=After(2**30, 9),
        updates_cut=After(5.0, 2),
        updates_late_s=0.2,
        updates_lost=0.05,
    )
    assert parse_faults(["hang=1", "hang=2%"]).rates.jobs == ((Strike(Fault.HANG, Step.SUBMIT), 0.02),)
    assert len(parse_faults([f"{fault}=10%" for fault in list(ANSWERS) + [*WORK][:3]]).rates.jobs) == 10


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["flood=5%"], "no fault 'flood'; there are reject, "),
        (["hang"], "'hang' is not NAME=VALUE"),
        (["hang=5"], "'5' is not a rate such as 5%"),
        (["hang=-5%"], "is not a rate"),
        (["hang=often"], "is not a rate"),
        (["cube@poll=5%"], "'cube' befalls no call"),
        (["hang@ready=5%"], "no call 'ready'; there are upload, submit, poll, download"),
        (["hang=60%", "cube=50%"], "hang, cube add up to 110%"),
        (["crash=0"], "not a number of jobs"),
        (["crash=5%"], "not a number of jobs"),
        (["refused=10s"], "after how many jobs, as in 10s@20"),
        (["memory-step=20@1MiB"], "not a number of jobs"),
        (["memory-fill=1MiB"], "after how many jobs, as in 64MiB@20"),
        (["memory-growth=much"], "not a size such as 64MiB"),
        (["slow-start=soon"], "not a duration"),
    ],
)
def test_options_that_make_no_sense_are_told(given: list[str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_faults(given)


def test_rates_strike_that_often_one_a_job_and_repeat_with_their_seed() -> None:
    half = ((Strike(Fault.CUBE), 0.2), (Strike(Fault.HANG, Step.SUBMIT), 0.1))

    def drawn(seed: int, *more: tuple[Strike, float]) -> list[Strike | None]:
        draws = Draws(Rates((*half, *more), ((Fault.REJECT, 0.3),)), seed)
        return [draws.of_job() for _ in range(2000)]

    counts = Counter(drawn(1))
    assert 320 < counts[half[0][0]] < 480  # 400 ± 4.5 standard errors
    assert 140 < counts[half[1][0]] < 260
    assert drawn(1) == drawn(1) != drawn(2)
    added = drawn(1, (Strike(Fault.FAIL), 0.3))
    assert all(
        new == old or (old is None and new == Strike(Fault.FAIL))
        for new, old in zip(added, drawn(1), strict=True)
    )


def test_a_header_names_a_fault_and_perhaps_a_call() -> None:
    assert asked(None, None) is None
    assert asked("reset", Step.POLL) is asked("reset", None) is Fault.RESET
    assert asked("reset@poll", Step.POLL) is Fault.RESET
    assert asked("reset@poll", Step.DOWNLOAD) is None
    with pytest.raises(UnknownFaultError, match="X-Testbed-Fault: no fault 'flood'; there are reject"):
        asked("flood", None)


def test_a_strike_is_written_as_it_is_read() -> None:
    for text in ("cube", "reset@poll", "html@submit"):
        assert str(read_strike(text)) == text
    assert str(Strike(Fault.RESET, Step.SUBMIT)) == "reset"


# --- by rate --------------------------------------------------------------------------------------


def test_rates_and_seed_reach_the_service(serve, picture: Callable[..., bytes]) -> None:
    service = serve(faults=["reject=50%", "fail=100%"], seed=3)
    expected = Draws(Rates(refusals=((Fault.REJECT, 0.5),)), seed=3)
    job_id = service.upload(picture(1)).json()["job_id"]
    answers = [service.generate(job_id)]
    while answers[-1].status == 503:
        answers.append(service.generate(job_id))
    rejections = 0
    while expected.refusal():
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
    assert line["service_s"] == pytest.approx(ServiceTime(0.1, 0.02, seed=3).draw_s())


def test_truth_names_what_kept_a_job_from_being_accepted(serve, picture: Callable[..., bytes]) -> None:
    def line_of(fault: str, send: Callable[[Any], str]) -> tuple[str, dict[str, Any]]:
        service = serve(faults=[f"{fault}=100%"])
        job_id = send(service)
        service.end()
        (line,) = service.truths()
        return job_id, line

    def upload_html(service: Any) -> str:
        answer = service.upload(picture(1), headers={"X-Request-ID": "mine"})
        assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
        return ""

    def order(status: int, times: int) -> Callable[[Any], str]:
        def send(service: Any) -> str:
            job_id = service.upload(picture(1), headers={"X-Request-ID": "mine"}).json()["job_id"]
            for _ in range(times):
                answer = service.generate(job_id, headers={"X-Request-ID": "mine"})
                assert answer.status == status
            return job_id

        return send

    for fault, send, rejections in (
        ("html@upload", upload_html, 0),
        ("error", order(500, 1), 0),
        ("limit-bare", order(429, 3), 3),
    ):
        job_id, line = line_of(fault, send)
        assert (line["job_id"], line["request_id"], line["outcome"]) == (job_id, "mine", "not_accepted")
        assert (line["faults"], line["rejections"], line["accepted_s"]) == (fault, rejections, None)


# --- by header ------------------------------------------------------------------------------------


def test_refusals_with_and_without_a_pause(service, picture: Callable[..., bytes]) -> None:
    job_id = service.upload(picture(1)).json()["job_id"]
    answers = {fault: service.generate(job_id, headers=asking(fault)) for fault in sorted(REFUSALS)}

    assert {fault: answer.status for fault, answer in answers.items()} == {
        "limit": 429,
        "limit-bare": 429,
        "reject": 503,
        "reject-bare": 503,
    }
    assert answers["reject"].json()["retry_after"] == pytest.approx(0.005)
    assert float(answers["limit"].headers["Retry-After"]) == pytest.approx(0.005)
    assert "retry_after" not in answers["limit"].json()
    assert (
        answers["limit-bare"].headers["Retry-After"] is answers["reject-bare"].headers["Retry-After"] is None
    )
    assert answers["reject-bare"].headers["Content-Type"].startswith("text/html")
    assert service.generate(job_id).status == 200


def test_work_goes_wrong(service, picture: Callable[..., bytes]) -> None:
    unknown = service.generate("x", headers=asking("flood"))
    assert (unknown.status, unknown.json()["error"][:33]) == (400, "X-Testbed-Fault: no fault 'flood'")

    def made(seed: int, fault: str, **order: Any) -> bytes:
        job_id, status = service.job(picture(seed), headers=asking(fault), **order)
        content: bytes = service.fetch(status)
        assert service.truth_of(job_id)[0]["faults"] == fault
        return content

    assert service.job(picture(2), headers=asking("fail"))[1]["status"] == "failed"
    assert len(trimesh.load(io.BytesIO(made(3, "cube")), file_type="stl").faces) == 12
    assert made(4, "duplicate") == made(5, "duplicate")
    assert made(6, "empty-mesh")[80:] == bytes(4)
    assert b"nan" in made(7, "nan-vertices", format="obj")
    other = service.job(picture(8), headers=asking("wrong-format"), format="glb")[1]
    assert other["output_file"].endswith(".obj")


def test_a_fault_may_be_asked_for_with_every_request_and_meant_for_one_call(
    service, picture: Callable[..., bytes]
) -> None:
    headers = asking("reset@poll")
    job_id = service.upload(picture(9), headers=headers).json()["job_id"]
    assert service.generate(job_id, headers=headers).status == 200
    with pytest.raises(ConnectionResetError):
        service.call("GET", f"/api/job-status/{job_id}", headers=headers)
    status = service.wait(job_id)
    assert service.call("GET", status["download_url"], headers=headers).status == 200
    assert service.truth_of(job_id)[0]["faults"] == "reset@poll"


@pytest.mark.parametrize("path", ["/ready", "/health", "/metrics", "/api/health", "/api/job-status/x"])
def test_any_answer_may_be_an_error_or_a_page(service, path: str) -> None:
    error = service.call("GET", path, headers=asking("error"))
    page = service.call("GET", path, headers=asking("html"))
    assert (error.status, error.json()) == (500, {"error": "3D generation failed"})
    assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert error.headers["X-Testbed-Time-Scale"] == page.headers["X-Testbed-Time-Scale"] == "0.001"


def ask(service: Any, fault: str, path: str = "/ready") -> socket.socket:
    client = socket.create_connection(("127.0.0.1", service.port), timeout=30)
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: testbed\r\nX-Testbed-Fault: {fault}\r\n\r\n".encode())
    return client


def test_an_answer_that_hangs_says_nothing(service) -> None:
    with ask(service, "hang") as client:
        client.settimeout(0.3)
        with pytest.raises(TimeoutError):
            client.recv(1)


def test_a_slow_answer_comes_byte_by_byte(service) -> None:
    with ask(service, "slow-loris") as client:
        heard = [client.recv(100) for _ in range(6)]
    assert b"".join(heard).startswith(b"HTTP/1")
    assert len(b"".join(heard)) < 100  # of some 500; more than 6 only where this machine was late


def test_an_endless_answer_begins_as_it_should_and_goes_on(service) -> None:
    with ask(service, "endless") as client:
        answer = http.client.HTTPResponse(client)
        answer.begin()
        heard = answer.read(2_000_000)
    assert answer.headers["Content-Length"] is None
    assert heard.lstrip().startswith(b'{"checks"')
    assert len(heard) == 2_000_000
    assert heard.endswith(b" " * 1000)


def test_a_truncated_answer_promises_more_than_it_holds(service, picture: Callable[..., bytes]) -> None:
    job_id, status = service.job(picture(1))
    with ask(service, "truncated", status["download_url"]) as client:
        answer = http.client.HTTPResponse(client)
        answer.begin()
        with pytest.raises(http.client.IncompleteRead) as caught:
            answer.read()
    assert len(caught.value.partial) + (caught.value.expected or 0) == int(answer.headers["Content-Length"])
    assert len(caught.value.partial) == int(answer.headers["Content-Length"]) // 2
    assert len(service.fetch(status)) == int(answer.headers["Content-Length"])
    (line,) = service.truth_of(job_id)
    assert (line["faults"], line["downloads"]) == ("truncated", 1)


def test_a_connection_is_reset(service) -> None:
    with ask(service, "reset") as client, pytest.raises(ConnectionResetError):
        client.recv(1)


def test_breaking_answers_do_not_keep_the_service_from_ending(
    serve, capfd: pytest.CaptureFixture[str]
) -> None:
    service = serve()
    clients = [ask(service, fault) for fault in ("hang", "slow-loris", "endless")]
    for client in clients[1:]:
        client.recv(1)
    assert service.end() == 0
    for client in clients:
        client.close()
    assert capfd.readouterr().err == ""


def test_not_ready_until_its_time_has_come(serve, picture: Callable[..., bytes]) -> None:
    service = serve(wait_ready=False, faults=["slow-start=1000h"])  # an hour at this scale
    answer = service.get("/ready")
    assert answer.status == 503
    assert answer.json()["status"] == "not_ready"
    assert service.get("/health").status == 200
    assert service.get("/api/health").json()["models_status"] == "loading"
    job_id = service.upload(picture(1)).json()["job_id"]
    assert service.generate(job_id).json()["status"] == "models_loading"

    started_s = time.monotonic()
    service = serve(faults=["slow-start=500s"])  # waits until it is ready
    assert time.monotonic() - started_s >= 0.5
    assert service.generate(service.upload(picture(1)).json()["job_id"]).status == 200


# --- the rate limit -------------------------------------------------------------------------------


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
