"""What the series of a Prometheus make of samples."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genload import extensions

prometheus: Any = extensions.load("monitors", "prometheus")
Line, by_time = prometheus.Line, prometheus.by_time


def line(points: dict[float, float], **labels: str) -> Any:
    return Line(labels, points)


def test_one_series_is_the_metric_whatever_its_labels() -> None:
    assert by_time("prom.x", [line({1.0: 5.0, 2.0: 6.0}, pod="a")]) == {
        1.0: {"prom.x": 5.0},
        2.0: {"prom.x": 6.0},
    }


def test_several_series_are_named_by_the_labels_in_which_they_differ() -> None:
    lines = [line({1.0: 5.0}, gpu="0", host="h"), line({1.0: 7.0}, gpu="1", host="h")]
    each = {"gpu.memory_used{gpu=0}": 5.0, "gpu.memory_used{gpu=1}": 7.0}
    assert by_time("gpu.memory_used", lines) == {1.0: {**each, "gpu.memory_used": 12.0}}
    assert by_time("gpu.temperature", lines)[1.0]["gpu.temperature"] == 7.0
    assert by_time("prom.x", lines) == {1.0: {"prom.x{gpu=0}": 5.0, "prom.x{gpu=1}": 7.0}}


def test_a_hole_in_one_series_is_a_hole_in_what_they_come_to() -> None:
    lines = [line({1.0: 1.0, 2.0: 1.0, 3.0: 1.0}, gpu="0"), line({1.0: 10.0, 3.0: 10.0}, gpu="1")]
    samples = by_time("gpu.power", lines)
    assert [samples[at].get("gpu.power") for at in (1.0, 2.0, 3.0)] == [11.0, None, 11.0]
    assert samples[2.0] == {"gpu.power{gpu=0}": 1.0}


def test_a_series_that_ended_or_began_since_is_owed_nothing() -> None:
    """A pod that was replaced by another."""
    lines = [line({1.0: 1.0, 2.0: 1.0}, pod="old"), line({3.0: 2.0, 4.0: 2.0}, pod="new")]
    samples = by_time("gpu.power", lines)
    assert [samples[at]["gpu.power"] for at in (1.0, 2.0, 3.0, 4.0)] == [1.0, 1.0, 2.0, 2.0]


def test_what_is_not_a_number_is_not_a_value() -> None:
    values = [[1, "NaN"], [2, "+Inf"], [3, "-Inf"], [4, "1.5"]]
    found = Line.of({"metric": {"__name__": "x", "gpu": "0"}, "values": values})
    assert (found.points, found.labels) == ({4.0: 1.5}, {"gpu": "0"})


@given(st.lists(st.dictionaries(st.floats(0, 9), st.floats(-1e9, 1e9), max_size=5), max_size=4))
def test_no_point_is_lost_and_none_is_made_up(series: list[dict[float, float]]) -> None:
    lines = [line(points, n=str(number)) for number, points in enumerate(series)]
    samples = by_time("prom.x", lines)
    found = sorted((at, value) for at, values in samples.items() for value in values.values())
    assert found == sorted((at, value) for points in series for at, value in points.items())


@pytest.mark.parametrize("form", ["histogram", "histograms"])
def test_a_native_histogram_is_no_number(form: str) -> None:
    with pytest.raises(ValueError, match="no numbers: take histogram_quantile"):
        Line.of({"metric": {}, form: [1, {"count": "5", "sum": "2"}]})
