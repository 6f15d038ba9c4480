"""A run says what was tested and how its monitors did, and nothing that it cannot find out ends it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ..busy_machine import VALIDITY

pytestmark = pytest.mark.processes

SUITE = (
    f"validity: {VALIDITY}\n"
    + """\
service:
  api: speech
  timeout: 40s
  identity:
    model: {endpoint: /v1/models, field: data.0.id}
    image: {env: GENLOAD_TEST_IMAGE}
    gone: {endpoint: /nowhere, field: id}
    precision: {env: GENLOAD_NOT_SET}
  request: {dialect: litetts, voices: [af_heart]}
locustfile: speech
reports: [results_json, markdown]
monitors:
  readiness: {interval: 200ms, timeout: 100ms, path: "http://127.0.0.1:1/"}
scenarios:
  one:
    shape: {kind: sequential, requests: 4}
    warmup: {jobs: 0}
    criteria: {all_good: speech.failed == 0}
"""
)


def test_a_run_names_what_it_tested_and_goes_on_without_what_it_cannot_find(
    testbed: Callable[..., Any],
    start_locust: Callable[..., subprocess.Popen[str]],
    tmp_path: Path,
    environment: dict[str, str],
) -> None:
    environment["GENLOAD_TEST_IMAGE"] = "sha256:9f2c"
    (tmp_path / "own.yaml").write_text(SUITE, encoding="utf-8")
    server = testbed(api="litetts", engine="tone", per_character="20ms", pace="0s", first_chunk="500ms")
    process = start_locust(
        "--headless", "--scenario", f"{tmp_path}/own.yaml/one", "-H", server.url, locustfile="speech"
    )
    try:
        output, _ = process.communicate(timeout=200)
    finally:
        if process.poll() is None:
            process.kill()
    assert process.returncode == 0, output
    line = "tested: model kokoro · image sha256:9f2c · gone unknown · precision unknown ($GENLOAD_NOT_SET)"
    assert line in output
    (file,) = (tmp_path / "results").glob("*/results_one.json")
    results = json.loads(file.read_text(encoding="utf-8"))
    assert results["identity"] == {
        "model": "kokoro",
        "image": "sha256:9f2c",
        "gone": "unknown",
        "precision": "unknown ($GENLOAD_NOT_SET)",
    }
    assert [text for text in results["notices"] if text.startswith("what was tested")] == [
        "what was tested: no gone: /nowhere answered with status 404"
    ]
    # The health probe asked where nobody is: down from its first tick to the end, each with the reason.
    (probe,) = results["monitors"]
    assert probe["came"] == probe["errors"] > 0
    assert "refused" in probe["last_error"].lower()
    assert results["uptime"]["percent"] == 0
    assert [down["end_time"] for down in results["uptime"]["down"]] == [None]
