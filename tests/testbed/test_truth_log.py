"""The truth log against what a client saw: every job once, with times that fit together."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

ORDER = ["upload_s", "arrival_s", "accepted_s", "start_s", "end_s", "download_start_s", "download_end_s"]


@pytest.fixture(scope="module")
def two_slots(serve):
    return serve(slots=2, service_time="100s", time_scale=0.003)


def test_parallel_jobs_have_one_line_each_with_consistent_times(
    two_slots, picture: Callable[..., bytes]
) -> None:
    jobs = 12

    def drive(number: int) -> tuple[str, float, float, int]:
        headers = {"X-Request-ID": f"request-{number}"}
        start_s = time.monotonic()
        job_id = two_slots.upload(picture(number), headers=headers).json()["job_id"]
        assert two_slots.generate(job_id, headers=headers).status == 200
        content = two_slots.fetch(two_slots.wait(job_id))
        return job_id, start_s, time.monotonic(), len(content)

    with ThreadPoolExecutor(jobs) as users:
        seen = dict(enumerate(users.map(drive, range(jobs))))
    written = [line for line in two_slots.truths() if line["request_id"].startswith("request-")]
    lines = {line["request_id"]: line for line in written}

    assert len(written) == len(lines) == jobs
    for number, (job_id, start_s, end_s, size) in seen.items():
        line = lines[f"request-{number}"]
        assert (line["job_id"], line["outcome"], line["error"]) == (job_id, "completed", "")
        assert line["output_bytes"] == line["bytes_served"] == size
        assert line["downloads"] == 1
        times = [start_s, *(line[name] for name in ORDER), end_s]
        assert times == sorted(times)


def test_two_slots_never_run_three_jobs_and_take_each_as_long_as_drawn(
    two_slots, picture: Callable[..., bytes]
) -> None:
    ids = [two_slots.upload(picture(seed)).json()["job_id"] for seed in range(5)]
    for job_id in ids:
        two_slots.generate(job_id)
    for job_id in ids:
        two_slots.fetch(two_slots.wait(job_id))
    lines = [two_slots.truth_of(job_id)[0] for job_id in ids]

    for line in lines:
        running = sum(other["start_s"] <= line["start_s"] < other["end_s"] for other in lines)
        assert 1 <= running <= 2
        # Never less than drawn; more only where a busy machine was late with the mesh.
        assert line["end_s"] - line["start_s"] >= line["service_s"] - 1e-6
        assert line["service_s"] == pytest.approx(0.3, rel=0.12)
    starts = [line["start_s"] for line in lines]
    assert starts == sorted(starts)


def test_failures_are_written_at_once_with_their_words(service, picture: Callable[..., bytes]) -> None:
    job_id, status = service.job(picture(1), headers={"X-Testbed-Fault": "fail"})
    (line,) = service.truth_of(job_id)

    assert status == {"status": "failed", "error": "Generation failed"}
    assert (line["outcome"], line["error"], line["faults"]) == ("failed", "Generation failed", "fail")
    assert line["download_end_s"] is None


def test_a_job_that_nobody_fetches_is_written_after_a_while(service, picture: Callable[..., bytes]) -> None:
    job_id, status = service.job(picture(1))
    deadline = time.monotonic() + 20
    while not service.truth_of(job_id):
        assert time.monotonic() < deadline
        time.sleep(0.05)

    (line,) = service.truth_of(job_id)
    assert (line["outcome"], line["downloads"]) == ("completed", 0)
    assert service.fetch(status)
    assert len(service.truth_of(job_id)) == 1


def test_a_download_that_breaks_off_is_no_download(service, picture: Callable[..., bytes]) -> None:
    job_id, status = service.job(picture(1), quality=10, format="stl")  # 380 kB
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", service.port))
        client.sendall(f"GET {status['download_url']} HTTP/1.1\r\nHost: testbed\r\n\r\n".encode())
        client.recv(1000)
    deadline = time.monotonic() + 20
    while not service.truth_of(job_id):
        assert time.monotonic() < deadline
        time.sleep(0.05)

    (line,) = service.truth_of(job_id)
    assert (line["outcome"], line["downloads"], line["download_end_s"]) == ("completed", 0, None)
    assert line["bytes_served"] < line["output_bytes"]


def test_a_job_ordered_twice_has_two_lines(service, picture: Callable[..., bytes]) -> None:
    job_id, _ = service.job(picture(1))
    service.generate(job_id, format="obj")
    service.fetch(service.wait(job_id))

    first, second = service.truth_of(job_id)
    assert (first["format"], first["downloads"]) == ("stl", 0)
    assert (second["format"], second["downloads"]) == ("obj", 1)


def test_a_signal_ends_it_quickly_and_leaves_jobs_under_way_unfinished(
    serve, picture: Callable[..., bytes]
) -> None:
    service = serve(service_time="1000s", time_scale=1, slots=1)
    ids = [service.upload(picture(seed)).json()["job_id"] for seed in (1, 2)]
    for job_id in ids:
        service.generate(job_id)
    started_s = time.monotonic()
    assert service.end() == 0
    assert time.monotonic() - started_s < 8
    with pytest.raises(ConnectionRefusedError):
        service.get("/health")
    running, waiting = service.truths()

    assert [running["job_id"], waiting["job_id"]] == ids
    assert (running["outcome"], running["end_s"]) == ("unfinished", None)
    assert running["start_s"] is not None
    assert waiting["start_s"] is None
