"""What a master and its workers tell each other beside Locust's own messages.

Each worker reports again and again: its new records, numbered without holes, and how its users do. The master
answers each report with the number it has everything up to, and with its clock. Locust delivers a worker's
messages in order but confirms none, and a connection that is cut takes with it what was under way. So a
worker keeps its records until they are confirmed and sends them again when that takes too long; the master
drops what it has already. And each report says how much of what the master has told it has done: what is
missing comes with the answer, and is dropped where it has been done meanwhile.
"""

from __future__ import annotations

import msgspec

from genload.harness.gate_status import GateStatus
from genload.runlog.records import RequestRecord

REPORT_S, LONGEST_REPORT_S = 0.5, 2.0
MOST_REPORTS_PER_S = 16
"""Of all workers together while a load runs: one costs a master about as much as ten records."""
RESEND_S = 5.0
MOST_RECORDS = 500
"""In one report, at most: more of them come in pieces, between which the master does other things, and which
it need not hold all at once: its memory stays the same however many come."""

PREPARE, STAGE, ACK, REPORT, OUTPUT, BLAME = (
    f"genload_{name}" for name in ("prepare", "stage", "ack", "report", "output", "blame")
)


def report_s(workers: int) -> float:
    """The pause between two reports of each of so many workers while a load runs; at other times, when
    somebody waits for what they say, it is `REPORT_S`."""
    return min(max(REPORT_S, workers / MOST_REPORTS_PER_S), LONGEST_REPORT_S)


encode_records = msgspec.msgpack.Encoder().encode
decode_records = msgspec.msgpack.Decoder(list[RequestRecord]).decode


class WorkerReport(msgspec.Struct, kw_only=True):
    """One report; `records` begins with number `first`."""

    first: int
    records: bytes
    sent_s: float  # the worker's clock
    users: list[GateStatus]  # of each population
    lags_ms: list[float] = []
    cpu: float = 0.0
    rss_bytes: int = 0
    connections: int | None = None  # as in `ClientHealth`
    messages: int = 0
    offset_s: float = 0.0
    bound_s: float = 0.0
    run: int = 0  # the master's number of the run that this is about; 0 before the first
    announced: int = 0  # the number of the last announcement that it goes by
    stages: int = 0  # stage messages handled in this run
    total: int | None = None  # in every report from the end of its run on: how many records there were
