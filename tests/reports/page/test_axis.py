"""Axes with round numbers, on which everything fits."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from genload.reporting.page.axis import Axis, time_ticks


@pytest.mark.parametrize(
    ("lowest", "highest", "unit", "ticks"),
    [
        (0.0, 1.67, "s", ("2 s", "1", "0")),
        (0.0, 0.0123, "s", ("20 ms", "10", "0")),
        (0.0, 82.0, "s", ("100 s", "50", "0")),
        (0.0, 1.0, "ratio", ("100 %", "50", "0")),
        (0.0, 3.0, "count", ("4", "2", "0")),
        (0.0, 92e9, "bytes", ("100 GiB", "50", "0")),
        (0.9e9, 1.0e9, "bytes", ("1000 MiB", "900", "800")),
        (-3.0, 3.0, "", ("5", "0", "-5")),
        (0.0, 0.0, "count", ("2", "1", "0")),
        (5.0, 5.0, "W", ("5 W", "2.5", "0")),
    ],
)
def test_the_ticks_are_round(lowest: float, highest: float, unit: str, ticks: tuple[str, str, str]) -> None:
    assert Axis.fitting(lowest, highest, unit).ticks == ticks


@given(
    st.floats(-1e12, 1e12), st.floats(0, 1e12), st.sampled_from(["s", "bytes", "ratio", "count", "1/s", "W"])
)
@example(0.0, 1e-310, "W")
def test_everything_fits_on_it_and_uses_a_good_part_of_it(lowest: float, span: float, unit: str) -> None:
    highest = lowest + span
    axis = Axis.fitting(lowest, highest, unit)
    rounding = 1e-6 * max(abs(lowest), abs(highest), 1.0) * axis.factor
    assert axis.low <= lowest * axis.factor + rounding
    assert highest * axis.factor <= axis.high + rounding
    assert axis.high > axis.low


@pytest.mark.parametrize(
    ("length_s", "texts"),
    [
        (0.0, []),
        (1.0, ["0.2 s", "0.4 s", "0.6 s", "0.8 s", "1 s"]),
        (30.0, ["5 s", "10 s", "15 s", "20 s", "25 s", "30 s"]),
        (300.0, ["1 min", "2 min", "3 min", "4 min", "5 min"]),
        (7200.0, ["15 min", "30 min", "45 min", "60 min", "75 min", "90 min", "105 min", "120 min"]),
        (86400.0 * 30, ["96 h", "192 h", "288 h", "384 h", "480 h", "576 h", "672 h"]),
    ],
)
def test_marks_of_time_are_where_a_clock_has_them(length_s: float, texts: list[str]) -> None:
    assert [text for _, text in time_ticks(length_s)] == texts


@given(st.floats(1e-3, 1e8))
def test_there_are_at_most_eight_marks_and_all_lie_on_the_axis(length_s: float) -> None:
    places = [at for at, _ in time_ticks(length_s)]
    assert 1 <= len(places) <= 8
    assert all(0 < at <= length_s * (1 + 1e-9) for at in places)
