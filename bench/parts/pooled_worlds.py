"""Pools of several runs whose truth is known: how often a verdict on all of them is wrong, and how often it
is reached, where the runs are alike and where each is a little faster or slower than the others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np

from genload.analysis.evidence.estimate import Estimate
from genload.analysis.evidence.means import Mean
from genload.analysis.evidence.percentiles import Percentile
from genload.analysis.evidence.pooled import pooled
from genload.analysis.evidence.rates import Rate, Spread

POOLS = 300
RUNS = (2, 3, 5)
REQUESTS = (20, 60, 200)
NOISES = (0.0, 0.02, 0.05)
"""Standard deviation, from run to run, of the logarithm of all times."""

_SIGMA = 0.2  # of the logarithm of a time within a run
_RATE = 0.05
_P95 = 1.6449
_OF_RATES = 5  # a run that is 2 % slower fails 10 % more


@dataclass(frozen=True)
class Claim:
    """`draw` makes the estimate of one run that is so much slower than others; `truth` is the number over
    all runs at a noise, and `apart` how many times as large the threshold is for the power.
    """

    name: str
    draw: Callable[[np.random.Generator, int, float], Estimate]
    truth: Callable[[float], float]
    apart: float


def _times(rng: np.random.Generator, requests: int, slower: float) -> np.ndarray:
    return np.exp(slower) * rng.lognormal(0, _SIGMA, requests)


def _rate(rng: np.random.Generator, requests: int, slower: float) -> Estimate:
    return Rate(Spread(rng.random(requests) < _RATE * np.exp(_OF_RATES * slower)), "failures")


CLAIMS = (
    Claim(
        "mean",
        lambda rng, requests, slower: Mean(_times(rng, requests, slower)),
        lambda noise: float(np.exp((_SIGMA**2 + noise**2) / 2)),
        1.2,
    ),
    Claim(
        "p95",
        lambda rng, requests, slower: Percentile(_times(rng, requests, slower), 95),
        lambda noise: float(np.exp(_P95 * np.hypot(_SIGMA, noise))),
        1.2,
    ),
    Claim("error rate", _rate, lambda noise: float(_RATE * np.exp((_OF_RATES * noise) ** 2 / 2)), 2.0),
)


def share_proven(claim: Claim, runs: int, requests: int, noise: float, threshold: float, pools: int) -> float:
    """Share of the pools that prove the number to be below the threshold."""
    rng = np.random.default_rng((runs, requests, int(noise * 1000)))
    hits = 0
    for _ in range(pools):
        slower = noise * rng.standard_normal(runs)
        found = pooled([claim.draw(rng, requests, each) for each in slower], None)
        bound = found.bound("upper", threshold).value
        hits += bound is not None and bound < threshold
    return hits / pools


def report(pools: int = POOLS) -> None:
    """A line a size and noise: error where the claim is just false, power where the truth is apart."""
    heads = [f"{claim.name} ×{claim.apart:g}" for claim in CLAIMS]
    print(f"{'pool':30} " + " ".join(f"{head:>20}" for head in heads) + "   (error, power)")
    for runs, requests, noise in product(RUNS, REQUESTS, NOISES):
        cells = []
        for claim in CLAIMS:
            truth = claim.truth(noise)
            error, power = (
                share_proven(claim, runs, requests, noise, truth * times, pools)
                for times in (1.0, claim.apart)
            )
            cells.append(f"{error:10.1%} {power:9.1%}")
        print(f"{f'{runs} runs of {requests}, noise {noise:.0%}':30} " + " ".join(cells), flush=True)
