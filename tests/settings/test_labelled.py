"""Names of labelled series, and how several make one number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genload.settings.metrics.labelled import labelled, unlabelled
from genload.settings.metrics.machines import together

NAMES = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True)


def test_a_series_is_named_as_a_criterion_filters_for_it() -> None:
    assert labelled("gpu.power", {}) == "gpu.power"
    assert labelled("gpu.power", {"pod": "a b", "gpu": "0"}) == 'gpu.power{gpu=0, pod="a b"}'


@given(st.dictionaries(NAMES, st.text(max_size=12), max_size=3))
def test_labels_are_read_back(labels: dict[str, str]) -> None:
    assert unlabelled(labelled("server.memory", labels)) == ("server.memory", labels)


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("server.memory", 4.0),
        ("server.in_flight", 4.0),
        ("gpu.power", 4.0),
        ("prom.jobs", 4.0),
        ("gpu.utilisation", 2.0),
        ("gpu.clock_sm", 1.0),
        ("gpu.temperature", 3.0),
        ("gpu.throttled", 3.0),
        ("server.scrape_duration", 3.0),
        ("server.up", 1.0),
    ],
)
def test_what_several_come_to(metric: str, expected: float) -> None:
    assert together(metric, [1.0, 3.0]) == expected
