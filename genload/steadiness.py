"""When a series has come to rest: the rule by which a warm-up ends.

MSER, the marginal standard error rule (K. P. White, "An effective truncation heuristic for bias reduction in
simulation output", Simulation 69, 1997): of n values x leave out the first d for which the standard error of
the mean of the rest is least, the d that minimises

    Σ (x_i − mean)² ÷ (n − d)²      over i > d, mean that of the same values.

While a series still falls, every value that is left out makes the rest more alike, and d comes to lie near
its end. So the series is at rest when d lies in its first half.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

LEAST_VALUES = 10
"""Of fewer nothing is said."""
LEAST_KEPT = 3
"""The last so many are never left out: two that are alike by chance would be the best rest of all."""


def at_rest_from(values: Sequence[float]) -> int | None:
    """How many of the first values belong to the time before the rest; None while the series is not at rest.

    >>> at_rest_from([9.0, 4.0, 2.0] + [1.0, 1.1] * 4)
    3
    >>> at_rest_from([float(20 - n) for n in range(12)])
    """
    n = len(values)
    if n < LEAST_VALUES:
        return None
    best, first = inf, 0
    mean = squares = 0.0
    for kept, value in enumerate(reversed(values), 1):  # Welford's sums, from the last value on
        deviation = value - mean
        mean += deviation / kept
        squares += deviation * (value - mean)
        if kept >= LEAST_KEPT and squares / kept**2 <= best:
            best, first = squares / kept**2, n - kept
    return first if first <= n / 2 else None
