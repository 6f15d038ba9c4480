"""Every call of the API as a client sees it, over HTTP, against a testbed in a process of its own."""

from __future__ import annotations

import io
import time
import uuid
from collections.abc import Callable

import pytest
import trimesh

FORMATS = ("stl", "obj", "glb", "ply")


def test_health_is_healthy(service) -> None:
    answer = service.get("/health")
    assert answer.status == 200
    assert answer.json() == {"service": "orfeas-backend", "status": "healthy", "version": "1.0.0"}


def test_ready_once_warm(service) -> None:
    answer = service.get("/ready")
    assert answer.status == 200
    assert answer.json()["status"] == "ready"
    assert answer.json()["checks"]["application"] is True


def test_api_health_has_every_field_and_declares_the_testbed(service) -> None:
    health = service.get("/api/health").json()
    assert health["status"] == "healthy"
    assert health.keys() >= {"timestamp", "mode", "active_jobs", "models_status", "processor", "capabilities"}
    assert health["gpu_info"].keys() == {"allocated", "reserved", "total", "free"}
    assert health["models_status"] == "ready"
    assert health["testbed"]["time_scale"] == 0.001


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/ready", 200),
        ("GET", "/metrics", 200),
        ("GET", "/api/job-status/nobody", 404),
        ("GET", "/no/such/page", 404),
        ("GET", "/api/generate-3d", 405),
        ("POST", "/api/generate-3d", 500),
        ("OPTIONS", "/api/generate-3d", 200),
    ],
)
def test_every_answer_closes_allows_all_origins_and_names_the_scale(
    service, method: str, path: str, status: int
) -> None:
    answer = service.call(method, path)
    assert answer.status == status
    assert answer.headers["Connection"] == "close"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert float(answer.headers["X-Testbed-Time-Scale"]) == 0.001


def test_a_path_that_is_none_is_an_html_page_as_flask_has_it(service) -> None:
    answer = service.get("/no/such/page")
    assert answer.headers["Content-Type"].startswith("text/html")
    assert b"404 Not Found" in answer.body


# --- upload ---------------------------------------------------------------------------------------


def test_upload_answers_with_every_field(service, picture: Callable[..., bytes]) -> None:
    content = picture(1)
    answer = service.upload(content, "my photo.png")
    uploaded = answer.json()

    assert answer.status == 200
    assert str(uuid.UUID(uploaded["job_id"])) == uploaded["job_id"]
    assert uploaded["status"] == "uploaded"
    assert uploaded["original_filename"] == "my_photo.png"
    assert uploaded["filename"] == f"{uploaded['job_id']}_my_photo.png"
    assert uploaded["preview_url"] == f"/api/preview/{uploaded['filename']}"
    assert uploaded["image_info"] == {
        "size": [64, 48],
        "format": "PNG",
        "mode": "RGB",
        "has_transparency": False,
        "file_size": len(content),
    }


def test_preview_is_the_uploaded_image(service, picture: Callable[..., bytes]) -> None:
    content = picture(2, "JPEG")
    preview = service.get(service.upload(content, "a.jpg").json()["preview_url"])
    assert (preview.status, preview.body) == (200, content)
    assert preview.headers["Content-Type"] == "image/jpeg"


def test_preview_of_nothing_is_404(service) -> None:
    answer = service.get("/api/preview/..%2f..%2fetc%2fpasswd")
    assert answer.status == 404
    assert service.get("/api/preview/none.png").json() == {"error": "Image not found"}


def test_upload_needs_the_field_image_in_a_form(service, picture: Callable[..., bytes]) -> None:
    for answer in (
        service.upload(picture(), name="file"),
        service.call("POST", "/api/upload-image", b"{}", {"Content-Type": "application/json"}),
        service.call(
            "POST", "/api/upload-image", b"no form", {"Content-Type": "multipart/form-data; boundary=x"}
        ),
        service.call("POST", "/api/upload-image", b"no form", {"Content-Type": "multipart/form-data"}),
    ):
        assert (answer.status, answer.json()) == (400, {"error": "No image file provided"})


