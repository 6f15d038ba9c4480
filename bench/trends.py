"""How often memory's course is called what it is: flat but autocorrelated, leaking, a step, a filling cache.

Prints, for each course, how many of the simulated runs were called what. Two numbers are held to limits:
flat runs that are called a leak (at most 5 %), and leaks of 10 % that are found (at least 90 %). Flat memory
wanders by 1 % (standard deviation, AR(1)); that under a change by 10 % wanders by 0.5 %.

    python bench/trends.py [--runs 400]
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter

import numpy as np
from scipy.signal import lfilter

from genload.analysis.evidence import FloatArray
from genload.analysis.growth import GrowthTrend, blocks_of

LENGTHS_S = (600, 3600)
JOBS = (40, 400)
PHIS = (0.8, 0.95, 0.99)
MOST_FALSE, LEAST_FOUND = 0.05, 0.90


def wander(rng: np.random.Generator, length: int, phi: float, deviation: float) -> FloatArray:
    """AR(1) with this standard deviation, from its stationary state."""
    settled = 2000
    steps = rng.normal(0, deviation * np.sqrt(1 - phi**2), length + settled)
    course: FloatArray = lfilter([1.0], [1.0, -phi], steps)[settled:]
    return course


def courses(length: int) -> dict[str, FloatArray]:
    """Change over a run as a share of the first level."""
    part = np.arange(length) / length
    return {
        "flat": np.zeros(length),
        "leak": 0.1 * part,
        "step": np.where(part > 0.7, 0.1, 0.0),
        "filling": 0.1 * (1 - np.exp(-part / 0.2)),
    }


def called(rng: np.random.Generator, course: FloatArray, phi: float, jobs: int) -> str:
    """What one simulated run is called."""
    length = len(course)
    noise = wander(rng, length, phi, 0.005 if course.any() else 0.01)
    ends_s = rng.uniform(0, length, jobs)
    blocks = blocks_of(np.arange(float(length)), 1e9 * (1 + course + noise), ends_s)
    return GrowthTrend(blocks, seed=int(rng.integers(2**31))).kind


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=400, help="simulated runs of each course")
    runs = parser.parse_args().runs
    rng = np.random.default_rng(2026)
    totals: dict[str, Counter[str]] = {}
    for length in LENGTHS_S:
        for jobs in JOBS:
            for phi in PHIS:
                for name, course in courses(length).items():
                    counts = Counter(called(rng, course, phi, jobs) for _ in range(runs))
                    totals.setdefault(name, Counter()).update(counts)
                    print(f"{length:5} s {jobs:4} jobs phi {phi:<5} {name:8} {dict(counts.most_common())}")
    false = totals["flat"]["leak"] / totals["flat"].total()
    found = totals["leak"]["leak"] / totals["leak"].total()
    print(f"flat called a leak: {false:.1%} (at most {MOST_FALSE:.0%})")
    print(f"leaks of 10 % found: {found:.1%} (at least {LEAST_FOUND:.0%})")
    return 0 if false <= MOST_FALSE and found >= LEAST_FOUND else 1


if __name__ == "__main__":
    sys.exit(main())
