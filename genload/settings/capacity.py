"""How much a service can hold: levels of load in one run, found while it goes on.

``capacity: {of: users, from: 1, to: 64, step: {settle: 30s, measure: 2min}, holds: [no_stalls]}`` stands in
the place of a scenario's `shape`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import ceil, isclose
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, PositiveInt, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from genload.settings.arrivals import MOST_USERS, Process, Stage, open_load
from genload.settings.model import Settings
from genload.settings.phases import Phase
from genload.settings.units import PerSecond, Ratio, Seconds

USERS, ARRIVALS = "capacity.users", "capacity.arrivals"
"""The metrics by which a criterion says how much must hold."""

ENDING_S = 2.0
"""At least so long a level's last requests are waited for, beside what it takes to announce the next."""

_LONGEST = 3
"""So many times as long as planned a level is measured at most, for `at_least` requests."""


def _requests(value: Any) -> Any:
    """``60 requests`` is 60."""
    if isinstance(value, str) and (match := re.fullmatch(r"\s*(\d+)\s*(?:requests?|jobs?)?\s*", value)):
        return int(match[1])
    return value


Requests = Annotated[
    int,
    BeforeValidator(_requests),
    Field(ge=0),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 0},
                {"type": "string", "pattern": r"^ *[0-9]+ *((request|job)s?)? *$"},
            ],
            "examples": ["60 requests"],
        }
    ),
]


class LevelStep(Settings):
    """One level: a part that is left out, while the service gets used to it, and one that is measured."""

    settle_s: Seconds = 30.0
    """The requests that begin in it are in no number of the level."""
    measure_s: Seconds = 120.0
    """The requests that begin in it are the level's."""
    at_least: Requests = 0
    """So many requests a level has: it is measured for longer until they have ended, up to `at_most`."""
    at_most_s: Seconds | None = None
    """The longest that a level is measured; three times `measure` unless set."""

    @property
    def longest_s(self) -> float:
        """Of a level's measured part."""
        return self.measure_s * _LONGEST if self.at_most_s is None else self.at_most_s

    @property
    def waiting_s(self) -> float:
        """So long the load stays as it is, at most, for the measured requests to end."""
        return max(self.settle_s, ENDING_S)

    @property
    def ending_s(self) -> float:
        """The same where the outcome depends on those that have not ended by then."""
        return self.waiting_s + self.measure_s

    @model_validator(mode="after")
    def _some_time(self) -> Self:
        if self.measure_s <= 0:
            raise _refused("a level that is measured for no time", "measure must be more than 0, as 2min")
        if self.longest_s < self.measure_s:
            raise _refused("at_most is shorter than measure", "write the longest time that a level may take")
        return self


class Search(Settings):
    """Which levels, and what must hold at one; how much a level is, its two kinds say."""

    metric: ClassVar[str]

    resolution: Annotated[Ratio, Field(gt=0, le=1)] = 0.1
    """It is narrowed down to this share, or to one user."""
    step: LevelStep = LevelStep()
    """How long a level takes."""
    holds: Annotated[tuple[str, ...], Field(json_schema_extra={"minItems": 1})]
    """Names of the scenario's criteria. A level holds when each of them does, said of its requests alone."""
    drain: bool = False
    """Whether the service is let come to rest between two levels; of a rate it is, unless this is `false`."""
    confirm: bool = True
    """Whether the highest level that held is measured once more at the end."""

    @property
    def lowest(self) -> float:
        """Where it begins: users, or requests a second."""
        raise NotImplementedError

    @property
    def highest(self) -> float:
        """Where it ends at the latest."""
        raise NotImplementedError

    @property
    def most_users(self) -> int:
        """That it may ask for."""
        raise NotImplementedError

    @property
    def is_whole(self) -> bool:
        """Whether there is nothing between two neighbouring numbers."""
        return False

    @property
    def largest(self) -> Phase:
        """The largest phase that it may come to."""
        return self.phases(1, self.highest, 0)[-2]

    def phases(self, number: int, value: float, seed: int) -> tuple[Phase, ...]:
        """Of the level `number`, from 1: what settles, what is measured, and what goes on until its
        requests have ended."""
        raise NotImplementedError

    def longer(self, number: int, value: float, seed: int) -> tuple[Phase, ...]:
        """The same level, measured once more."""
        return self.phases(number, value, seed)[1:]

    def rest(self, number: int, length_s: float) -> Phase:
        """Behind the level `number`: nothing begins any more."""
        raise NotImplementedError

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.lowest > self.highest and not isclose(self.lowest, self.highest):
            raise _refused("from is larger than to", "the smaller one first: from: 1, to: 64")
        if not self.holds:
            raise _refused("holds names nothing that must hold", "name criteria of the scenario")
        if self.lowest <= 0:
            raise _refused("from is 0, which is no load", "begin with one user, or with the lowest rate")
        return self


