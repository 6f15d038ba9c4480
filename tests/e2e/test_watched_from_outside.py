"""A whole run that others watch: its page of metrics while it goes on and after it, and a gateway."""

from __future__ import annotations

import signal
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parsed_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parsed

from ..conftest import system_program
from ..listening import listening_port

pytestmark = pytest.mark.processes

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[str]:
    """The URL of a real Pushgateway."""
    program = system_program("prometheus-pushgateway", "pushgateway")
    with (tmp_path / "gateway.log").open("wb") as log:
        process = subprocess.Popen([program, "--web.listen-address=127.0.0.1:0"], stdout=log, stderr=log)
    yield f"http://127.0.0.1:{listening_port(process)}"
    process.kill()
    process.wait()


def got(url: str, accept: str = "text/plain") -> str:
    asked = urllib.request.Request(url, headers={"Accept": accept})  # noqa: S310  our own URL
    with urllib.request.urlopen(asked, timeout=10) as answer:  # noqa: S310
        text: str = answer.read().decode()
    return text


def numbers(text: str, parse: Callable[[str], Any] = parsed) -> dict[str, list[tuple[dict[str, str], float]]]:
    """The samples of a page by name."""
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in parse(text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


def test_a_run_is_seen_while_it_goes_on_and_with_its_verdict_afterwards(
    testbed: Callable[..., Any],
    running: Callable[..., subprocess.Popen[str]],
    short_suite: Callable[..., str],
    wait_until: Callable[..., None],
    gateway: str,
    tmp_path: Path,
) -> None:
    server = testbed(service_time="300ms", slots=20)
    outlets = "--metrics-port", "0", "--linger", "60s", "--push-metrics", gateway
    run = running("--scenario", short_suite(duration="2s"), "-H", server.url, *outlets)
    page = f"http://127.0.0.1:{listening_port(run)}/metrics"
    seen: dict[str, Any] = {}

    def look() -> dict[str, Any]:
        seen.clear()
        seen.update(numbers(got(page, OPENMETRICS), parsed_openmetrics))
        return seen

    wait_until(lambda: look().get("genload_requests_total"), run)
    [(labels, in_load)] = [each for each in seen["genload_phase_active"] if each[1]] or [({}, 0)]
    assert in_load == 0 or (labels["suite"], labels["scenario"], labels["phase"]) == (
        "own",
        "short",
        "steady",
    )
    assert "genload_run_exit_code" not in seen
    wait_until(lambda: "genload_run_exit_code" in look(), run)
    [(labels, code)] = seen["genload_run_exit_code"]
    [folder] = (tmp_path / "results").iterdir()
    assert (code, labels) == (0, {"run_id": folder.name, "suite": "own", "scenario": "short"})
    ended = sum(value for labels, value in seen["genload_requests_total"] if labels["outcome"] == "ok")
    assert ended == len(server.truth_records()) > 0
    assert {labels["stage"] for labels, _ in seen["genload_run_stage"]} == {"done"}
    run.send_signal(signal.SIGTERM)
    output, _ = run.communicate(timeout=30)
    assert run.returncode == 0, output
    assert f"metrics: {page}" in output
    written = numbers((folder / "metrics_short.txt").read_text(), parsed_openmetrics)
    pushed = numbers(got(f"{gateway}/metrics"))
    assert written["genload_requests_total"] == seen["genload_requests_total"]
    of_gateway = {"job": "genload", "instance": ""}
    assert pushed["genload_run_exit_code"] == [({**written["genload_run_exit_code"][0][0], **of_gateway}, 0)]
