"""Counters that go on over resets, processes that take turns behind one address, and restarts counted."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from genload.exposition.counters import Counters, Restarts, Signs

BEGAN_S = 1000.0
JOBS = "jobs"


def jobs(**by_model: float) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """The counts of one page: jobs by model."""
    return {JOBS: {(("model", model),): value for model, value in by_model.items()}}


# --- restarts -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("starts_s", "expected"),
    [
        ([100.0, 100.0, 100.0], 0),
        ([100.0, 1200.0, 1200.0, 1300.0], 2),
        ([1100.0, 1100.4, 1099.8, 1100.7], 0),
        ([1200.0, 1100.0, 1200.0, 1100.0], 0),
        ([100.0, 400.0, 100.0, 900.0], 0),
    ],
    ids=[
        "none",
        "two",
        "a start time that trembles",
        "two processes behind one address",
        "processes that all began before watching did",
    ],
)
def test_restarts_by_start_time(starts_s: list[float], expected: int) -> None:
    restarts = Restarts()
    for start_s in starts_s:
        restarts.note(Signs(start_s, 1.0), {}, BEGAN_S)
    assert restarts.count == expected


def test_without_a_start_time_cpu_time_that_falls_is_a_restart_whatever_counters_do() -> None:
    restarts = Restarts()
    for cpu_s, count in ((5.0, 2.0), (6.0, 1.0), (0.1, 4.0), (0.2, 5.0)):
        restarts.note(Signs(None, cpu_s), jobs(a=count), BEGAN_S)
    assert (restarts.count, restarts.known) == (1, True)


def test_without_both_a_series_that_falls_is_a_restart_and_one_that_ends_is_none() -> None:
    restarts, seen = Restarts(), []
    for counts in (jobs(a=9, b=3), jobs(b=4), jobs(a=1, b=5), jobs(a=0, b=0)):
        restarts.note(Signs(), counts, BEGAN_S)
        seen.append(restarts.count)
    assert seen == [0, 0, 0, 1]


def test_a_page_that_shows_nothing_to_tell_a_restart_by_says_nothing() -> None:
    restarts = Restarts()
    restarts.note(Signs(), {JOBS: {}}, BEGAN_S)
    assert not restarts.known


# --- counters of one process ----------------------------------------------------------------------


def totals(counters: Counters, *pages: tuple[float | None, float]) -> list[float]:
    """What a counter came to at each of some pages of (start time, value)."""
    return [counters.note(Signs(start_s), jobs(a=value), BEGAN_S)[JOBS] for start_s, value in pages]


@pytest.mark.parametrize(
    ("pages", "expected"),
    [
        ([(None, 3.0), (None, 4.0), (None, 1.0), (None, 2.0)], 6.0),
        ([(500.0, 3.0), (500.0, 7.0)], 7.0),
        ([(500.0, 3.0), (1500.0, 2.0)], 5.0),
        ([(500.0, 3.0), (1500.0, 9.0)], 12.0),
        ([(500.0, 3.0), (500.4, 4.0), (499.8, 5.0)], 5.0),
        ([(500.0, 3.0), (501.0, 4.0), (500.0, 5.0), (501.0, 7.0)], 7.0),
        ([(500.0, 10.0), (600.0, 3.0), (500.0, 11.0), (600.0, 5.0)], 13.0),
        ([(1500.0, 5.0), (1500.02, 3.0), (1500.0, 7.0), (1500.02, 6.0)], 13.0),
    ],
    ids=[
        "a fall is a reset",
        "one process",
        "restarted below",
        "restarted and above at once: only the start time tells",
        "a start time that trembles",
        "a start time in whole seconds that trembles",
        "two old processes behind one address take turns",
        "two that began a moment apart, since watching did",
    ],
)
def test_what_a_counter_comes_to(pages: list[tuple[float | None, float]], expected: float) -> None:
    assert totals(Counters(), *pages)[-1] == expected


def test_what_an_older_process_counted_before_it_was_known_is_not_ours() -> None:
    assert totals(Counters(late=True), (500.0, 40.0), (500.0, 42.0))[-1] == 2.0
    assert totals(Counters(late=True), (1500.0, 40.0), (1500.0, 42.0))[-1] == 42.0


def test_a_counter_that_appears_later_has_counted_from_0() -> None:
    counters = Counters()
    counters.note(Signs(500.0), {}, BEGAN_S)
    assert counters.note(Signs(500.0), jobs(a=2.0), BEGAN_S) == {JOBS: 2.0}


@pytest.mark.parametrize("start_s", [None, 500.0])
def test_series_that_end_and_begin_again_are_followed_each_by_itself(start_s: float | None) -> None:
    """A model server that unloads a model and loads it again: the sum of what is left is no reset."""
    pages = (
        jobs(big=1000, small=10),
        jobs(big=1008, small=12),
        jobs(small=15),  # unloaded: it did count 8
        jobs(small=19),
        jobs(big=2, small=20),  # loaded again
        jobs(big=30, small=21),
    )
    counters = Counters()
    seen = [counters.note(Signs(start_s, cpu_s), page, BEGAN_S)[JOBS] for cpu_s, page in enumerate(pages)]
    assert [value - seen[0] for value in seen] == [0, 10, 13, 17, 20, 8 + 30 + 11]


def test_a_series_that_was_left_out_of_one_page_goes_on() -> None:
    counters = Counters()
    for page in (jobs(a=1000.0), jobs(), jobs(a=1003.0)):
        total = counters.note(Signs(), page, BEGAN_S)
    assert total == {JOBS: 1003.0}


def test_one_series_that_is_reset_leaves_the_others_alone() -> None:
    counters = Counters()
    for cpu_s, page in enumerate((jobs(a=100, b=50), jobs(a=3, b=51))):
        total = counters.note(Signs(500.0, cpu_s), page, BEGAN_S)
    assert total == {JOBS: 154.0}


# --- processes that take turns --------------------------------------------------------------------


def rise(pages: list[tuple[Signs, float]]) -> float:
    """From the first page to the last."""
    counters = Counters()
    seen = [counters.note(signs, jobs(a=value), BEGAN_S)[JOBS] for signs, value in pages]
    return seen[-1] - seen[0]


WORKERS = {500.00: 251.0, 500.01: 262.0, 500.03: 249.0, 500.04: 256.0}
"""What four workers had counted, by their start times."""


@pytest.mark.parametrize("turns", ["0123" * 4, "0012330121230132", "3210" * 3 + "0123"])
def test_four_workers_that_began_hundredths_of_a_second_apart(turns: str) -> None:
    """Of 19 requests each worker took some: 1,037 were told when their pages were taken for one's."""
    took, pages = [7.0, 5.0, 4.0, 3.0], []
    for place, turn in enumerate(map(int, turns)):
        start_s, before = list(WORKERS.items())[turn]
        late = place >= len(turns) - 4
        pages.append((Signs(start_s, 2.0 + turn / 10 + place / 100), before + took[turn] * late))
    assert rise(pages) == 19.0