def test_upload_refuses_with_the_reason(service, picture: Callable[..., bytes]) -> None:
    answer = service.upload(picture(), "a.jpg")
    assert answer.status == 400
    assert answer.json()["error"].startswith(
        "Security validation failed: File magic number doesn't match jpg"
    )


def test_upload_over_50_mb_is_413(service) -> None:
    answer = service.upload(b"\0" * (50 * 1024 * 1024 + 1))
    assert (answer.status, answer.json()) == (413, {"error": "File too large (max 50MB)"})


# --- generate -------------------------------------------------------------------------------------


def test_generate_answers_at_once_with_its_defaults(service, picture: Callable[..., bytes]) -> None:
    job_id = service.upload(picture(3)).json()["job_id"]
    answer = service.generate(job_id)
    assert answer.status == 200
    assert answer.json() == {
        "job_id": job_id,
        "status": "generating_3d",
        "format": "stl",
        "dimensions": {"width": 100, "height": 100, "depth": 20},
        "quality": 7,
    }
    assert service.wait(job_id)["status"] == "completed"


@pytest.mark.parametrize(
    "fields",
    [
        {"format": "fbx"},
        {"quality": 0},
        {"quality": 11},
        {"quality": "good"},
        {"dimensions": {"width": 0, "height": 1, "depth": 1}},
        {"dimensions": {"width": 1}},
    ],
)
def test_generate_refuses_wrong_parameters_with_details(service, fields: dict[str, object]) -> None:
    answer = service.generate(str(uuid.uuid4()), **fields)
    assert answer.status == 400
    assert answer.json()["error"] == "Invalid request parameters"
    assert answer.json()["details"][0]["loc"][0] in fields


def test_generate_without_a_job_id_is_400(service) -> None:
    answer = service.call("POST", "/api/generate-3d", b"{}", {"Content-Type": "application/json"})
    assert answer.status == 400
    assert answer.json()["details"][0]["loc"] == ["job_id"]


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (b'{"job_id": ', "application/json"),
        (b"[]", "application/json"),
        (b"null", "application/json"),
        (b"\xff\xfe", "application/json"),
        (b'{"job_id": "not-a-uuid"}', "application/json"),
        (b'{"job_id": "F81EAFE5-2DAA-4DF1-8DFB-276077459F5A"}', "application/json"),
        (b"--x\r\n\r\n--x--", "multipart/form-data; boundary=x"),
    ],
)
def test_generate_trips_over_what_it_does_not_expect(service, body: bytes, media_type: str) -> None:
    answer = service.call("POST", "/api/generate-3d", body, {"Content-Type": media_type})
    assert (answer.status, answer.json()) == (500, {"error": "3D generation failed"})


def test_an_id_that_was_never_uploaded_is_accepted_and_then_fails(service) -> None:
    job_id = str(uuid.uuid4())
    assert service.generate(job_id).status == 200
    assert service.wait(job_id) == {"status": "failed", "error": "No input image found"}


@pytest.fixture(scope="module")
def single(serve):
    """One slot, 0.8 s a job, the first 10 ms of which it is not to be seen."""
    return serve(slots=1, service_time="80s", time_scale=0.01, spread=0)


# --- status and download --------------------------------------------------------------------------


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_job_makes_a_mesh_of_the_format_asked_for(
    service, file_format: str, picture: Callable[..., bytes]
) -> None:
    job_id, status = service.job(picture(4), format=file_format)
    assert status == {
        "status": "completed",
        "progress": 100,
        "step": "3D model generation complete!",
        "output_file": f"model_{job_id}.{file_format}",
        "download_url": f"/api/download/{job_id}/model_{job_id}.{file_format}",
    }
    download = service.get(status["download_url"])
    mesh = trimesh.load(io.BytesIO(download.body), file_type=file_format, force="mesh")

    assert download.status == 200
    assert download.headers["Content-Type"] == "application/octet-stream"
    assert int(download.headers["Content-Length"]) == len(download.body)
    assert mesh.is_watertight and len(mesh.faces) > 12