class UserSearch(Search):
    """How many users at once."""

    metric = USERS

    of: Literal["users"]
    """``users`` who each make one request after the other, or a ``rate`` of callers."""
    lowest_users: Annotated[PositiveInt, Field(alias="from")] = 1
    """The first level."""
    highest_users: Annotated[PositiveInt, Field(alias="to")] = 64
    """No level is above it."""

    @property
    def lowest(self) -> float:
        return self.lowest_users

    @property
    def highest(self) -> float:
        return self.highest_users

    @property
    def most_users(self) -> int:
        return self.highest_users

    @property
    def is_whole(self) -> bool:
        return True

    def phases(self, number: int, value: float, seed: int) -> tuple[Phase, ...]:
        users = int(value)
        lengths = zip(names(number), _lengths_s(self.step), strict=True)
        return tuple(Phase(name, length_s, users) for name, length_s in lengths if length_s > 0)

    def longer(self, number: int, value: float, seed: int) -> tuple[Phase, ...]:
        return self.phases(number, value, seed)[-2:]

    def rest(self, number: int, length_s: float) -> Phase:
        return Phase(f"level{number}_draining", length_s, 0)


class RateSearch(Search):
    """How many callers a minute, whatever became of those before."""

    metric = ARRIVALS

    of: Literal["rate"]
    """``users`` who each make one request after the other, or a ``rate`` of callers."""
    lowest_per_s: Annotated[PerSecond, Field(alias="from")]
    """The first level."""
    highest_per_s: Annotated[PerSecond, Field(alias="to")]
    """No level is above it."""
    process: Process = "poisson"
    """``poisson``: as callers come who know nothing of each other; ``constant``: evenly."""
    drain: bool = True
    """Whether the service is let come to rest between two levels; of a rate it is, unless this is `false`."""
    max_in_flight: PositiveInt | None = None
    """The most requests in flight at once; None: all of two levels may be, up to 2000."""

    @property
    def lowest(self) -> float:
        return self.lowest_per_s

    @property
    def highest(self) -> float:
        return self.highest_per_s

    @property
    def most_users(self) -> int:
        if self.max_in_flight is not None:
            return self.max_in_flight
        level_s = self.step.settle_s + self.step.longest_s + self.step.waiting_s
        return min(max(ceil(2 * self.highest_per_s * level_s), 1), MOST_USERS)

    def phases(self, number: int, value: float, seed: int) -> tuple[Phase, ...]:
        lengths = zip(names(number), _lengths_s(self.step), strict=True)
        return self._arrivals([each for each in lengths if each[1] > 0], value, seed + number)

    def longer(self, number: int, value: float, seed: int) -> tuple[Phase, ...]:
        lengths = zip(names(number), _lengths_s(self.step), strict=True)
        # Other callers than those that were measured already.
        return self._arrivals(list(lengths)[1:], value, seed - number)

    def rest(self, number: int, length_s: float) -> Phase:
        return Phase(f"level{number}_draining", length_s, self.most_users, arrivals=0)

    def _arrivals(self, parts: Sequence[tuple[str, float]], per_s: float, seed: int) -> tuple[Phase, ...]:
        stages = [Stage(name, length_s, per_s, per_s) for name, length_s in parts]
        hands = self.most_users
        timeline = open_load(stages, self.process, seed, MOST_USERS, "max_in_flight")
        # The same hands at every level, however few arrivals it has.
        return tuple(
            Phase(each.name, each.duration_s, hands, arrivals=each.arrivals, due_s=each.due_s)
            for each in timeline.phases
        )


Capacity = UserSearch | RateSearch


def search_model(of: Any) -> type[UserSearch] | type[RateSearch]:
    """The model of the kind that a suite names.

    Raises:
        PydanticCustomError: there is no such kind.
    """
    kinds: dict[Any, type[UserSearch] | type[RateSearch]] = {"users": UserSearch, "rate": RateSearch}
    if not isinstance(of, str) or of not in kinds:
        raise _refused(f"capacity of {of!r}", "write of: users, or of: rate")
    return kinds[of]


def names(number: int) -> tuple[str, str, str]:
    """The phases of a level: what settles, what is measured, what goes on until its requests have ended."""
    return f"level{number}_settling", f"level{number}", f"level{number}_ending"


def _lengths_s(step: LevelStep) -> tuple[float, float, float]:
    return step.settle_s, step.measure_s, step.ending_s + ENDING_S


def _refused(reason: str, remedy: str) -> PydanticCustomError:
    return PydanticCustomError("capacity", "{reason}", {"reason": reason, "remedy": remedy})
