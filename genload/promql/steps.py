"""The steps of a range query."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

_STEPS_FORGIVEN = 1  # at the end: the last scrape may be that old


@dataclass(frozen=True, slots=True)
class Steps:
    """The Unix times of a range query, and those of them at which Prometheus had just scraped something."""

    times_s: Sequence[float]
    fresh: frozenset[float]
    hidden: int = 0
    """How many of the last ones the server does not tell of yet."""

    @property
    def stale(self) -> int:
        return len(self.times_s) - len(self.fresh) - self.hidden

    def until(self, newest_s: float) -> Steps:
        """Of a server that tells of nothing after that."""
        told = [at_s for at_s in self.times_s if at_s <= newest_s]
        fresh = self.fresh.intersection(told)
        return Steps(self.times_s, fresh, len(self.times_s) - len(told))

    def left_out_at_the_end(self, found: Collection[float]) -> int:
        """How many of the last steps have no value, where some have one and that is more than is usual."""
        newest_s = max(found, default=None)
        missing = 0 if newest_s is None else sum(at_s > newest_s for at_s in self.times_s)
        return missing if missing > _STEPS_FORGIVEN else 0
