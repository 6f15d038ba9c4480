"""A whole run that others watch: its page of metrics while it goes on and after it, and a gateway."""

from __future__ import annotations

import gzip
import signal
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parsed_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parsed

from genload.runlog.reader import RunLog, open_run
from genload.tracing.spans import own

from ..conftest import system_program
from ..listening import listening_port
from ..scripted_server import Call, Reply, ScriptedServer, answers

pytestmark = pytest.mark.processes

ROOT = Path(__file__).resolve().parents[2]
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


class Receiver:
    """One of OTLP over HTTP, which keeps the spans that it was sent."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        self.resources: list[dict[str, str]] = []

    def take(self, call: Call) -> Reply:
        body = gzip.decompress(call.body) if call.headers.get("content-encoding") == "gzip" else call.body
        for part in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.resources.append(said(part.resource))
            self.spans += [span for scope in part.scope_spans for span in scope.spans]
        return Reply(200 if call.path == "/v1/traces" else 404)


def said(part: Any) -> dict[str, Any]:
    """The attributes of a span or a resource."""
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in part.attributes}


def _check_traces(receiver: Receiver, server: Any, run: RunLog) -> None:
    """Each request once, in the trace that the service was told of, and its stages one after the other."""
    jobs = {record.request_id: record for record in run.requests() if record.operation}
    roots = {span.trace_id.hex(): span for span in receiver.spans if not span.parent_span_id}
    children = [span for span in receiver.spans if span.parent_span_id]
    told = {row["traceparent"] for row in server.truth_records()}
    assert {f"00-{trace_id}-{root.span_id.hex()}-01" for trace_id, root in roots.items()} == told
    assert len(receiver.spans) == len(roots) + len(children) == len({span.span_id for span in receiver.spans})
    [resource] = {tuple(sorted(each.items())) for each in receiver.resources}
    assert dict(resource).items() >= {"service.name": "load", own("scenario"): "short"}.items()
    for root in roots.values():
        job = jobs[said(root)[own("request_id")]]
        stages = [span for span in children if span.parent_span_id == root.span_id]
        assert [span.name for span in stages] == list(job.stages)
        assert stages[0].start_time_unix_nano == root.start_time_unix_nano
        ends = [span.end_time_unix_nano for span in stages]
        assert [span.start_time_unix_nano for span in stages[1:]] == pytest.approx(ends[:-1], abs=2_000)
        took_s = (root.end_time_unix_nano - root.start_time_unix_nano) / 1e9
        assert took_s == pytest.approx(job.duration_s, abs=1e-5)
    assert not jobs.keys() - {said(root)[own("request_id")] for root in roots.values()}


def test_a_run_is_seen_while_it_goes_on_and_with_its_verdict_afterwards(
    testbed: Callable[..., Any],
    running: Callable[..., subprocess.Popen[str]],
    short_suite: Callable[..., str],
    wait_until: Callable[..., None],
    gateway: str,
    environment: dict[str, str],
    tmp_path: Path,
) -> None:
    server = testbed(service_time="300ms", slots=20)
    outlets = "--metrics-port", "0", "--linger", "60s", "--push-metrics", gateway, "--otel"
    receiver = Receiver()
    collector = ScriptedServer(answers(receiver.take))
    # However long this process stands still, its collector is waited for.
    environment |= {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_EXPORTER_OTLP_TIMEOUT": "30"}
    environment["OTEL_SERVICE_NAME"] = "load"
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
    collector.close()
    assert run.returncode == 0, output
    assert f"metrics: {page}" in output
    written = numbers((folder / "metrics_short.txt").read_text(), parsed_openmetrics)
    _check_traces(receiver, server, open_run(folder / "short"))
    pushed = numbers(got(f"{gateway}/metrics"))
    assert written["genload_requests_total"] == seen["genload_requests_total"]
    of_gateway = {"job": "genload", "instance": ""}
    assert pushed["genload_run_exit_code"] == [({**written["genload_run_exit_code"][0][0], **of_gateway}, 0)]


# A locustfile that writes down what is asked of those outside, and the stages of the run between.
EAVESDROPS = """
import atexit, sys
from pathlib import Path
from genload.harness.outside import Outside
from genload.harness.run import Run
from locustfiles.generation3d import *

said, enter = [], Run._enter

def asked(outside, name):
    said.append(name)
    return object.__getattribute__(outside, name)

def entered(run, stage):
    said.append(stage.upper())
    enter(run, stage)

Outside.__getattribute__, Run._enter = asked, entered
atexit.register(lambda: Path("said").write_text("\\n".join([*said, "IMPORTED", *sys.modules])))
"""


def test_while_a_load_runs_that_nobody_watches_not_one_call_is_about_it(
    testbed: Callable[..., Any],
    run_locust: Callable[..., Any],
    short_suite: Callable[..., str],
    environment: dict[str, str],
    tmp_path: Path,
) -> None:
    server = testbed(service_time="100ms", slots=20)
    (tmp_path / "eavesdrops.py").write_text(EAVESDROPS)
    done = run_locust(
        "--scenario", short_suite(duration="1s"), "-H", server.url,
        locustfile=str(tmp_path / "eavesdrops"), environment=environment | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.code == 0, done.output
    assert done.jobs("short")
    said = (tmp_path / "said").read_text().splitlines()
    imported = said.index("IMPORTED")
    assert said.index("watched") < said.index("LOAD") < said.index("recorded") < imported
    assert said[said.index("LOAD") + 1] == "DRAINING"
    code = "genload.harness.metrics_page", "genload.tracing", "prometheus_client", "opentelemetry"
    assert [name for name in said[imported:] if name.startswith(code)] == []
