"""Which of the values in order is a percentile: the same for a live view and for the verdict."""

from __future__ import annotations

from math import ceil, inf


def rank(count: int, percentile: float) -> int:
    """1-based rank of the percentile among `count` values: ceil(n p / 100), at least 1."""
    # n p before the division: 100 * 0.55 is 55.00000000000001, whose ceiling is 56.
    return max(1, ceil(round(count * percentile / 100, 9)))


def level_in_sample(level: float, attempted: int, failed: int) -> float:
    """The level in a sample of the answers that is the `level` of every attempt, of which `failed` had no
    answer and rank last; `inf` where those reach it.
    """
    answered = 1 - failed / attempted
    within = level / answered if answered > 0 else inf
    return inf if within > 100 + 1e-9 else min(within, 100.0)
