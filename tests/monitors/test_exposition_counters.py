"""Counters that go on over resets, and restarts counted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genload.exposition.counters import Counters, Restarts


@pytest.mark.parametrize(
    ("starts_s", "expected"),
    [
        ([100.0, 100.0, 100.0], 0),
        ([100.0, 200.0, 200.0, 300.0], 2),
        ([100.0, 100.4, 99.8, 100.7], 0),
        ([200.0, 100.0, 200.0, 100.0], 0),
    ],
    ids=["none", "two", "a start time that trembles", "two processes behind one address"],
)
def test_restarts_by_start_time(starts_s: list[float], expected: int) -> None:
    restarts = Restarts()
    for start_s in starts_s:
        restarts.note(start_s, {"process_cpu_seconds_total": 1.0})
    assert restarts.count == expected


def test_without_a_start_time_a_counter_that_falls_is_a_restart() -> None:
    restarts = Restarts()
    for cpu_s, jobs in ((5.0, 1.0), (6.0, 2.0), (0.1, 0.0), (0.2, 0.0)):
        restarts.note(None, {"process_cpu_seconds_total": cpu_s, "jobs_total": jobs})
    assert (restarts.count, restarts.known) == (1, True)


def test_a_page_that_shows_nothing_to_tell_a_restart_by_says_nothing() -> None:
    restarts = Restarts()
    restarts.note(None, {})
    assert not restarts.known


# --- counters -------------------------------------------------------------------------------------

BEGAN_S = 1000.0


def last(counters: Counters, *pages: tuple[float | None, float]) -> float:
    """What a counter came to after pages of (start time, value)."""
    return [counters.note(start_s, {"jobs": value}) for start_s, value in pages][-1]["jobs"]


@pytest.mark.parametrize(
    ("pages", "expected"),
    [
        ([(None, 3.0), (None, 4.0), (None, 1.0), (None, 2.0)], 6.0),
        ([(500.0, 3.0), (500.0, 7.0)], 7.0),
        ([(500.0, 3.0), (1500.0, 2.0)], 5.0),
        ([(500.0, 3.0), (1500.0, 9.0)], 12.0),
        ([(500.0, 3.0), (500.4, 4.0), (499.8, 5.0)], 5.0),
        ([(500.0, 10.0), (600.0, 3.0), (500.0, 11.0), (600.0, 5.0)], 13.0),
    ],
    ids=[
        "a fall is a reset",
        "one process",
        "restarted below",
        "restarted and above at once: only the start time tells",
        "a start time that trembles",
        "two old processes behind one address take turns",
    ],
)
def test_what_a_counter_comes_to(pages: list[tuple[float | None, float]], expected: float) -> None:
    assert last(Counters(BEGAN_S), *pages) == expected


def test_what_an_older_process_counted_before_it_was_known_is_not_ours() -> None:
    assert last(Counters(BEGAN_S, late=True), (500.0, 40.0), (500.0, 42.0)) == 2.0
    assert last(Counters(BEGAN_S, late=True), (1500.0, 40.0), (1500.0, 42.0)) == 42.0


def test_a_counter_that_appears_later_has_counted_from_0() -> None:
    counters = Counters(BEGAN_S)
    counters.note(500.0, {})
    assert counters.note(500.0, {"errors": 2.0}) == {"errors": 2.0}


def test_a_page_that_lacks_a_counter_leaves_it_as_it_was() -> None:
    counters = Counters(BEGAN_S)
    counters.note(None, {"jobs": 2.0})
    assert counters.note(None, {}) == {"jobs": 2.0}


@given(st.lists(st.lists(st.floats(0, 1e6), min_size=1, max_size=5), min_size=1, max_size=5))
def test_any_resets_lose_nothing_that_a_page_has_shown(lives: list[list[float]]) -> None:
    """Each life counts from 0; with start times every life's last value is known to be counted."""
    counters, expected = Counters(0.0), 0.0
    for number, rises in enumerate(lives, 1):
        value = 0.0
        for rise in rises:
            value += rise
            total = counters.note(number * 100.0, {"jobs": value})["jobs"]
        expected += value
    assert total == pytest.approx(expected)
