"""The ORFEAS client against a service with exact answers: every trap of its API."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trimesh

from genload import extensions
from genload.errors import ConfigError
from genload.service import Artifact, JobInput, JobPhase, JobState, ServiceError, Step
from genload.settings.service import Service, Tls

JOB = "0f8fad5b-d9cb-469f-a165-70867728950e"
IMAGE = JobInput("genload-1.png", b"\x89PNG not really", "image/png")
STATUS = f"/api/job-status/{JOB}"
PAGE_503 = (
    b"<html><head><style>b {}</style></head><body><h1>503 Service &amp; more</h1>\n<hr>nginx</body></html>"
)
WELCOME = b"<!doctype html><title>Welcome to nginx!</title>"

Make = Callable[..., Any]


def failure(call: Callable[..., Any], *arguments: Any) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        call(*arguments)
    return caught.value


# --- the calls as they are sent


def test_an_upload_is_a_multipart_form_with_the_image(make: Make) -> None:
    client, service = make({"/api/upload-image": [{"job_id": JOB, "status": "uploaded"}]})
    client.request_id = "request-1"

    assert client.upload(IMAGE) == JOB
    sent = service.received[0]
    assert sent.method == "POST"
    assert sent.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert sent.headers["x-request-id"] == "request-1"
    assert b'name="image"; filename="genload-1.png"' in sent.body
    assert b"Content-Type: image/png" in sent.body and IMAGE.content in sent.body


@pytest.mark.parametrize(
    ("request_settings", "order"),
    [
        ({}, {"format": "stl", "quality": 7}),
        ({"format": "glb", "quality": 10}, {"format": "glb", "quality": 10}),
        (
            {"dimensions": {"width": 10, "height": 20, "depth": 3}},
            {"format": "stl", "quality": 7, "dimensions": {"width": 10, "height": 20, "depth": 3}},
        ),
    ],
)
def test_an_order_says_what_the_suite_wants(
    make: Make, request_settings: dict[str, Any], order: dict[str, Any]
) -> None:
    client, service = make(
        {"/api/generate-3d": [{"job_id": JOB, "status": "generating_3d"}]}, request_settings
    )

    assert client.submit(IMAGE, JOB) == JOB
    assert json.loads(service.received[0].body) == {"job_id": JOB, **order}
    assert service.received[0].headers["content-type"] == "application/json"


def test_every_call_has_an_identifier_even_outside_a_job(make: Make) -> None:
    client, service = make({"/ready": [{"status": "ready"}], "/metrics": [b""]})
    client.ready()
    client.in_flight()
    client.time_scale()

    identifiers = [sent.headers["x-request-id"] for sent in service.received]
    assert len(set(identifiers)) == 3 and all(identifiers)


def test_secret_headers_are_read_anew_for_each_request(make: Make, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("first")
    client, service = make({"/ready": [{"status": "ready"}]}, headers={"X-Token": f"${{file:{token}}}"})
    client.ready()
    token.write_text("second one")
    client.ready()

    assert [sent.headers["x-token"] for sent in service.received] == ["first", "second one"]


def test_a_header_that_cannot_be_sent_is_a_configuration_error() -> None:
    service = Service(api="orfeas", headers={"X-Bad": "a\nb"})
    with pytest.raises(ConfigError) as caught:
        extensions.attribute("services", "orfeas", "Client")(service)

    assert caught.value.key == "service.headers" and caught.value.remedy


def test_tls_settings_reach_the_client() -> None:
    service = Service(api="orfeas", host="https://localhost:1", tls=Tls(ca_file="/no/such.pem"))
    with pytest.raises(ConfigError, match=r"such\.pem"):
        extensions.attribute("services", "orfeas", "Client")(service)


def test_steps_carry_what_the_calls_cost(make: Make) -> None:
    client, _ = make({"/api/upload-image": [{"job_id": JOB}], STATUS: [{"status": "processing"}]})
    steps: list[Step] = []
    client.on_step = steps.append
    client.upload(IMAGE)
    client.poll(JOB)

    upload, poll = steps
    assert (upload.name, upload.method, upload.status, upload.recorded) == ("upload", "POST", 200, True)
    assert upload.bytes_sent > len(IMAGE.content) and upload.bytes_received > 50
    assert 0 < upload.connect_s < upload.end_s - upload.start_s
    assert (poll.name, poll.recorded) == ("poll", False)


# --- job states


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ({"status": "initializing", "progress": 0}, JobState(JobPhase.PENDING)),
        ({"status": "processing", "progress": 25}, JobState(JobPhase.RUNNING)),
        (
            {"status": "completed", "progress": 100, "download_url": "/api/download/1/a.obj"},
            JobState(JobPhase.COMPLETED, output="/api/download/1/a.obj"),
        ),
        (
            {"status": "completed", "output_file": "model.stl"},
            JobState(JobPhase.COMPLETED, output=f"/api/download/{JOB}/model.stl"),
        ),
        (
            {"status": "failed", "error": "CUDA out of memory"},
            JobState(JobPhase.FAILED, error="CUDA out of memory", error_class="job_failed"),
        ),
        (
            {"status": "failed", "error": f"Cannot allocate job {JOB}: insufficient resources"},
            JobState(
                JobPhase.FAILED,
                error=f"Cannot allocate job {JOB}: insufficient resources",
                error_class="no_capacity",
            ),
        ),
        ({"status": "failed"}, JobState(JobPhase.FAILED)),
    ],
)
def test_a_status_becomes_a_state(make: Make, answer: dict[str, Any], state: JobState) -> None:
    client, _ = make({STATUS: [answer]})

    assert client.poll(JOB) == state


@pytest.mark.parametrize(
    "answer", [{"status": "paused"}, {"progress": 3}, {"status": "completed"}, b"[]", WELCOME]
)
def test_a_status_that_makes_no_sense_is_a_bad_answer(make: Make, answer: Any) -> None:
    client, _ = make({STATUS: [answer]})

    assert failure(client.poll, JOB).error_class == "bad_answer"


def test_an_early_404_is_pending_and_a_late_one_a_lost_job(make: Make) -> None:
    client, _ = make(
        {
            "/api/generate-3d": [{"job_id": JOB}],
            STATUS: [
                (404, {"error": "Job not found"}),
                (404, {"error": "Job not found"}),
                {"status": "processing"},
                (404, {"error": "Job not found"}),
            ],
        }
    )
    client.submit(IMAGE, JOB)
    phases = [client.poll(JOB).phase for _ in range(3)]

    assert phases == [JobPhase.PENDING, JobPhase.PENDING, JobPhase.RUNNING]
    assert failure(client.poll, JOB).error_class == "job_lost"


def test_an_accepted_job_that_stays_unknown_is_lost(make: Make) -> None:
    client, _ = make({"/api/generate-3d": [{"job_id": JOB}]}, {"lost_after": "30s"})
    client.submit(IMAGE, JOB)
    assert client.poll(JOB).phase is JobPhase.PENDING

    client._accepted_s -= 31

    assert failure(client.poll, JOB).error_class == "job_lost"


def test_the_next_job_may_be_unknown_again(make: Make) -> None:
    client, _ = make(
        {
            "/api/generate-3d": [{"job_id": JOB}],
            STATUS: [{"status": "processing"}, (404, {"error": "Job not found"})],
        }
    )
    client.submit(IMAGE, JOB)
    client.poll(JOB)
    client.submit(IMAGE, JOB)

    assert client.poll(JOB).phase is JobPhase.PENDING


# --- the output


def test_the_output_is_fetched_from_where_the_service_says(make: Make) -> None:
    client, service = make({"/api/download/1/model.obj?v=2": [b"v 0 0 0"]})
    artifact = client.fetch(JOB, JobState(JobPhase.COMPLETED, output="/api/download/1/model.obj?v=2"))

    assert artifact == Artifact(b"v 0 0 0", "model.obj", "text/html")
    assert [sent.path for sent in service.received] == ["/api/download/1/model.obj?v=2"]


def test_an_absolute_address_of_the_same_service_is_followed(make: Make) -> None:
    client, service = make({"/out/model.stl": [b"solid"]})
    artifact = client.fetch(JOB, JobState(JobPhase.COMPLETED, output=f"{service.url}/out/model.stl"))

    assert artifact.name == "model.stl"


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/model.stl", "https://elsewhere.example/a.stl", "/a\r\nb", "ftp://x/y"]
)
def test_an_output_elsewhere_is_not_fetched(make: Make, url: str) -> None:
    client, service = make({})

    assert failure(client.fetch, JOB, JobState(JobPhase.COMPLETED, output=url)).error_class == "bad_answer"
    assert service.received == []


def test_an_output_that_is_gone_is_a_failure(make: Make) -> None:
    client, _ = make({})
    error = failure(client.fetch, JOB, JobState(JobPhase.COMPLETED, output="/api/download/x/y.stl"))

    assert (error.error_class, error.message) == ("http_404", "Not found")


@pytest.mark.processes
def test_the_output_is_inspected_by_content(make: Make) -> None:
    client, _ = make({}, {"format": "glb"})
    sphere = trimesh.creation.icosphere(subdivisions=1).export(file_type="stl")
    numbers = client.inspect(Artifact(sphere, "model.glb", ""))

    assert numbers["faces"] == 80 and numbers["format_honoured"] == 0
    assert failure(client.inspect, Artifact(WELCOME, "model.glb", "")).error_class == "not_a_mesh"


@pytest.mark.processes
def test_a_cube_is_a_placeholder_unless_the_suite_allows_it(make: Make) -> None:
    cube = Artifact(trimesh.creation.box().export(file_type="stl"), "cube.stl", "")
    strict, _ = make({})
    lenient, _ = make({}, {"placeholder": "allow"})

    assert failure(strict.inspect, cube).error_class == "placeholder"
    assert lenient.inspect(cube)["faces"] == 12
    assert strict.distinct_outputs and not lenient.distinct_outputs


# --- readiness and gauges


def test_a_ready_service_is_ready(make: Make) -> None:
    client, _ = make({"/ready": [{"status": "ready", "checks": {"models": True}}]})

    assert client.ready() is None


@pytest.mark.parametrize(
    ("answer", "error_class", "words"),
    [
        ((503, {"status": "not_ready", "checks": {"models": False}}), "not_ready", "models"),
        ((503, PAGE_503), "not_ready", "nginx"),
        (WELCOME, "bad_answer", "is this an ORFEAS?"),
        ({"status": "healthy"}, "bad_answer", "is this an ORFEAS?"),
        ((404, {"error": "Not found"}), "http_404", "Not found"),
    ],
)
def test_a_service_that_is_not_ready_says_why(make: Make, answer: Any, error_class: str, words: str) -> None:
    client, _ = make({"/ready": [answer]})
    error = failure(client.ready)

    assert error.error_class == error_class and words in error.message


PAGE = b"""# HELP orfeas_generations_in_progress Jobs
# TYPE orfeas_generations_in_progress gauge
orfeas_generations_in_progress{type="image"} 7.0
orfeas_generations_in_progress{provider="x",type="3d"} 3.0
orfeas_generations_in_progress_other{type="3d"} 9.0
"""


@pytest.mark.parametrize(
    ("answer", "count"),
    [
        (PAGE, 3),
        (PAGE.replace(b"3.0", b"0"), 0),
        (PAGE.replace(b"3.0", b"NaN"), None),
        (PAGE.replace(b"3.0", b"+Inf"), None),
        (PAGE.replace(b'"3d"', b'"4d"'), None),
        ((404, b""), None),
        (None, None),
    ],
)
def test_the_jobs_in_flight_are_the_gauge_of_3d(make: Make, answer: Any, count: int | None) -> None:
    client, _ = make({"/metrics": [answer]})

    assert client.in_flight() == count


@pytest.mark.parametrize(
    ("headers", "scale"),
    [({"X-Testbed-Time-Scale": "0.02"}, 0.02), ({}, None), ({"X-Testbed-Time-Scale": "fast"}, None)],
)
def test_a_testbed_declares_its_time_scale(make: Make, headers: dict[str, str], scale: float | None) -> None:
    client, _ = make({"/ready": [(200, {"status": "ready"}, headers)]})

    assert client.time_scale() == scale


def test_a_service_that_does_not_answer_has_no_known_time_scale(make: Make) -> None:
    client, _ = make({"/ready": [None]})

    assert failure(client.time_scale).error_class == "reset"


# --- settings


@pytest.mark.parametrize(
    "settings",
    [
        {"format": "step"},
        {"quality": 11},
        {"quality": 0},
        {"dimensions": {"width": 0, "height": 1, "depth": 1}},
        {"dimensions": {"width": 1, "height": 1, "depth": 501}},
        {"dimensions": {"width": 1, "height": 1.5, "depth": 1}},
        {"dimensions": {"width": 1}},
        {"placeholder": "maybe"},
        {"colour": "red"},
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, Any]) -> None:
    data = {"api": "orfeas", "request": settings}
    with pytest.raises(ValueError, match="request"):
        Service.model_validate(data, context={"wings": extensions.Wings()})


def test_settings_survive_being_written_and_read_without_the_wing_file(make: Make) -> None:
    given = {"format": "ply", "lost_after": "12s", "dimensions": {"width": 1, "height": 2, "depth": 3}}
    client, _ = make({}, given)
    again = Service.model_validate(client.service.model_dump(mode="json"))
    reread = extensions.attribute("services", "orfeas", "Client")(again)

    assert reread._request == client._request
    assert (reread._request.format, reread._request.lost_after_s) == ("ply", 12.0)
