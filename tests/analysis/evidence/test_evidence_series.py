from __future__ import annotations

import numpy as np
import pytest

from genload.analysis.evidence.series import Growth, State, Throughput, growth, slope
from genload.analysis.states import Held


def test_growth_compares_the_medians_of_first_and_last_tenth() -> None:
    values = np.concatenate([[100, 100, 900], np.full(24, 500.0), [110, 130, 120]])
    assert growth(values) == pytest.approx(0.2)
    assert growth(np.array([4.0, 5.0])) == 0.25
    assert growth(np.array([4.0])) is None
    assert growth(np.array([0.0, 5.0])) is None


def test_slope_is_least_squares() -> None:
    times = np.array([0.0, 1.0, 2.0, 5.0])
    values = np.array([1.0, 2.5, 4.0, 12.0])
    assert slope(times, values) == pytest.approx(np.polyfit(times, values, 1)[0])
    assert slope(np.array([1.0, 1.0]), np.array([1.0, 2.0])) is None


def test_flat_memory_is_proven_flat_and_a_step_is_not() -> None:
    rng = np.random.default_rng(1)
    noise = rng.normal(0, 0.005, 200)
    flat = Growth(1 + noise)
    step = Growth(1 + noise + 0.04 * (np.arange(200) > 130))
    assert (flat.bound("upper", 0.05).value or 1) < 0.05
    assert (step.value or 0) < 0.05 < (step.bound("upper", 0.05).value or 0)


def test_growth_is_not_proven_from_a_handful_of_samples() -> None:
    few = Growth(np.full(20, 5.0))
    assert few.value == 0
    assert few.bound("upper", 0.1).value is None
    assert "50 samples (20 so far)" in few.needs("upper", 0.1)


def test_a_state_of_which_all_is_known_is_exact() -> None:
    state = State(Held(on_s=45.0, off_s=15.0, unknown_s=0.0), ticks=60)
    assert state.value == 0.75
    assert state.exact


def test_time_without_a_tick_could_have_been_either() -> None:
    state = State(Held(on_s=99.0, off_s=0.0, unknown_s=1.0), ticks=99)
    assert not state.exact
    assert state.value == 1.0
    assert state.bound("lower", 1.0).value == 0.99
    assert state.bound("upper", 1.0).value == 1.0


def test_throughput_counts_over_its_time_and_is_bounded_by_its_tenths() -> None:
    even = Throughput(np.linspace(0.05, 99.95, 1000), 0.0, 100.0)
    bursts = Throughput(np.repeat(np.linspace(5, 95, 5), 200), 0.0, 100.0)
    assert even.value == bursts.value == 10.0
    assert (even.bound("lower", 9.0).value or 0) > 9.9
    assert (bursts.bound("lower", 9.0).value or 0) < 9.0
    assert Throughput(np.array([1.0]), 0.0, 100.0).bound("lower", 0.001).value is None
