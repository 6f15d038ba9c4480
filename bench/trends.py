"""How often memory's course is called what it is: flat but autocorrelated, leaking, a step, a filling cache.

Each line is a world: so long a load, so many jobs of two users, memory that wanders as slowly as `phi` says
(AR(1)), and a course. It says what the simulated runs were called. Held to a limit is, for each `phi`, how
many are called right: flat memory a leak in at most 5 %, each other course by its own name in at least 90 %.
Flat memory wanders by 1 % (standard deviation); that under a change by 10 % wanders by 0.5 %.

    leak            grows by 10 % over the load, evenly
    leak per job    as the testbed's fault does it: each job that ends leaves as much behind; the two that run
                    hold 5 % more
    step            10 % more after 70 % of the load
    filling cache   the same 10 %, the faster the emptier it is

The criterion `server.memory.growth < 5%` is judged on the same runs, by another number (medians of tenths).

    python bench/trends.py [--runs 400]
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from genload.analysis.evidence.estimate import FloatArray
from genload.analysis.evidence.series import Growth
from genload.analysis.growth import GrowthTrend, blocks_of, called
from genload.analysis.judged.trends import MATTERS

LENGTHS_S = (600, 3600)
JOBS = (20, 40, 400)
PHIS = (0.8, 0.9, 0.95, 0.99)
USERS = 2
CHANGE = 0.1
HELD = 0.05
"""What the jobs that run hold, as a share of the first level."""
GROWTH_LIMIT = 0.05
MOST_FALSE, LEAST_FOUND = 0.05, 0.90


@dataclass(frozen=True)
class Load:
    """One simulated load, sampled once a second."""

    times_s: FloatArray
    begins_s: FloatArray  # of jobs, in the order of time
    ends_s: FloatArray

    @classmethod
    def of(cls, rng: np.random.Generator, length_s: int, jobs: int) -> Load:
        """Users that ask again a little after each answer, at about `jobs` jobs in all."""
        mean_s = length_s * USERS / jobs
        takes_s = mean_s * 0.97 * rng.lognormal(-0.02, 0.2, (USERS, 2 * jobs))
        pauses_s = mean_s * 0.06 * rng.random((USERS, 2 * jobs))
        ends_s = (takes_s + pauses_s).cumsum(axis=1) - pauses_s
        inside = ends_s < length_s
        return cls(np.arange(float(length_s)), np.sort((ends_s - takes_s)[inside]), np.sort(ends_s[inside]))

    @property
    def part(self) -> FloatArray:
        """How much of it has passed, 0 to 1."""
        return self.times_s / len(self.times_s)

    @property
    def ended(self) -> FloatArray:
        return np.searchsorted(self.ends_s, self.times_s, side="right").astype(np.float64)

    @property
    def running(self) -> FloatArray:
        return np.searchsorted(self.begins_s, self.times_s, side="right") - self.ended


@dataclass(frozen=True)
class Course:
    """What becomes of memory, as a share of the first level, and what that should be called."""

    name: str
    change: Callable[[Load], FloatArray]
    called: str


FLAT = Course("flat", lambda load: np.zeros(len(load.times_s)), "none")
COURSES = (
    FLAT,
    Course("leak", lambda load: CHANGE * load.part, "leak"),
    Course(
        "leak per job",
        lambda load: CHANGE * load.ended / len(load.ends_s) + HELD * load.running / USERS,
        "leak",
    ),
    Course("step", lambda load: np.where(load.part > 0.7, CHANGE, 0.0), "step"),
    Course("filling cache", lambda load: CHANGE * (1 - np.exp(-load.part / 0.2)), "filling"),
)


def wander(rng: np.random.Generator, length: int, phi: float, deviation: float) -> FloatArray:
    """AR(1) with this standard deviation, from its stationary state."""
    settled = 2000
    steps = rng.normal(0, deviation * np.sqrt(1 - phi**2), length + settled)
    course: FloatArray = lfilter([1.0], [1.0, -phi], steps)[settled:]
    return course


def simulated(
    rng: np.random.Generator, length_s: int, jobs: int, phi: float, course: Course
) -> tuple[str, str]:
    """What one run is called, and what the criterion on `growth` says of it: ``fail proven``, …"""
    load = Load.of(rng, length_s, jobs)
    noise = wander(rng, length_s, phi, 0.01 if course is FLAT else 0.005)
    memory = 1e9 * (1 + course.change(load) + noise)
    trend = GrowthTrend(blocks_of(load.times_s, memory, load.ends_s), seed=int(rng.integers(2**31)))
    return called(trend, MATTERS, length_s), judged(Growth(memory))


def judged(growth: Growth) -> str:
    value = growth.value
    assert value is not None
    passes = value < GROWTH_LIMIT
    bound = growth.bound("upper" if passes else "lower", GROWTH_LIMIT).value
    sure = bound is not None and (bound < GROWTH_LIMIT) == passes
    return f"{'pass' if passes else 'fail'} {'proven' if sure else 'unproven'}"


def holds(course: Course, kinds: Counter[str]) -> tuple[bool, str]:
    """Whether the share that is held to a limit keeps it, and both in words."""
    if course is FLAT:
        wrong = kinds["leak"] / kinds.total()
        return wrong <= MOST_FALSE, f"called a leak {wrong:.1%} (at most {MOST_FALSE:.0%})"
    right = kinds[course.called] / kinds.total()
    return right >= LEAST_FOUND, f"called {course.called} {right:.1%} (at least {LEAST_FOUND:.0%})"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=400, help="simulated runs of each course in each world")
    runs = parser.parse_args().runs
    rng = np.random.default_rng(2026)
    kept = []
    for course in COURSES:
        print(f"\n{course.name}")
        criteria: Counter[str] = Counter()
        for phi in PHIS:
            kinds: Counter[str] = Counter()
            for length_s in LENGTHS_S:
                for jobs in JOBS:
                    called = [simulated(rng, length_s, jobs, phi, course) for _ in range(runs)]
                    here = Counter(kind for kind, _ in called)
                    criteria += Counter(said for _, said in called)
                    kinds += here
                    print(f"  phi {phi:<5} {length_s:5} s {jobs:4} jobs: {dict(here.most_common())}")
            keeps, words = holds(course, kinds)
            kept.append(keeps)
            print(f"  phi {phi:<5} {words}: {'held' if keeps else 'MISSED'}", flush=True)
        shares = ", ".join(f"{said} {n / criteria.total():.1%}" for said, n in criteria.most_common())
        print(f"  server.memory.growth < {GROWTH_LIMIT:.0%}: {shares}")
    print(f"\n{sum(kept)} of {len(kept)} limits held")
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
