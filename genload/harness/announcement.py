"""What a master tells its processes while a load runs: the phases that come next, computed alike in each."""

from __future__ import annotations

from typing import Literal

import msgspec

from genload.settings.capacity import Capacity
from genload.settings.phases import Phase, Timeline

Why = Literal["level", "longer", "rest"]


class Announcement(msgspec.Struct, frozen=True, kw_only=True):
    """A change of the timeline; `records.Announced` says what its fields are.

    Attributes:
        length_s: of a rest.
    """

    number: int
    at_s: float
    level: int
    value: float
    why: Why
    length_s: float = 0.0

    def changed(self, timeline: Timeline, search: Capacity, seed: int) -> Timeline:
        """The timeline as it is from then on.

        Raises:
            ValueError: it is too late for that.
        """
        return timeline.changed(self.at_s, self._phases(search, seed))

    def _phases(self, search: Capacity, seed: int) -> tuple[Phase, ...]:
        if self.why == "rest":
            return (search.rest(self.level, self.length_s),)
        made = search.phases if self.why == "level" else search.longer
        return made(self.level, self.value, seed)