@pytest.mark.parametrize(
    "pages",
    [
        [
            (3.2, 250.0),
            (3.5, 260.0),  # for all that can be known, the same one
            (3.3, 251.0),  # CPU time cannot fall: there are two, and the first look was at this one
            (3.6, 264.0),
            (3.4, 253.0),
            (3.6, 258.0),
            (3.7, 265.0),
        ],
        # At rest they used the same CPU time, to the hundredth of a second.
        [(0.26, 260.0), (0.26, 250.0), (0.26, 260.0), (0.26, 250.0), (0.27, 265.0), (0.27, 258.0)],
        # The one is seen for the first time when the other has counted much.
        [(3.2, 250.0), (3.4, 259.0), (0.5, 7.0), (3.6, 260.0), (0.6, 10.0)],
        # What is taken for a reset at first.
        [(0.26, 260.0), (0.27, 250.0), (0.26, 260.0), (0.30, 258.0), (0.29, 265.0)],
    ],
    ids=["both worked", "at rest", "one is met late", "taken for a reset"],
)
def test_workers_that_began_in_the_same_moment_are_told_apart_by_their_counters(
    pages: list[tuple[float, float]],
) -> None:
    assert rise([(Signs(500.0, cpu_s), value) for cpu_s, value in pages]) == 13.0


