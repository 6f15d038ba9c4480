"""Statistics over time, against the plainest way of computing them."""

from __future__ import annotations

from math import inf, isnan

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from genload.reporting.page.windows import MOST, Windows

TIMES = st.integers(-20, 100).map(lambda quarter: quarter / 4)
REQUESTS = st.lists(st.tuples(TIMES, st.floats(0, 100)), max_size=60)


def test_there_are_as_many_windows_as_requests_allow() -> None:
    assert Windows.over(0.0, 10.0, 0) == Windows(0.0, 10.0, 1)
    assert Windows.over(0.0, 10.0, 40) == Windows(0.0, 2.0, 5)
    assert Windows.over(0.0, 60.0, 10**6).count == MOST
    assert Windows.over(5.0, 5.0, 100).counted(np.array([5.0])).sum() == 1


@given(REQUESTS)
def test_each_window_speaks_of_the_requests_in_it(requests: list[tuple[float, float]]) -> None:
    windows = Windows(0.0, 4.0, 5)
    times_s, values = np.array(requests, dtype=np.float64).reshape(-1, 2).T
    counted = windows.counted(times_s)
    means, medians = windows.means(times_s, values), windows.percentiles(times_s, values, 50)
    for number in range(5):
        inside = [value for at, value in requests if 4 * number <= at < 4 * number + 4]
        assert counted[number] == len(inside)
        if inside:
            assert np.isclose(means[number], sum(inside) / len(inside))
            assert medians[number] in inside
        else:
            assert isnan(means[number])
            assert isnan(medians[number])


def test_failed_requests_are_infinitely_slow() -> None:
    windows = Windows(0.0, 1.0, 1)
    times_s, values = np.array([0.1, 0.2, 0.3]), np.array([1.0, inf, 2.0])
    assert windows.percentiles(times_s, values, 50).tolist() == [2.0]
    assert windows.percentiles(times_s, values, 95).tolist() == [inf]


def test_a_line_is_level_in_each_window() -> None:
    times_s, values = Windows(1.0, 2.0, 2).steps(np.array([5.0, 7.0]))
    assert times_s.tolist() == [1.0, 3.0, 3.0, 5.0]
    assert values.tolist() == [5.0, 5.0, 7.0, 7.0]
