"""The service's own /metrics page: live families move, idle ones stay, and the counters lie as they do."""

from __future__ import annotations

import shutil
import subprocess
import time
import uuid
from collections.abc import Callable

import pytest
from prometheus_client.parser import text_string_to_metric_families

IDLE_UNLABELLED = (
    "orfeas_job_queue_size",
    "app_uptime_seconds",
    "websocket_connection_duration_seconds_count",
)
IDLE_LABELLED = (
    "http_requests",
    "http_request_duration_seconds",
    "gpu_usage_percent",
    "model_3d_generations",
    "websocket_connections_active",
    "websocket_messages_sent",
    "pipeline_stage_duration_seconds",
    "pipeline_stage_errors",
)
DONE = 'orfeas_generations_total{provider="hunyuan3d",status="success",type="3d"}'


def test_live_families_move_with_a_job(service, picture: Callable[..., bytes]) -> None:
    before = service.metric(DONE) or 0
    _, status = service.job(picture(1))
    assert status["status"] == "completed"

    assert service.metric(DONE) == before + 1
    duration = "orfeas_generation_duration_seconds"
    labels = 'provider="hunyuan3d",type="3d"'
    assert service.metric(f"{duration}_count{{{labels}}}") == before + 1
    assert service.metric(f"{duration}_sum{{{labels}}}") >= 0.9 * service.scaled_service_s
    assert service.metric('orfeas_generations_in_progress{type="3d"}') == 0
    assert service.metric("orfeas_memory_usage_bytes") > 1e6
    assert 0 < service.metric("orfeas_memory_usage_percent") <= 100
    assert service.metric("orfeas_cpu_usage_percent") >= 0
    assert service.metric("process_resident_memory_bytes") > 2e7
    assert 0 < service.metric("process_start_time_seconds") < time.time()


def test_every_request_counts_as_post_under_the_name_of_its_endpoint(service) -> None:
    sample = 'orfeas_requests_total{endpoint="/api/job-status",method="POST",status="404"}'
    before = service.metric(sample) or 0
    service.status(str(uuid.uuid4()))
    service.status("nobody")

    assert service.metric(sample) == before + 2
    assert service.metric('orfeas_requests_in_progress{endpoint="/api/job-status"}') == 0
    name = 'orfeas_request_duration_seconds_count{endpoint="/api/job-status",method="POST"}'
    assert service.metric(name) >= before + 2


def test_a_page_that_is_none_is_an_error_and_a_500_to_the_counters(service) -> None:
    assert service.get("/nothing").status == 404
    assert service.metric('orfeas_errors_total{endpoint="/static",error_type="NotFound"}') >= 1
    assert service.metric('orfeas_requests_total{endpoint="/static",method="POST",status="500"}') >= 1


def test_failed_jobs_count_as_success(service, picture: Callable[..., bytes]) -> None:
    before = service.metric(DONE) or 0
    _, status = service.job(picture(1), headers={"X-Testbed-Fault": "fail"})

    assert status["status"] == "failed"
    assert service.metric(DONE) == before + 1
    assert b'status="failed"' not in service.get("/metrics").body


def test_gpu_memory_follows_the_jobs(serve, picture: Callable[..., bytes]) -> None:
    service = serve(service_time="1000s", time_scale=1, slots=2)
    allocated, reserved = (f'orfeas_gpu_memory_{kind}bytes{{gpu_id="0"}}' for kind in ("allocated_", ""))
    idle_bytes, reserved_bytes = service.metric(allocated), service.metric(reserved)
    for seed in range(3):
        service.generate(service.upload(picture(seed)).json()["job_id"])

    assert service.metric(allocated) == idle_bytes + 2 * 4 * 2**30
    assert service.metric(reserved) == reserved_bytes
    assert service.metric('orfeas_generations_in_progress{type="3d"}') == 3  # the one that waits, too
    health = service.get("/api/health").json()
    assert health["active_jobs"] == 3
    assert health["gpu_info"]["allocated"] == service.metric(allocated)


def test_idle_families_are_registered_and_never_move(service, picture: Callable[..., bytes]) -> None:
    service.job(picture(2))
    page = service.get("/metrics").body.decode()
    families = {family.name: family for family in text_string_to_metric_families(page)}

    assert all(families[name].samples == [] for name in IDLE_LABELLED)
    assert all(service.metric(name) == 0 for name in IDLE_UNLABELLED)
    assert not families.keys() & {"gpu_memory_allocated_mb", "http_request_errors"}  # absent, a third state


def test_promtool_reads_the_page(service, picture: Callable[..., bytes]) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian package prometheus)")
    service.job(picture(3))
    page = service.get("/metrics").body
    checked = subprocess.run([promtool, "check", "metrics"], input=page, capture_output=True)

    # 3: it parsed the page and has advice on ORFEAS's names; 1: it could not read it.
    assert checked.returncode in (0, 3), checked.stderr.decode()
