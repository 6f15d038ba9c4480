"""Records as spans of OpenTelemetry: a span a logical request, with its stages as children.

The trace is the one that the service was told of: its id, and the id of the request's span, are those of the
`traceparent` that each call of the request had (`genload.service.correlation`).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags
from xxhash import xxh64_intdigest

from genload import __version__
from genload.runlog.records import LEFT, RequestRecord, RunHeader
from genload.service.correlation import correlation_headers

_SCOPE = InstrumentationScope("genload", __version__)
_NS = 1e9


def own(name: str) -> str:
    """An attribute of genload's."""
    return f"genload.{name}"


class Spans:
    """Makes the spans of one run."""

    def __init__(self, header: RunHeader, run_id: str) -> None:
        self._began_ns = int(datetime.fromisoformat(header.started_at).timestamp() * _NS)
        self._resource = _resource().merge(
            Resource(
                {
                    "service.version": __version__,
                    own("run_id"): run_id,
                    own("suite"): str(header.suite["name"]),
                    own("scenario"): header.scenario,
                }
            )
        )

    def of(self, record: RequestRecord) -> Iterator[ReadableSpan]:
        """The request first, then its stages; none of what is no logical request, or was told to nobody."""
        if not record.operation or not record.request_id:
            return
        _, trace_id, span_id, _ = correlation_headers(record.request_id)["traceparent"].split("-")
        context = _context(trace_id, int(span_id, 16))
        start_s = record.start_s
        yield self._span(
            record.name,
            context,
            None,
            start_s,
            start_s + record.duration_s,
            attributes=_attributes(record),
            kind=SpanKind.CLIENT,
            status=_status(record),
        )
        for stage, took_s in record.stages.items():
            own = _context(trace_id, xxh64_intdigest(f"{trace_id} {stage}".encode()) or 1)
            yield self._span(stage, own, context, start_s, start_s + took_s)
            start_s += took_s

    def _span(
        self,
        name: str,
        context: SpanContext,
        parent: SpanContext | None,
        start_s: float,
        end_s: float,
        *,
        attributes: dict[str, str | float] | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        status: Status = Status(),  # noqa: B008  it is never changed
    ) -> ReadableSpan:
        return ReadableSpan(
            name,
            context,
            parent,
            self._resource,
            attributes,
            kind=kind,
            status=status,
            start_time=self._began_ns + int(start_s * _NS),
            end_time=self._began_ns + int(end_s * _NS),
            instrumentation_scope=_SCOPE,
        )


def _resource() -> Resource:
    """What OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say, and a name where they say none."""
    said = Resource.create()
    if str(said.attributes["service.name"]).startswith("unknown_service"):
        return said.merge(Resource({"service.name": "genload"}))
    return said


def _context(trace_id: str, span_id: int) -> SpanContext:
    return SpanContext(
        int(trace_id, 16), span_id, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED)
    )


def _attributes(record: RequestRecord) -> dict[str, str | float]:
    said: dict[str, str | float] = {
        own("operation"): record.operation,
        own("population"): record.population,
        own("request_id"): record.request_id,
        own("job_id"): record.job_id,
        own("process"): record.source,
        own("phase"): record.phase,
        own("outcome"): record.outcome,
        "error.type": record.error_class,
        "http.response.status_code": record.status,
    }
    numbers = {own(name): value for name, value in record.numbers.items()}
    labels = {own(f"label.{name}"): value for name, value in record.labels.items()}
    return {name: value for name, value in said.items() if value} | labels | numbers


def _status(record: RequestRecord) -> Status:
    if record.outcome in ("ok", LEFT):
        return Status(StatusCode.UNSET)
    return Status(StatusCode.ERROR, record.error or record.error_class)