def test_preview_output_is_the_file_itself(service, picture: Callable[..., bytes]) -> None:
    job_id, status = service.job(picture(5))
    preview = service.get(f"/api/preview-output/{job_id}/{status['output_file']}")
    assert preview.status == 200
    assert preview.body == service.get(status["download_url"]).body


def test_different_pictures_give_different_meshes(service, picture: Callable[..., bytes]) -> None:
    bodies = {service.get(service.job(picture(seed))[1]["download_url"]).body for seed in (6, 7, 8)}
    assert len(bodies) == 3


def test_what_is_not_there_is_404(service, picture: Callable[..., bytes]) -> None:
    job_id, _ = service.job(picture(9))
    uploaded = service.upload(picture(10)).json()["job_id"]
    unknown = str(uuid.uuid4())

    assert service.status(unknown).json() == {"error": "Job not found"}
    assert service.status(uploaded).status == 404  # uploaded, not started
    assert service.get(f"/api/download/{unknown}/model.stl").json() == {"error": "Job not found"}
    assert service.get(f"/api/download/{job_id}/model.stl").json() == {"error": "File not found"}
    assert service.get(f"/api/preview-output/{job_id}/model.stl").json() == {"error": "Output not found"}
    assert all(service.get(f"/api/download/{job_id}/{name}").status == 404 for name in ("..", "%2e%2e%2fx"))


def test_a_job_can_be_ordered_again_once_it_has_ended(service, picture: Callable[..., bytes]) -> None:
    job_id, first = service.job(picture(11), format="stl")
    assert service.generate(job_id, format="obj").status == 200
    again = service.wait(job_id)
    assert again["output_file"].endswith(".obj")
    assert service.get(first["download_url"]).status == 404


def test_progress_goes_404_then_25_50_100_and_a_running_job_is_a_conflict(
    single, picture: Callable[..., bytes]
) -> None:
    job_id = single.upload(picture(1)).json()["job_id"]
    before_s = time.monotonic()
    single.generate(job_id)
    conflict = single.generate(job_id)
    seen: list[object] = []
    while not seen or seen[-1] != 100:
        answer = single.status(job_id)
        seen.append(answer.json()["progress"] if answer.status == 200 else answer.status)
        time.sleep(0.005)
    took_s = time.monotonic() - before_s

    assert conflict.status == 409
    assert conflict.json()["error"] == "Generation already in progress"
    assert (conflict.json()["status"], conflict.json()["job_id"]) == ("conflict", job_id)
    order = sorted(set(seen), key=seen.index)
    assert order in ([404, 25, 50, 100], [25, 50, 100])  # a slow machine may come too late for the 404
    assert took_s >= 0.8


def test_a_job_that_waits_for_its_slot_is_initializing(single, picture: Callable[..., bytes]) -> None:
    ids = [single.upload(picture(seed)).json()["job_id"] for seed in (1, 2)]
    for job_id in ids:
        single.generate(job_id)
    waiting: list[dict[str, object]] = []
    while single.status(ids[0]).json().get("status") != "completed":
        if (answer := single.status(ids[1])).status == 200:
            waiting.append(answer.json())
        time.sleep(0.01)
    single.wait(ids[1])

    assert waiting
    assert (waiting[0]["status"], waiting[0]["progress"]) == ("initializing", 0)


def test_refuses_when_full_as_orfeas_does(serve, picture: Callable[..., bytes]) -> None:
    full = serve(slots=1, when_full="refuse", service_time="100s", time_scale=0.01)
    first, second = (full.upload(picture(seed)).json()["job_id"] for seed in (1, 2))

    assert full.generate(first).status == full.generate(second).status == 200
    assert full.wait(second) == {
        "status": "failed",
        "error": f"Cannot allocate job {second}: insufficient resources",
    }
    assert full.wait(first)["status"] == "completed"
    assert [line["outcome"] for line in full.truths()] == ["failed"]  # the other waits for its download
