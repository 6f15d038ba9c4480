"""Quantiles and tails of the distributions that evidence rests on: beta, Student's t and chi-square.

Of scipy's special functions these are all that a verdict needs, and scipy takes longer to import than a run
to be judged (docs/decisions/0010-no-scipy.md).
`tests/analysis/evidence/test_evidence_distributions.py` holds them against it.
"""

from __future__ import annotations

from math import erfc, exp, inf, lgamma, log, pi, sqrt
from statistics import NormalDist

import numpy as np

from genload.analysis.evidence.estimate import FloatArray

_HALF_LOG_2PI = log(2 * pi) / 2
_SERIES_FROM = 16.0
_CLOSE = 1e-16
_TINY = 1e-300
_MOST_TERMS = 100_000
_MOST_STEPS = 200
_AS_NORMAL = (
    1e8  # degrees of freedom, `inf` among them; the difference is in the ninth digit, the terms endless
)


def beta_quantile(a: float, b: float, p: float) -> float:
    """The x in 0..1 with I_x(a, b) = p: by Newton's steps, halving where one leads out of the bracket."""
    if p <= 0 or p >= 1:
        return 0.0 if p <= 0 else 1.0
    low, high, x = 0.0, 1.0, a / (a + b)
    for _ in range(_MOST_STEPS):
        off = beta_share(a, b, x) - p
        if off < 0:
            low = x
        else:
            high = x
        slope = _beta_density(a, b, x)
        step = x - off / slope if slope > 0 else -1.0
        following = step if low < step < high else (low + high) / 2
        if abs(following - x) <= _CLOSE * following:
            return following
        x = following
    return x


def beta_share(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function I_x(a, b), by its continued fraction (Lentz's way; Press and
    others, Numerical Recipes, 3rd ed., section 6.4)."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    # It converges fast on the left of the mean; on the right the other tail is asked for.
    if x > (a + 1) / (a + b + 2):
        return 1.0 - beta_share(b, a, 1.0 - x)
    above, below = 1.0, 1.0 / _not_zero(1.0 - (a + b) * x / (a + 1))
    value = below
    for m in range(1, _MOST_TERMS):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            below = 1.0 / _not_zero(1.0 + term * below)
            above = _not_zero(1.0 + term / above)
            value *= above * below
        if abs(above * below - 1.0) < _CLOSE:
            break
    return _beta_density(a, b, x) * x * (1.0 - x) / a * value


def student_quantile(freedom: float, p: float) -> float:
    """The t that Student's distribution stays below with probability `p`, 0.5 or more."""
    if freedom > _AS_NORMAL:
        return NormalDist().inv_cdf(p)
    share = beta_quantile(0.5, freedom / 2, 2 * p - 1)
    return sqrt(freedom * share / (1 - share)) if share < 1 else inf


def chi_square_tail(freedom: int, value: float) -> float:
    """Probability of more than `value`, for whole degrees of freedom: a finite sum."""
    half = value / 2
    if half <= 0:
        return 1.0
    odd = freedom % 2
    tail = erfc(sqrt(half)) if odd else 0.0
    exponents = (i + odd / 2 for i in range(freedom // 2))
    return tail + sum(exp(each * log(half) - half - lgamma(each + 1)) for each in exponents)


def log_factorial(n: FloatArray) -> FloatArray:
    """Of whole numbers: from a table, and from 16 on by Stirling's series."""
    large = np.maximum(n, _SERIES_FROM)
    series = (large + 0.5) * np.log(large) - large + _HALF_LOG_2PI + _stirling_series(large)
    small = _LOG_FACTORIALS[np.minimum(n, _SERIES_FROM).astype(np.int64)]
    return np.where(n < _SERIES_FROM, small, series)


def _beta_density(a: float, b: float, x: float) -> float:
    """By Loader's deviances ("Fast and Accurate Computation of Binomial Probabilities", 2000): the difference
    of three log-gammas has few digits left where a and b are a million."""
    if not 0 < x < 1:
        return 0.0
    n = a + b
    error = _stirling_error(n) - _stirling_error(a) - _stirling_error(b)
    exponent = error - _deviance(a, n * x) - _deviance(b, n * (1.0 - x))
    return sqrt(a * b / (2 * pi * n)) * exp(exponent) / (x * (1.0 - x)) if exponent > -700 else 0.0


def _deviance(value: float, expected: float) -> float:
    """value · log(value / expected) + expected − value, without cancellation where the two are close."""
    off = (value - expected) / expected
    if abs(off) > 0.1:
        return value * log(value / expected) + expected - value
    # (1 + off) log(1 + off) − off, as the series of off²/2 − off³/6 + off⁴/12 …
    total, power = 0.0, off * off
    for k in range(2, 30):
        total += power / (k * (k - 1))
        power *= -off
    return expected * total


def _stirling_error(z: float) -> float:
    """log Γ(z + 1) less Stirling's formula for it."""
    if z < _SERIES_FROM:
        return lgamma(z + 1) - (z + 0.5) * log(z) + z - _HALF_LOG_2PI
    return float(_stirling_series(np.array(z)))


def _stirling_series(z: FloatArray) -> FloatArray:
    square = z * z
    return (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - 1 / 1188 / square) / square) / square) / square) / z


def _not_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


_LOG_FACTORIALS = np.array([lgamma(n + 1) for n in range(int(_SERIES_FROM) + 1)])
