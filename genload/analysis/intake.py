"""One pass over a run's records: the measured table, the warm-up, the errors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from genload.analysis.cold import COLD
from genload.analysis.judged import ErrorGroup
from genload.analysis.table import RequestTable, table_of
from genload.analysis.taken import Failures, Taken
from genload.runlog.rows import Row
from genload.settings.scenario import Warmup
from genload.steadiness import at_rest_from


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
    taken = Taken(operation)
    for block in blocks:
        taken.add(block)
    return intake_of(taken)


def intake_of(taken: Taken) -> Intake:
    """What was taken, in columns that do not change any more; it is used up."""
    return Intake(
        measured=table_of(taken.measured),
        left=table_of(taken.left),
        warmup=table_of(taken.warmup),
        errors=_groups(taken.failures),
        warmup_errors=_groups(taken.warmup_failures),
        gaps=taken.gaps,
        remarks=taken.remarks,
        last_end_s=taken.last_end_s,
    )


def _groups(failures: Failures) -> list[ErrorGroup]:
    """The most frequent first."""
    groups = [
        ErrorGroup(error_class=name, count=each.count, messages=each.messages)
        for name, each in failures.by_class.items()
    ]
    return sorted(groups, key=lambda group: (-group.count, group.error_class))
