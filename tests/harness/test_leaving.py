"""Which listeners leave, and after how long: drawn alike by every process."""

from __future__ import annotations

from math import inf

import pytest

from genload.harness.gate import Turn
from genload.harness.leaving import Leaving
from genload.settings.phases import Phase, Timeline
from genload.settings.scenario import Leave, Span

LEAVE = Leave(share=0.1, after=Span(min_s=0.5, max_s=3.0))
MIXED = Timeline((Phase("stay", 60, 4, leave_share=0.0), Phase("mixed", 60, 4)))


def drawn(phase: str, leave: Leave | None = LEAVE, seed: int = 3, warmup: bool = False) -> list[float]:
    leaving = Leaving(MIXED, leave, seed)
    return [leaving.after_s(Turn(phase, warmup, number)) for number in range(20_000)]


def test_so_many_leave_as_are_to_evenly_within_their_time() -> None:
    after_s = [each for each in drawn("mixed") if each < inf]
    assert len(after_s) == pytest.approx(2000, abs=150)
    assert 0.5 <= min(after_s) < 0.51 and 2.99 < max(after_s) <= 3.0
    assert sum(after_s) / len(after_s) == pytest.approx(1.75, abs=0.05)


def test_who_leaves_is_the_same_in_every_process_and_another_with_another_seed() -> None:
    assert drawn("mixed") == drawn("mixed")
    both = zip(drawn("mixed"), drawn("mixed", seed=4), strict=True)
    assert sum(one < inf and other < inf for one, other in both) == pytest.approx(200, abs=60)


def test_nobody_leaves_where_nobody_is_to() -> None:
    assert set(drawn("stay")) == set(drawn("mixed", None)) == set(drawn("mixed", warmup=True)) == {inf}
    everybody = Leave(share=1.0, after=Span(min_s=1.0, max_s=1.0))
    assert set(drawn("mixed", everybody)) == {1.0}
    assert set(drawn("stay", everybody)) == {inf}


def test_records_say_who_was_to_leave_where_some_are() -> None:
    leaving = Leaving(MIXED, LEAVE, 3)
    told = {leaving.after_s(turn) < inf: leaving.labels(turn) for turn in _turns("mixed")}
    assert told == {False: {"listener": "stays"}, True: {"listener": "leaves"}}
    assert Leaving(MIXED, None, 3).labels(Turn("mixed", False, 0)) == {}


def _turns(phase: str) -> list[Turn]:
    return [Turn(phase, False, number) for number in range(100)]
