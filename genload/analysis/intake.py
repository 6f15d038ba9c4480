"""One pass over a run's records: the measured table, the warm-up, the errors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from genload.analysis.cold import COLD
from genload.analysis.judged import ErrorGroup
from genload.analysis.table import RequestTable, TableBuilder
from genload.runlog.records import LEFT
from genload.runlog.rows import Row
from genload.settings.scenario import Warmup
from genload.steadiness import at_rest_from

MESSAGES_KEPT = 5


@dataclass(frozen=True, slots=True)
class Intake:
    """Everything that analysis wants from requests.jsonl.

    `measured`, `left` and `warmup` hold the logical requests of the scenario's operation; those whose
    listeners left are apart: nobody knows how they would have ended. Of the measured ones alone:
    `errors`; `gaps`, the pauses between their arrivals by class; `remarks`, which say why outputs could not
    be inspected, each with their number. `last_end_s` is of any request.
    """

    measured: RequestTable
    left: RequestTable
    warmup: RequestTable
    errors: list[ErrorGroup]
    warmup_errors: list[ErrorGroup]
    gaps: Mapping[int, int]
    remarks: Mapping[str, int]
    last_end_s: float


class _Errors:
    """Failed requests by their class."""

    def __init__(self) -> None:
        self._groups: dict[str, ErrorGroup] = {}

    def add(self, rows: Iterable[Row]) -> None:
        for row in [row for row in rows if row.outcome != "ok"]:
            self._add(row)

    def _add(self, row: Row) -> None:
        name, message = row.error_class or row.outcome, row.error
        group = self._groups.setdefault(name, ErrorGroup(error_class=name, count=0, messages=[]))
        group.count += 1
        if message and len(group.messages) < MESSAGES_KEPT and message not in group.messages:
            group.messages.append(message)

    def groups(self) -> list[ErrorGroup]:
        """The most frequent first."""
        return sorted(self._groups.values(), key=lambda group: (-group.count, group.error_class))


def warmup_notices(intake: Intake, asked: Warmup) -> Iterator[str]:
    """What is to be said of a warm-up that failed, or that was to come to rest: it is in no number of the
    load.
    """
    if asked.until is not None and len(intake.warmup):
        yield _rest(intake.warmup)
    failed = sum(group.count for group in intake.warmup_errors)
    if failed:
        reasons = "; ".join(
            ": ".join([group.error_class, *group.messages[:1]]) for group in intake.warmup_errors
        )
        yield (
            f"of the warm-up's {len(intake.warmup)} requests {failed} failed ({reasons}): "
            "the load may have begun on a service that was not warm"
        )


def _rest(warmup: RequestTable) -> str:
    """Whether the warm-up came to rest, by the rule that ended it."""
    ours = ~warmup.where("phase", COLD)
    ok, durations_s = warmup.ok[ours], warmup.duration_s[ours]
    failures = np.flatnonzero(~ok)
    after = int(failures[-1]) + 1 if len(failures) else 0
    beginning = at_rest_from(durations_s[after:].tolist())
    if beginning is None:
        return (
            f"the warm-up's {len(ok)} requests did not come to rest: their durations still changed, and the "
            "load may have begun on a service that was not warm (let warmup.at_most be larger)"
        )
    return f"the warm-up ended after {len(ok)} requests: by MSER, at rest after the first {after + beginning}"


def take_in(blocks: Iterable[Sequence[Row]], operation: str) -> Intake:
    """Read the records once, some at a time; nothing of them is kept but columns."""
    measured, left, warmup = TableBuilder(), TableBuilder(), TableBuilder()
    errors, warmup_errors = _Errors(), _Errors()
    gaps: Counter[int] = Counter()
    remarks: Counter[str] = Counter()
    last_end_s = 0.0
    for block in blocks:
        last_end_s = max([last_end_s, *[row.start_s + row.duration_s for row in block]])
        ours = [row for row in block if row.operation == operation]
        load = [row for row in ours if not row.warmup]
        if len(load) < len(ours):
            before = [row for row in ours if row.warmup]
            warmup.add(before)
            warmup_errors.add(before)
        if gone := [row for row in load if row.outcome == LEFT]:
            left.add(gone)
            load = [row for row in load if row.outcome != LEFT]
        measured.add(load)
        errors.add(load)
        for of_one in [row.gaps for row in load if row.gaps]:
            gaps.update(of_one)
        remarks.update([row.remark for row in load if row.remark])
    return Intake(
        measured=measured.build(),
        left=left.build(),
        warmup=warmup.build(),
        errors=errors.groups(),
        warmup_errors=warmup_errors.groups(),
        gaps=gaps,
        remarks=remarks,
        last_end_s=last_end_s,
    )
