"""Whether things that follow each other in time are alike, and what they are then worth.

Both questions are asked in the order in which the requests started.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

import numpy as np

from genload.analysis.evidence.estimate import BoolArray, FloatArray
from genload.analysis.evidence.special_functions import special

FEW_LAGS = 64


def effective_count(values: FloatArray) -> float:
    """Independent values that would say as much about the mean: n / (1 + 2 Σ ρ), between 1 and n."""
    n = len(values)
    if n < 4:
        return float(n)
    deviations = values - values.mean()
    variance = float(deviations @ deviations)
    if variance <= 1e-12 * n * max(values.mean() ** 2, 1e-300):
        return float(n)
    total, least = 0.0, inf
    for pair in _pairs_of_lags(deviations):
        if pair <= 0:
            break
        least = min(least, pair / variance)
        total += least
    return float(min(n, max(1.0, n / max(1.0, 2 * total - 1))))


def _pairs_of_lags(deviations: FloatArray) -> Iterator[float]:
    """The autocovariances of the lags 0 and 1 together, of 2 and 3, … times n."""
    n = len(deviations)
    # Of most loads a few are asked for; where it is many, all of them at once are cheaper.
    for lag in range(0, min(FEW_LAGS, n // 2 * 2), 2):
        first = deviations[: n - lag] @ deviations[lag:]
        yield float(first + deviations[: n - lag - 1] @ deviations[lag + 1 :])
    if n // 2 * 2 > FEW_LAGS:
        size = 1 << (2 * n - 1).bit_length()  # padded, so that the transform does not wrap around
        spectrum = np.fft.rfft(deviations, size)
        covariance = np.fft.irfft(spectrum * np.conj(spectrum), size)[FEW_LAGS : n // 2 * 2]
        yield from covariance.reshape(-1, 2).sum(axis=1).tolist()


def too_few_runs(events: BoolArray) -> float:
    """Probability of so few runs of events, or fewer, were the same events scattered at random.

    Of n places with k events in random order, the number of runs of events is hypergeometric:
    k draws from n places of which n-k+1 begin a run.
    """
    n, k = len(events), int(events.sum())
    if k < 2 or k == n:
        return 1.0
    runs = int(events[0]) + int((events[1:] & ~events[:-1]).sum())
    counts = np.arange(1, runs + 1, dtype=np.float64)
    starts, rest = n - k + 1, k - 1
    logs = _log_choose(starts, counts) + _log_choose(rest, k - counts) - _log_choose(n, np.float64(k))
    return float(min(1.0, np.exp(logs).sum()))


def _log_choose(n: float, k: np.ndarray | np.float64) -> np.ndarray:
    return np.asarray(special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1))


def overdispersion(events: BoolArray, blocks: int) -> float:
    """Probability of counts so uneven over equal blocks, were the events scattered at random (chi-square)."""
    counts, sizes = block_counts(events, blocks)
    share = events.mean()
    if share in (0.0, 1.0):
        return 1.0
    chi2 = float((((counts - sizes * share) ** 2) / (sizes * share * (1 - share))).sum())
    return float(special.chdtrc(blocks - 1, chi2))


def block_counts(events: BoolArray, blocks: int) -> tuple[np.ndarray, np.ndarray]:
    """Events in each of so many equal blocks of consecutive places, and the sizes of the blocks."""
    edges = np.linspace(0, len(events), blocks + 1).round().astype(np.int64)
    return np.add.reduceat(events.astype(np.int64), edges[:-1]), np.diff(edges)
