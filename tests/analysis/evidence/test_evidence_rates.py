from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from genload.analysis.evidence.dependence import too_few_runs
from genload.analysis.evidence.rates import Rate, Spread, clopper_pearson


def events(count: int, *places: int) -> np.ndarray:
    found = np.zeros(count, dtype=np.bool_)
    found[list(places)] = True
    return found


def spaced(count: int, failures: int) -> np.ndarray:
    """Failures far from each other, as evenly as possible."""
    return events(count, *(int((i + 0.5) * count / failures) for i in range(failures)))


# R's manual page of binom.test: 682 of 925 (Conover 1971), and the textbook case of 4 in 10; two-sided 95 %.
@pytest.mark.parametrize(
    ("count", "trials", "low", "high"), [(682, 925, 0.7076683, 0.7654066), (4, 10, 0.1215523, 0.7376219)]
)
def test_bounds_are_the_published_ones(count: int, trials: int, low: float, high: float) -> None:
    assert clopper_pearson(count, trials, "lower", 0.025) == pytest.approx(low, abs=5e-8)
    assert clopper_pearson(count, trials, "upper", 0.025) == pytest.approx(high, abs=5e-8)


@given(trials=st.integers(1, 400), data=st.data())
def test_bounds_equal_scipys_exact_test(trials: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, trials))
    exact = stats.binomtest(count, trials, alternative="less").proportion_ci(0.95, "exact")
    assert clopper_pearson(count, trials, "upper") == pytest.approx(exact.high, rel=1e-9)
    exact = stats.binomtest(count, trials, alternative="greater").proportion_ci(0.95, "exact")
    assert clopper_pearson(count, trials, "lower") == pytest.approx(exact.low, rel=1e-9)


@pytest.mark.parametrize("truth", [0.03, 0.05, 0.3])
def test_a_true_rate_is_above_the_bound_in_at_most_5_percent_of_all_runs(truth: float) -> None:
    counts = np.arange(0, 201)
    chances = stats.binom.pmf(counts, 200, truth)
    above = [clopper_pearson(float(k), 200, "upper") < truth for k in counts]
    assert 0 < chances[above].sum() <= 0.05


def test_no_failure_of_21_leaves_13_percent_open() -> None:
    rate = Rate(Spread(events(21)), "failures")
    assert rate.value == 0
    assert rate.bound("upper", 0.01).value == pytest.approx(0.133, abs=5e-4)
    assert rate.needs("upper", 0.01) == "about 299 requests without a failure (21 so far)"


def test_299_requests_without_a_failure_are_enough_for_1_percent_and_298_are_not() -> None:
    assert Spread(events(299)).bound("upper") < 0.01 < Spread(events(298)).bound("upper")


def test_nothing_proves_a_rate_of_zero() -> None:
    rate = Rate(Spread(events(100_000)), "failures")
    assert (rate.bound("upper", 0.0).value or 0) > 0
    assert "count" in rate.needs("upper", 0.0)


@pytest.mark.parametrize(("places", "failures"), [(8, 3), (9, 4), (6, 5)])
def test_the_chance_of_few_runs_equals_the_count_of_all_orders(places: int, failures: int) -> None:
    def runs(chosen: tuple[int, ...]) -> int:
        return sum(place - 1 not in chosen for place in chosen)

    orders = list(combinations(range(places), failures))
    for chosen in orders:
        fewer = sum(runs(other) <= runs(chosen) for other in orders) / len(orders)
        assert too_few_runs(events(places, *chosen)) == pytest.approx(fewer)


def test_failures_in_a_row_say_less_than_the_same_failures_apart() -> None:
    incident, scattered = Spread(events(300, *range(100, 120))), Spread(spaced(300, 20))
    assert incident.clustered and not scattered.clustered
    assert scattered.effective_trials == 300
    assert incident.effective_trials < 30
    assert incident.bound("upper") > 2 * scattered.bound("upper")
    assert incident.bound("lower") < scattered.bound("lower")
    assert "incidents" in incident.assumption() and "scattered" in scattered.assumption()


def test_incidents_with_successes_in_between_are_seen_too() -> None:
    # Every third request of a stretch fails: no two in a row, so the runs alone look scattered.
    spread = Spread(events(600, *range(200, 320, 3)))
    assert too_few_runs(spread.events) > 0.05
    assert spread.clustered


def test_one_failure_cannot_tell_incidents_and_that_is_said() -> None:
    spread = Spread(events(100, 50))
    assert not spread.clustered
    assert spread.assumption() == "failures do not come in bursts, which a single one cannot show"
    none = Spread(np.zeros(100, dtype=np.bool_))
    assert none.assumption() == "failures do not come in bursts, which a run without any cannot show"