def test_new_workers_that_began_in_the_same_moment_count_all_they_show() -> None:
    pages = [
        (Signs(500.0, 9.0), 100.0),
        (Signs(1500.0, 0.5), 5.0),
        (Signs(1500.0, 0.7), 3.0),
        (Signs(1500.0, 0.6), 6.0),
        (Signs(1500.0, 0.8), 4.0),
    ]
    assert rise(pages) == 6 + 4


def test_a_start_time_that_long_trembled_is_one_process_s_whatever_is_reset() -> None:
    pages = [(Signs(500.0 + place % 17 / 40, float(place)), 10.0 * place) for place in range(30)]
    assert rise([*pages, (Signs(500.31, 30.0), 4.0), (Signs(500.32, 31.0), 9.0)]) == 290.0 + 9.0


@given(st.data())
def test_any_turns_of_workers_that_began_in_the_same_moment(data: st.DataObject) -> None:
    """Once each was seen at rest some times, what they do then is all that is counted.

    Each has begun with another count and another CPU time, and both rise with all that it does.
    """
    workers = data.draw(st.integers(2, 3))
    begun = data.draw(st.lists(st.integers(1, 400), min_size=workers, max_size=workers, unique=True))
    counters, done = Counters(), [0] * workers

    def look(turn: int) -> float:
        count = begun[turn] + done[turn]
        return counters.note(Signs(500.0, count / 100), jobs(a=float(count)), BEGAN_S)[JOBS]

    rounds = data.draw(st.lists(st.permutations(range(workers)), min_size=2 * workers, max_size=2 * workers))
    turns = [turn for each in rounds for turn in each]
    for turn in turns:
        at_rest = look(turn)
    assert at_rest == begun[turns[0]]
    done = [data.draw(st.integers(0, 300)) for _ in range(workers)]
    now = [before + more for before, more in zip(begun, done, strict=True)]
    # Nobody could tell one from another that shows all that it showed.
    assume(len({*begun, *now}) == workers + sum(more > 0 for more in done))
    # The one that counted most first: its page cannot be another's that was busier than it was.
    for turn in sorted(range(workers), key=lambda each: -begun[each] - done[each]):
        total = look(turn)
    assert total - at_rest == sum(done)


@given(st.data())
def test_any_resets_ends_and_beginnings_against_an_oracle(data: st.DataObject) -> None:
    """The oracle knows whose each page is, and adds up the rises of each series by itself."""
    lives = data.draw(st.integers(1, 4))
    turns = data.draw(st.lists(st.integers(0, lives - 1), min_size=1, max_size=25))
    moves = st.sampled_from(["counts", "rests", "is reset", "is away"])
    counters, expected, first = Counters(), 0.0, turns[0]
    shown: dict[tuple[int, str], float] = {}
    cpu_s = dict.fromkeys(range(lives), 0.0)
    met: set[int] = set()
    for turn in turns:
        page = {}
        for name in "xyz":
            move, before = data.draw(moves), shown.get((turn, name), 0.0)
            if move == "is away":
                continue
            reset = move == "is reset" and before > 0
            by = float(data.draw(st.integers(0, int(before) - 1 if reset else 40)))
            page[name] = by if reset else before + by * (move != "rests")
            if turn in met or turn == first:
                expected += page[name] if reset else page[name] - before
            shown[turn, name] = page[name]
        met.add(turn)
        cpu_s[turn] += 1.0
        # A hundredth of a second apart, and CPU times so far apart that no turn looks like a tremor.
        signs = Signs(500.0 + turn / 100, 100.0 * (lives - turn) + cpu_s[turn])
        total = counters.note(signs, jobs(**page), BEGAN_S)
    assert total.get(JOBS, 0.0) == expected


@given(st.lists(st.lists(st.floats(0, 1e6), min_size=1, max_size=5), min_size=1, max_size=5))
def test_any_restarts_lose_nothing_that_a_page_has_shown(lives: list[list[float]]) -> None:
    """Each life counts from 0; with start times every life's last value is known to be counted."""
    counters, expected = Counters(), 0.0
    for number, rises in enumerate(lives, 1):
        value = 0.0
        for each in rises:
            value += each
            total = counters.note(Signs(BEGAN_S + number * 100.0), jobs(a=value), BEGAN_S)[JOBS]
        expected += value
    assert total == pytest.approx(expected)
