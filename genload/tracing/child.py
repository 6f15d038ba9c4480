"""The child process: follows requests.jsonl while the run writes it, and sends what it finds in batches."""

from __future__ import annotations

import logging
import os
import selectors
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, islice
from math import inf
from pathlib import Path

import msgspec
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult

from genload.runlog.layout import REQUESTS
from genload.runlog.reader import open_run
from genload.runlog.records import RequestRecord
from genload.tracing.messages import Sent
from genload.tracing.spans import Spans

LOOK_S = 0.5
BATCH = 512
"""So many spans are sent at once, at most: what OpenTelemetry's own processor takes."""
PATIENCE_S = 2.0
"""What a batch may take where no variable says otherwise, with all its tries: a receiver that is not there
delays the end of each run by as much. The standard's 10 s would be added to every scenario."""
_TIMEOUTS = "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"

Export = Callable[[Sequence[ReadableSpan]], SpanExportResult]


def main(folder: str) -> int:
    """Send the spans of a run until stdin is closed, then the last ones, and say what became of them all."""
    exporter, words = OTLPSpanExporter(timeout=timeout_s(os.environ)), _LastWords()
    logging.getLogger("opentelemetry").addHandler(words)
    logging.getLogger("opentelemetry").propagate = False
    sender = Sender(Path(folder), exporter.export, lambda: words.last)
    while not _ended(LOOK_S):
        sender.send()
    sent = sender.send(last=True)
    sys.stdout.buffer.write(msgspec.json.encode(sent))
    exporter.shutdown()  # type: ignore[no-untyped-call]
    return 0


def timeout_s(environ: Mapping[str, str]) -> float | None:
    """What a batch may take; None where one of the standard's variables says it."""
    return None if any(environ.get(name, "").strip() for name in _TIMEOUTS) else PATIENCE_S


class Sender:
    """Sends what a run has written since it was asked last.

    Args:
        why: what was said last of a batch that could not be sent.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        folder: Path,
        export: Export,
        why: Callable[[], str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._spans = Spans(open_run(folder).header, folder.parent.name)
        self._path, self._offset = folder / REQUESTS, 0
        self._decoder = msgspec.json.Decoder(RequestRecord)
        self._export, self._why, self._clock = export, why, clock
        self._failed_s = -inf
        self._sent = Sent()

    def send(self, *, last: bool = False) -> Sent:
        """How many were sent until now; in the `last` look nothing is tried any more after a loss, be it the
        one that was under way when the run ended."""
        spans = chain.from_iterable(map(self._spans.of, self._new()))
        gone = last and self._clock() - self._failed_s < PATIENCE_S
        while batch := list(islice(spans, BATCH)):
            if gone or self._export(batch) is not SpanExportResult.SUCCESS:
                gone, self._failed_s = last, self._clock()
                self._sent.lost += len(batch)
                self._sent.reason = self._why()
            else:
                self._sent.sent += len(batch)
        return self._sent

    def _new(self) -> Iterator[RequestRecord]:
        """Whole lines that were not there before; one that is torn is the reader's business, not ours."""
        with self._path.open("rb") as file:
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._offset += len(line)
                try:
                    record = self._decoder.decode(line)
                except msgspec.MsgspecError:
                    continue
                yield record


class _LastWords(logging.Handler):
    """What the exporter said last: one line at the end stands for all of them."""

    last = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.last = record.getMessage()


def _ended(timeout_s: float) -> bool:
    """Whether stdin was closed within this time."""
    with selectors.DefaultSelector() as selector:
        selector.register(0, selectors.EVENT_READ)
        return bool(selector.select(timeout_s)) and not os.read(0, 4096)
