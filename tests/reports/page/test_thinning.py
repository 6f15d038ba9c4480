"""Fewer points that show the same."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from genload.reporting.page import thinning

VALUES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=400)


@given(VALUES, st.integers(4, 100))
def test_a_line_keeps_its_ends_and_its_extremes_and_is_short(values: list[float], most: int) -> None:
    column, times_s = np.array(values), np.arange(len(values), dtype=np.float64)
    rows = thinning.of_a_line(times_s, column, most)
    assert len(rows) <= most
    assert (np.diff(rows) > 0).all()
    assert rows[0] == 0
    assert rows[-1] == len(values) - 1
    assert column[rows].max() == column.max()
    assert column[rows].min() == column.min()


@given(VALUES, st.integers(4, 100))
def test_a_cloud_keeps_its_extremes_and_is_small(values: list[float], most: int) -> None:
    column, times_s = np.array(values), np.sort(np.array(values))
    rows = thinning.of_a_cloud(times_s, column, most)
    assert len(rows) <= most
    assert (np.diff(rows) > 0).all()
    assert column[rows].max() == column.max()
    assert column[rows].min() == column.min()


def test_an_outlier_in_each_stretch_is_seen() -> None:
    times_s = np.arange(100_000, dtype=np.float64)
    values = np.ones(100_000)
    outliers = np.arange(500, 100_000, 1000)
    values[outliers] = 9.0
    for thin in (thinning.of_a_line, thinning.of_a_cloud):
        assert np.isin(outliers, thin(times_s, values, 600)).all()


def test_few_points_are_all_kept() -> None:
    assert thinning.of_a_cloud(np.zeros(3), np.zeros(3), 3).tolist() == [0, 1, 2]
    assert thinning.of_a_line(np.zeros(0), np.zeros(0), 3).tolist() == []
