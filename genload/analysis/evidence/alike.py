"""Whether runs differ by more than chance, and how sure their mean then is."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

import numpy as np

from genload.analysis.evidence.estimate import FloatArray
from genload.analysis.evidence.special_functions import special

UNLIKE = 0.2
"""Probability of such differences between runs by chance below which they are taken for different."""


def differ(values: Sequence[float], errors: Sequence[float]) -> bool:
    """Whether numbers with these standard errors differ by more than chance (Cochran's Q)."""
    if len(values) < 2:
        return False
    means, squares = np.array(values), np.array(errors) ** 2
    if (squares == 0).any():
        return bool(np.ptp(means) > 1e-9 * np.abs(means).max())
    centre = float((means / squares).sum() / (1 / squares).sum())
    return beyond_chance(float(((means - centre) ** 2 / squares).sum()), len(means))


def between(shares: FloatArray, values: Sequence[float]) -> float:
    """Standard error of the mean of runs with these shares of it, from how the runs differ."""
    found, runs = np.array(values), len(values)
    return sqrt(runs / (runs - 1) * float(((shares * (found - (shares * found).sum())) ** 2).sum()))


def beyond_chance(statistic: float, runs: int) -> bool:
    return float(special.chdtrc(runs - 1, statistic)) < UNLIKE
