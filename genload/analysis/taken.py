"""What is kept of a run's records while they are read, some at a time: columns, and what failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from genload.analysis.filling import Filling
from genload.runlog.records import LEFT, RunHeader
from genload.runlog.rows import Row

MESSAGES_KEPT = 5


class Failed(msgspec.Struct):
    """The failed requests of one class: how many, and what the first of them said."""

    count: int = 0
    messages: list[str] = []


class Failures:
    """Failed requests by their class."""

    def __init__(self) -> None:
        self.by_class: dict[str, Failed] = {}

    def add(self, rows: Iterable[Row]) -> None:
        """Those among the rows that failed."""
        for row in rows:
            if row.outcome != "ok":
                self._count(row.error_class or row.outcome, 1, [row.error])

    def join(self, later: Failures) -> None:
        """Take those of later requests."""
        for name, each in later.by_class.items():
            self._count(name, each.count, each.messages)

    def _count(self, name: str, count: int, messages: Sequence[str]) -> None:
        group = self.by_class.setdefault(name, Failed())
        group.count += count
        for message in messages:
            if message and len(group.messages) < MESSAGES_KEPT and message not in group.messages:
                group.messages.append(message)


class Taken:
    """The logical requests of one operation.

    Args:
        population: whose; "": everybody's.

    Attributes:
        measured, left, warmup: their columns; whose listeners left, and what was the warm-up's, is apart.
        failures, gaps, remarks: of the measured ones alone; see `genload.analysis.intake.Intake`.
        warmup_failures: those of the warm-up.
        last_end_s: of any request.
    """

    def __init__(self, operation: str, population: str = "") -> None:
        self.operation, self.population = operation, population
        self.measured, self.left, self.warmup = Filling(), Filling(), Filling()
        self.failures, self.warmup_failures = Failures(), Failures()
        self.gaps: Counter[int] = Counter()
        self.remarks: Counter[str] = Counter()
        self.last_end_s = 0.0

    def add(self, block: Sequence[Row]) -> None:
        """Take the next ones."""
        if self.population:
            block = [row for row in block if row.population == self.population]
        self.last_end_s = max([self.last_end_s, *[row.start_s + row.duration_s for row in block]])
        ours = [row for row in block if row.operation == self.operation]
        load = [row for row in ours if not row.warmup and row.outcome != LEFT]
        if len(load) < len(ours):
            before = [row for row in ours if row.warmup]
            self.warmup.add(before)
            self.warmup_failures.add(before)
            self.left.add([row for row in ours if not row.warmup and row.outcome == LEFT])
        self.measured.add(load)
        noted = [row for row in load if row.outcome != "ok" or row.gaps or row.remark]
        self.failures.add(noted)
        self.remarks.update([row.remark for row in noted if row.remark])
        for row in noted:
            self.gaps.update(row.gaps)

    def join(self, later: Taken) -> None:
        """Take another's requests as the next ones; the other is used up."""
        self.measured.join(later.measured)
        self.left.join(later.left)
        self.warmup.join(later.warmup)
        self.failures.join(later.failures)
        self.warmup_failures.join(later.warmup_failures)
        self.gaps.update(later.gaps)
        self.remarks.update(later.remarks)
        self.last_end_s = max(self.last_end_s, later.last_end_s)

    def settle(self) -> None:
        """Make it fit for another process."""
        for each in (self.measured, self.left, self.warmup):
            each.settle()


def of_each(header: RunHeader) -> list[Taken]:
    """One, still empty, for each population of a run, in their order; of a run without any, for itself."""
    populations = [Taken(own.operation, name) for name, own in header.populations.items()]
    return populations or [Taken(header.operation, header.population)]
