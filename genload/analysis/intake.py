"""One pass over a run's records: the measured table, the warm-up, the errors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from genload.analysis.judged import ErrorGroup
from genload.analysis.table import RequestTable, TableBuilder
from genload.runlog.records import RequestRecord

MESSAGES_KEPT = 5


@dataclass(frozen=True, slots=True)
class Intake:
    """Everything that analysis wants from requests.jsonl.

    `measured` and `warmup` hold the logical requests of the scenario's operation, `gaps` the pauses between
    the arrivals of the measured ones by their class; `remarks` says why outputs could not be inspected, each
    with their number; `last_end_s` is of any request.
    """

    measured: RequestTable
    warmup: RequestTable
    errors: list[ErrorGroup]
    gaps: Mapping[int, int]
    remarks: Mapping[str, int]
    last_end_s: float


@dataclass
class _ErrorTally:
    count: int = 0
    messages: list[str] = field(default_factory=list)

    def add(self, message: str) -> None:
        self.count += 1
        if message and len(self.messages) < MESSAGES_KEPT and message not in self.messages:
            self.messages.append(message)


def take_in(records: Iterable[RequestRecord], operation: str) -> Intake:
    """Read the records once; nothing of them is kept but columns."""
    measured, warmup = TableBuilder(), TableBuilder()
    errors: dict[str, _ErrorTally] = {}
    gaps: Counter[int] = Counter()
    remarks: Counter[str] = Counter()
    last_end_s = 0.0
    for record in records:
        last_end_s = max(last_end_s, record.start_s + record.duration_s)
        if record.operation != operation:
            continue
        if record.warmup:
            warmup.add(record)
            continue
        measured.add(record)
        for number, count in record.gaps.items():
            gaps[number] += count
        if record.remark:
            remarks[record.remark] += 1
        if record.outcome != "ok":
            errors.setdefault(record.error_class or record.outcome, _ErrorTally()).add(record.error)
    groups = [ErrorGroup(error_class=name, count=e.count, messages=e.messages) for name, e in errors.items()]
    return Intake(
        measured=measured.build(),
        warmup=warmup.build(),
        errors=sorted(groups, key=lambda group: (-group.count, group.error_class)),
        gaps=gaps,
        remarks=remarks,
        last_end_s=last_end_s,
    )
