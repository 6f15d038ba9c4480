"""What chance in a schedule did: queues whose truth is known, and services that are no such queue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from math import log, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genload.analysis.evidence.busy import BusyPercentile, spells_of
from genload.analysis.evidence.chance import FEWEST, Chance, queue_times
from genload.analysis.evidence.estimate import FloatArray
from genload.analysis.evidence.pooled import pooled
from genload.settings.arrivals import Stage

Serve = Callable[[FloatArray, FloatArray], FloatArray]


def fifo(slots: int) -> Serve:
    """Who comes first is served first."""

    def ends(start: FloatArray, works: FloatArray) -> FloatArray:
        return start + queue_times(start[:, None], works[:, None], slots)[:, 0].astype(np.float64)

    return ends


def last_first(start: FloatArray, works: FloatArray) -> FloatArray:
    """Who comes last is served next."""
    end, waiting, free_s = np.empty(len(start)), list[int](), 0.0
    for number, start_s in enumerate([*start.tolist(), np.inf]):
        while waiting and free_s < start_s:
            served = waiting.pop()
            free_s = max(free_s, float(start[served])) + float(works[served])
            end[served] = free_s
        waiting.append(number)
    return end


def run(
    seed: int, count: int, load: float, ends: Serve, slots: int = 1, spread: float = 0.7
) -> tuple[FloatArray, FloatArray, Chance]:
    """Starts and ends of a run at one rate, from an empty service on, and its chance."""
    rng = np.random.default_rng(seed)
    start = np.cumsum(rng.exponential(1 / (load * slots), count))
    end = ends(start, rng.lognormal(-(spread**2) / 2, spread, count))
    stage = Stage("", float(start[-1]) * (1 + 1 / count), load * slots, load * slots)
    return start, end, Chance(start, end, np.ones(count, dtype=np.bool_), [stage])


@pytest.mark.parametrize("slots", [1, 3, 8])
@pytest.mark.parametrize("spread", [0.0, 0.3, 0.7])
def test_slots_and_works_are_found_from_starts_and_ends(slots: int, spread: float) -> None:
    _, _, chance = run(3, 3000, 0.8, fifo(slots), slots, spread)
    found, works = chance._service
    assert found == slots
    rng = np.random.default_rng(3)
    rng.exponential(1, 3000)
    drawn = rng.lognormal(-(spread**2) / 2, spread, 3000)
    assert works == pytest.approx(drawn, abs=1e-3)  # the queue's own times are to 1e-7 of the clock


def test_requests_of_other_schedules_are_as_slow_as_theory_says() -> None:
    """M/M/1: the time in the service is exponential, of the rate μ − λ."""
    rng = np.random.default_rng(5)
    start = np.cumsum(rng.exponential(1 / 0.5, 8_000))
    end = fifo(1)(start, rng.exponential(1.0, 8_000))
    chance = Chance(start, end, np.ones(8_000, dtype=np.bool_), [Stage("", float(start[-1]), 0.5, 0.5)])
    rows, limit_s = np.arange(8_000), log(20) / 0.5
    luck, error = chance.luck(rows, limit_s)
    own = (chance._own > limit_s).mean()
    assert own - luck.mean() == pytest.approx(0.05, abs=0.008)  # the works drawn are 1 % from 1 s
    assert error < 0.002


def test_of_a_queue_with_even_works_all_is_chance() -> None:
    start, end, chance = run(1, 3000, 0.8, fifo(1), spread=0.0)
    limit_s = float(np.quantile(end - start, 0.95))
    luck, _ = chance.luck(np.arange(3000), limit_s)
    left = (end - start > limit_s + 1e-4) - luck
    assert np.ptp(left) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("ends", [fifo(1), fifo(3), last_first], ids=["fifo", "three", "last first"])
def test_luck_is_none_on_average_whatever_the_service_is_like(ends: Serve) -> None:
    lucks = []
    for seed in range(16):
        _, _, chance = run(seed, 600, 0.7, ends)
        luck, _ = chance.luck(np.arange(600), 5.0)
        lucks.append(float(luck.mean()))
    assert abs(np.mean(lucks)) < 3 * np.std(lucks) / sqrt(len(lucks))


def test_a_percentile_is_proven_more_often_and_the_run_alone_decides() -> None:
    proven = {"with": 0, "without": 0}
    for seed in range(4):
        start, end, chance = run(100 + seed, 3000, 0.7, fifo(1), spread=0.3)
        spells, rows = spells_of(start, end), np.arange(3000)
        without = BusyPercentile(end - start, 95, spells=spells)
        given_luck = BusyPercentile(end - start, 95, spells=spells, luck=partial(chance.luck, rows))
        bound = given_luck.bound("upper", 0.0)
        assert bound == given_luck.bound("upper", 0.0)
        assert "what chance in their schedule did is taken off" in bound.assumption
        limit_s = 1.2 * 5.7  # a fifth above what a long run shows
        proven["with"] += bound.value is not None and bound.value < limit_s
        told = without.bound("upper", 0.0).value
        proven["without"] += told is not None and told < limit_s
        assert given_luck.bound("lower", 0.0) == without.bound("lower", 0.0)
    assert proven["with"] > proven["without"]


def test_stages_have_their_own_share() -> None:
    """Of a quiet stage and a busy one, what is asked of either is measured on the same of other schedules."""
    rng = np.random.default_rng(2)
    stages = [Stage("", 4000.0, 0.2, 0.2), Stage("", 4000.0, 0.8, 0.8)]
    quiet, busy = (np.sort(rng.uniform(0, 4000, count)) for count in (800, 3200))
    start = np.concatenate([quiet, 4000 + busy])
    end = fifo(1)(start, np.ones(len(start)))
    chance = Chance(start, end, np.ones(len(start), dtype=np.bool_), stages)
    took = end - start
    for rows, stage in ((np.arange(800), stages[0]), (np.arange(800, 4000), stages[1])):
        luck, _ = chance.luck(rows, 2.5)
        alone = Chance(start[rows] - start[rows][0], end[rows] - start[rows][0], took[rows] > 0, [stage])
        apart, _ = alone.luck(np.arange(len(rows)), 2.5)
        assert (took[rows] > 2.5).mean() - luck.mean() == pytest.approx(
            (took[rows] > 2.5).mean() - apart.mean(), abs=0.03
        )


def test_too_little_and_too_much_are_left_as_they_are() -> None:
    _, _, chance = run(0, FEWEST, 0.5, fifo(1))
    assert chance.is_known
    some = chance.worked.copy()
    some[0] = False
    assert not Chance(chance.start_s, chance.end_s, some, chance.stages).is_known


def test_of_several_runs_the_chance_in_each_schedule_is_taken_off() -> None:
    def of_run(values: FloatArray, luck: float, error: float) -> BusyPercentile:
        def taken(threshold: float) -> tuple[FloatArray, float]:
            return np.full(len(values), luck), error

        return BusyPercentile(values, 95, luck=taken)

    rng = np.random.default_rng(4)
    runs = [of_run(rng.lognormal(0, 0.3, 600), 0.01, 0.002), of_run(rng.lognormal(0, 0.3, 200), 0.03, 0.006)]
    together = pooled(runs, "p95")
    assert isinstance(together, BusyPercentile) and together.luck is not None
    values, error = together.luck(2.0)
    assert values.tolist() == [0.01] * 600 + [0.03] * 200
    assert error == pytest.approx(0.003)
    assert together.bound("upper", 3.0).value is not None and together.needs("upper", 1.6)
    unknown = pooled([runs[0], replace(runs[1], luck=None)], "p95")
    assert isinstance(unknown, BusyPercentile) and unknown.luck is None


@given(st.floats(0.1, 50), st.floats(0, 50), st.floats(1, 1e4), st.floats(0, 1))
def test_a_stage_tells_of_many_arrivals_what_it_tells_of_one(
    rate: float, to: float, duration_s: float, share: float
) -> None:
    stage = Stage("", duration_s, rate, to)
    arrivals = share * stage.expected
    one, many = stage.after_s(arrivals), stage.after_s(np.array([0.0, arrivals, stage.expected]))
    assert many == pytest.approx([0.0, one, duration_s], rel=1e-6)
    # As many are expected by then: the integral of the rate.
    assert one * rate + one**2 * (to - rate) / (2 * duration_s) == pytest.approx(arrivals, rel=1e-6, abs=1e-6)
