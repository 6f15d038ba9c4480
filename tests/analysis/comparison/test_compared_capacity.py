"""Two builds by how much each holds: searches of simulated services whose capacity is known."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genload.analysis.comparison import CompareSettings, Comparison, compare, suite_of
from genload.analysis.comparison.brackets import Bracket, bracket_shift, held
from genload.analysis.plan import constant
from genload.errors import UsageError
from genload.reporting.comparison import FILES

from ...harness.simulated_search import plan_of, search
from ..memory_log import MemoryLog, write

USERS = "{of: users, from: 1, to: 8, step: {settle: 10s, measure: 30s}, holds: [fast]}"
STEP = "step: {settle: 20s, measure: 60s}, holds: [fast]"
RATE = f"{{of: rate, process: constant, from: 30/min, to: 240/min, {STEP}}}"


@cache
def searched(folder: Path, capacity: str, slots: int) -> MemoryLog:
    return search(plan_of(folder, capacity), constant(1.0, slots)).log


@pytest.fixture
def compared(tmp_path: Path) -> Comparisons:
    return Comparisons(tmp_path)


class Comparisons:
    """Compares builds of so many slots, one for each run."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._runs = folder, 0

    def __call__(
        self, base: Sequence[int], new: Sequence[int], *judge: str, capacity: str = USERS
    ) -> Comparison:
        sides = [[self._run(slots, capacity) for slots in side] for side in (base, new)]
        return compare(sides[0], sides[1], CompareSettings(judge=judge))

    def _run(self, slots: int, capacity: str) -> Path:
        self._runs += 1
        log = searched(self._folder, capacity, slots)
        began = f"2026-11-21T10:{self._runs:02}:00+00:00"
        header = msgspec.structs.replace(log.header, salt=f"salt{self._runs}", started_at=began)
        return write(MemoryLog(header, log.records, log.happened), self._folder / f"run{self._runs}")


def test_one_run_a_side_says_what_each_holds_and_gives_no_verdict(compared: Comparisons) -> None:
    found = compared([3], [2])
    assert found.verdict == "descriptive"
    assert found.summary.startswith("holds 3 users → holds 2 users: 1 of at least 3 runs a side")
    assert [metric.metric for metric in found.metrics] == ["capacity.users"]
    assert found.pictures.levels == []


def test_three_runs_a_side_that_lie_apart_are_a_regression(compared: Comparisons) -> None:
    found = compared([3, 3, 4], [2, 2, 2])
    assert (found.verdict, found.exit_code) == ("regression", 1)
    assert found.summary == "holds 3–4 users → holds 2 users: holds less for sure, by 39.4 %"


@pytest.mark.parametrize(
    ("base", "new", "verdict", "words"),
    [
        ([3, 3, 3], [3, 3, 3], "no_regression", "holds 3 users → holds 3 users: holds no less"),
        ([3, 3, 3], [4, 3, 4], "no_regression", "holds 3 users → holds 3–4 users: holds no less"),
        ([3, 3, 3], [4, 5, 4], "no_regression", "holds 3 users → holds 4–5 users: holds more for sure"),
        ([3, 3, 4], [3, 3, 3], "inconclusive", "may hold less by 25 %"),
        ([64, 64, 64], [64, 64, 64], "inconclusive", "BASE holds all of the range, and may hold more"),
        ([64, 64, 64], [3, 3, 3], "regression", "holds 8 users or more → holds 3 users"),
    ],
)
def test_what_overlaps_is_open(
    compared: Comparisons, base: list[int], new: list[int], verdict: str, words: str
) -> None:
    found = compared(base, new)
    assert found.verdict == verdict
    assert words in found.summary


def test_rates_are_intervals_of_their_own_resolution(compared: Comparisons) -> None:
    equal = compared([3, 3, 3], [3, 3, 3], capacity=RATE)
    assert equal.verdict == "inconclusive"  # each is known to a tenth, and a twentieth is allowed
    assert "and may be equal" in equal.summary
    assert compared([3, 3, 3], [2, 2, 2], capacity=RATE).verdict == "regression"


def test_numbers_of_the_whole_load_are_refused_in_a_line(compared: Comparisons) -> None:
    with pytest.raises(UsageError) as refused:
        compared([3], [2], "generate.duration.p95")
    assert "each search for a capacity chose its own levels of load" in str(refused.value)
    assert "judge capacity.users" in refused.value.remedy
    assert compared([3], [2], "capacity.users").summary.startswith("holds 3 users → holds 2 users")


def test_every_rendering_says_it(compared: Comparisons) -> None:
    suite = suite_of([compared([3, 3, 3], [2, 2, 2])], [])
    said = "holds 3 users → holds 2 users: holds less for sure, by 33.3 %"
    for kind, (_, render) in FILES.items():
        assert (said if kind != "junit" else "holds less for sure, by 33.3 %") in render(suite), kind
    (metric,) = json.loads(FILES["json"][1](suite))["scenarios"][0]["metrics"]
    assert metric["base_brackets"] == [{"least": 3.0, "most": 3.0}] * 3


brackets = st.lists(
    st.tuples(st.integers(0, 9), st.none() | st.integers(0, 3)).map(
        lambda pair: Bracket(least=pair[0], most=None if pair[1] is None else pair[0] + pair[1])
    ),
    min_size=3,
    max_size=4,
)


@given(brackets, brackets)
def test_bounds_hold_whatever_each_side_truly_holds(base: list[Bracket], new: list[Bracket]) -> None:
    shift = bracket_shift(base, new)
    assert held(base, "count", "user")
    for one in base:
        for other in new:
            is_less = other.most is not None and other.most < one.least
            is_more = one.most is not None and other.least > one.most
            if shift.high is not None and shift.high < 0:
                assert is_less
            if shift.low is not None and shift.low > 0:
                assert is_more
