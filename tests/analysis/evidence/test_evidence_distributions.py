"""Quantiles and tails against scipy's, whose import a judged run does without."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from genload.analysis.evidence.distributions import (
    beta_quantile,
    beta_share,
    chi_square_tail,
    log_factorial,
    student_quantile,
)

SHARES = st.floats(0.001, 0.999)
SIZES = st.one_of(st.floats(0.3, 100), st.floats(1, 1e6), st.integers(1, 2_000_000).map(float))


@given(SIZES, SIZES, SHARES)
def test_the_quantiles_of_beta_are_scipys(a: float, b: float, p: float) -> None:
    expected = special.betaincinv(a, b, p)
    if 1e-12 < expected < 1 - 1e-12:
        assert beta_quantile(a, b, p) == pytest.approx(expected, rel=1e-9, abs=1e-15)


def test_a_quantile_next_to_one_is_found() -> None:
    assert beta_quantile(2.0, 0.01, 0.95) == pytest.approx(1.0)


@given(SIZES, SIZES, SHARES)
def test_a_quantile_has_its_share_below(a: float, b: float, p: float) -> None:
    x = beta_quantile(a, b, p)
    if 1e-12 < x < 1 - 1e-12:
        assert beta_share(a, b, x) == pytest.approx(p, rel=1e-9)


def test_shares_of_beta_that_are_known() -> None:
    assert beta_share(1, 1, 0.3) == pytest.approx(0.3, rel=1e-14)  # the uniform distribution
    assert beta_share(2, 1, 0.3) == pytest.approx(0.09, rel=1e-14)
    assert beta_quantile(1, 59, 0.95) == pytest.approx(1 - 0.05 ** (1 / 59), rel=1e-14)  # the rule of three
    assert (beta_share(3, 4, 0.0), beta_share(3, 4, 1.0)) == (0.0, 1.0)
    assert (beta_quantile(3, 4, 0.0), beta_quantile(3, 4, 1.0)) == (0.0, 1.0)


@given(st.one_of(st.floats(1, 100), st.floats(1, 1e7)), st.sampled_from([0.9, 0.95, 0.975, 0.995]))
def test_the_quantiles_of_student_are_scipys(freedom: float, p: float) -> None:
    assert student_quantile(freedom, p) == pytest.approx(special.stdtrit(freedom, p), rel=1e-8)


def test_a_quantile_of_student_that_is_known() -> None:
    assert student_quantile(1, 0.75) == pytest.approx(1.0, rel=1e-12)  # Cauchy's
    assert student_quantile(9, 0.95) == pytest.approx(1.833112932656, rel=1e-12)  # of every table


@pytest.mark.parametrize("freedom", [1.1e8, 1e12, 1e300, inf])
def test_students_with_endless_freedom_is_the_normal(freedom: float) -> None:
    # As it is for means of requests that took the same time to the last digit.
    assert student_quantile(freedom, 0.95) == pytest.approx(special.ndtri(0.95), rel=1e-8)


@given(st.integers(1, 40), st.floats(0, 400))
def test_the_tail_of_chi_square_is_scipys(freedom: int, value: float) -> None:
    assert chi_square_tail(freedom, value) == pytest.approx(
        special.chdtrc(freedom, value), rel=1e-11, abs=1e-300
    )


def test_log_factorials_are_scipys() -> None:
    whole = np.concatenate((np.arange(200.0), 10.0 ** np.arange(3, 10)))
    np.testing.assert_allclose(log_factorial(whole), special.gammaln(whole + 1), rtol=1e-14, atol=1e-15)
