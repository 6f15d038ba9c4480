"""Records as spans: known times and ids, and each record sent once however its file grows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.trace import SpanKind, StatusCode

from genload.runlog.layout import HEADER, REQUESTS
from genload.runlog.lines import to_line
from genload.runlog.records import FORMAT_VERSION, RequestRecord, RunHeader
from genload.service.correlation import correlation_headers
from genload.tracing import start_tracing
from genload.tracing.child import BATCH, PATIENCE_S, Sender, timeout_s
from genload.tracing.spans import Spans, own

from ..clock import Clock

BEGAN = datetime(2026, 11, 29, 12, 0, 0, 500_000, tzinfo=UTC)
JOB = RequestRecord(
    source="w1",
    n=3,
    name="generate",
    operation="generate",
    request_id="0af76519-16cd-43dd-8448-eb211c80319c",
    phase="spike",
    start_s=2.0,
    duration_s=4.0,
    stages={"upload": 1.0, "run": 2.5, "download": 0.5},
    labels={"voice": "a"},
    numbers={"faces": 12.0},
)


@pytest.fixture
def header() -> RunHeader:
    return RunHeader(
        format=FORMAT_VERSION,
        suite={"name": "own"},
        requested={},
        scenario="spike",
        phases=[],
        operation="generate",
        stages=[],
        started_at=BEGAN.isoformat(timespec="milliseconds"),
    )


def spans_of(record: RequestRecord, header: RunHeader) -> list[ReadableSpan]:
    return list(Spans(header, "own-1").of(record))


def seconds(span: ReadableSpan) -> tuple[float, float]:
    """Begin and end since the run began."""
    assert span.start_time is not None and span.end_time is not None
    began_ns = int(BEGAN.timestamp() * 1e9)
    return (span.start_time - began_ns) / 1e9, (span.end_time - began_ns) / 1e9


def test_a_request_is_a_span_whose_children_are_its_stages(header: RunHeader) -> None:
    root, *stages = spans_of(JOB, header)
    assert (root.name, root.kind, seconds(root)) == ("generate", SpanKind.CLIENT, (2.0, 6.0))
    assert [span.name for span in stages] == ["upload", "run", "download"]
    assert [seconds(span) for span in stages] == [(2.0, 3.0), (3.0, 5.5), (5.5, 6.0)]
    assert [span.parent for span in stages] == [root.context] * 3
    assert root.parent is None
    assert root.attributes is not None and dict(root.attributes) == {
        own("operation"): "generate",
        own("request_id"): JOB.request_id,
        own("process"): "w1",
        own("phase"): "spike",
        own("outcome"): "ok",
        own("label.voice"): "a",
        own("faces"): 12.0,
    }
    resource = root.resource.attributes
    assert (resource["service.name"], resource[own("run_id")]) == ("genload", "own-1")
    assert (resource[own("suite")], resource[own("scenario")]) == ("own", "spike")


@pytest.mark.parametrize("request_id", [JOB.request_id, "no uuid at all", "0" * 32])
def test_the_trace_is_the_one_that_the_service_was_told_of(request_id: str, header: RunHeader) -> None:
    root, *stages = spans_of(msgspec.structs.replace(JOB, request_id=request_id), header)
    assert root.context is not None
    told = f"00-{root.context.trace_id:032x}-{root.context.span_id:016x}-01"
    assert correlation_headers(request_id)["traceparent"] == told
    ids = {span.context.span_id for span in (root, *stages) if span.context is not None}
    assert len(ids) == 4 and 0 not in ids


@pytest.mark.parametrize(
    ("outcome", "code", "words"),
    [
        ("failed", StatusCode.ERROR, "HTTP 500: no room"),
        ("unfinished", StatusCode.ERROR, "HTTP 500: no room"),
        ("left", StatusCode.UNSET, None),
    ],
)
def test_what_failed_is_an_error(
    outcome: str, code: StatusCode, words: str | None, header: RunHeader
) -> None:
    failed = msgspec.structs.replace(
        JOB, outcome=outcome, error_class="http_500", error="HTTP 500: no room", status=500, stages={}
    )
    [span] = spans_of(failed, header)
    assert span.status.status_code is code
    assert words is None or span.status.description == words
    assert span.attributes is not None
    assert (span.attributes["error.type"], span.attributes["http.response.status_code"]) == ("http_500", 500)


@pytest.mark.parametrize("other", [{"operation": ""}, {"request_id": ""}])
def test_calls_and_what_was_told_to_nobody_are_no_spans(other: dict[str, str], header: RunHeader) -> None:
    assert spans_of(msgspec.structs.replace(JOB, **other), header) == []


class Exporter:
    """Takes batches, or refuses them."""

    def __init__(self) -> None:
        self.names: list[list[str]] = []
        self.works = True

    def __call__(self, batch: Sequence[ReadableSpan]) -> SpanExportResult:
        self.names.append([span.name for span in batch])
        return SpanExportResult.SUCCESS if self.works else SpanExportResult.FAILURE


@pytest.fixture
def exporter() -> Exporter:
    return Exporter()


@pytest.fixture
def folder(tmp_path: Path, header: RunHeader) -> Path:
    (tmp_path / HEADER).write_bytes(to_line(header))
    (tmp_path / REQUESTS).touch()
    return tmp_path


def add(folder: Path, content: bytes) -> None:
    with (folder / REQUESTS).open("ab") as file:
        file.write(content)


def test_each_record_is_sent_once_whole_and_however_its_file_grows(folder: Path, exporter: Exporter) -> None:
    sender = Sender(folder, exporter, lambda: "")
    line = to_line(msgspec.structs.replace(JOB, stages={}))
    sender.send()
    add(folder, line + line[:20])
    sender.send()
    add(folder, line[20:] + b"{torn}\n")
    sender.send()
    sent = sender.send(last=True)
    assert exporter.names == [["generate"], ["generate"]]
    assert (sent.sent, sent.lost, sent.reason) == (2, 0, "")


def test_spans_go_in_batches_and_those_that_were_refused_are_counted(
    folder: Path, exporter: Exporter
) -> None:
    sender = Sender(folder, exporter, lambda: "nobody there")
    lines = to_line(msgspec.structs.replace(JOB, stages={})) * (2 * BATCH + 1)
    add(folder, lines)
    sender.send()
    assert [len(names) for names in exporter.names] == [BATCH, BATCH, 1]
    exporter.works = False
    add(folder, lines)
    sent = sender.send(last=True)
    # At the end a receiver that is not there is waited for once.
    assert len(exporter.names) == 4
    assert (sent.sent, sent.lost, sent.reason) == (2 * BATCH + 1, 2 * BATCH + 1, "nobody there")


@pytest.mark.parametrize(("ago_s", "tried"), [(0.0, 0), (PATIENCE_S - 0.1, 0), (PATIENCE_S, 1)])
def test_a_receiver_that_was_just_waited_for_in_vain_is_not_waited_for_again_at_the_end(
    ago_s: float, tried: int, folder: Path, exporter: Exporter
) -> None:
    clock, line = Clock(), to_line(msgspec.structs.replace(JOB, stages={}))
    sender = Sender(folder, exporter, lambda: "nobody there", clock)
    exporter.works = False
    add(folder, line)
    sender.send()
    clock.sleep(ago_s)
    add(folder, line)
    sent = sender.send(last=True)
    assert len(exporter.names) == 1 + tried
    assert (sent.sent, sent.lost) == (0, 2)


@pytest.mark.parametrize(
    ("environ", "found_s"),
    [
        ({}, PATIENCE_S),
        ({"OTEL_EXPORTER_OTLP_TIMEOUT": " "}, PATIENCE_S),
        ({"OTEL_EXPORTER_OTLP_TIMEOUT": "30"}, None),
        ({"OTEL_EXPORTER_OTLP_TRACES_TIMEOUT": "30"}, None),
    ],
)
def test_a_receiver_has_the_time_that_the_standards_variables_say_else_two_seconds(
    environ: dict[str, str], found_s: float | None
) -> None:
    assert timeout_s(environ) == found_s


@pytest.mark.processes
def test_what_nobody_took_is_counted_with_the_reason(
    folder: Path, dead_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{dead_port}")
    add(folder, to_line(JOB))
    sent = start_tracing(folder).stop()
    assert (sent.sent, sent.lost) == (0, 4)
    assert "Failed to export spans batch" in sent.reason
