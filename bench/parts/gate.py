"""The whole gate of a comparison on made-up runs: without files, all else as in `genload compare`."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from genload.analysis.comparison import CompareSettings, Comparison, NoiseFloor, RunFacts, floor_of
from genload.analysis.comparison.compare import compared
from genload.analysis.comparison.curves import LEVELS, PARTS, Curves
from genload.analysis.comparison.side import ComparedRun
from genload.analysis.comparison.values import RunValue
from genload.settings.criteria.ast import Dimension
from genload.settings.metrics.metric import Better

REQUESTS = 200
ERROR_RATE = 0.005
OWN_SHARE = 0.3
"""What mean, p50 and p95 of a run vary by of their own, as a share of what they vary by together."""

_NO_CURVES = Curves(np.full(len(LEVELS), np.nan), np.full(PARTS, np.nan))
_DURATIONS = ("generate.duration.mean", "generate.duration.p50", "generate.duration.p95")
_JUDGED = (*_DURATIONS, "generate.error_rate", "generate.throughput")


@dataclass(frozen=True)
class World:
    """Where two builds are compared.

    Attributes:
        noise: deviation of a run's logarithm of duration.
        slower: the truth: how many times as long the new build takes.
        rounds: runs a side, A B B A.
        drift: deviation from round to round, the same for both sides of one.
        new_noise: times the noise that the new build has.
        heavy: noise with tails: Student's t of 4 degrees of freedom.
        learned: from how many runs of equal builds a noise floor was learned; 0: there is none.
    """

    noise: float
    slower: float = 1.0
    rounds: int = 5
    drift: float = 0.0
    new_noise: float = 1.0
    heavy: bool = False
    learned: int = 0

    def compared(self, rng: np.random.Generator) -> Comparison:
        """One comparison of two builds in it."""
        settings = CompareSettings(floor=self._floor(rng) if self.learned else None)
        drifts = rng.normal(0.0, self.drift, self.rounds) if self.drift else np.zeros(self.rounds)
        moved = float(np.log(self.slower))
        base = [self._run(rng, drift, 2 * n + n % 2) for n, drift in enumerate(drifts)]
        new = [
            self._run(rng, drift, 2 * n + (n + 1) % 2, moved, self.new_noise)
            for n, drift in enumerate(drifts)
        ]
        return compared(base, new, (), settings)

    def _floor(self, rng: np.random.Generator) -> NoiseFloor:
        half = self.learned // 2
        sides = [[self._run(rng, 0.0, 2 * n + side) for n in range(half)] for side in (0, 1)]
        return floor_of(compared(*sides, (), CompareSettings()), "before")

    def _run(
        self, rng: np.random.Generator, drift: float, minute: int, moved: float = 0.0, more: float = 1.0
    ) -> ComparedRun:
        """One run, which begins at that minute: A B B A …"""
        draw = (lambda size: rng.standard_t(4, size) / np.sqrt(2)) if self.heavy else rng.standard_normal
        common = moved + drift + self.noise * more * draw(1)[0]
        own = OWN_SHARE * self.noise * more * draw(3)
        numbers = dict(zip(_DURATIONS, np.exp(common + own) * (1.0, 0.95, 1.6), strict=True))
        failed = rng.binomial(REQUESTS, ERROR_RATE)
        values = [
            *(RunValue(n, Dimension.TIME, Better.LOWER, False, float(v)) for n, v in numbers.items()),
            RunValue(_JUDGED[3], Dimension.RATIO, Better.LOWER, True, failed / REQUESTS, requests=REQUESTS),
            RunValue(_JUDGED[4], Dimension.RATE, Better.HIGHER, False, float(np.exp(-common))),
        ]
        return ComparedRun(_facts(minute), {}, _JUDGED, {v.metric: v for v in values}, {}, _NO_CURVES, "", ())


def shares(world: World, times: int) -> dict[str, float]:
    """How often each verdict comes out."""
    rng = np.random.default_rng(7)
    found = Counter(world.compared(rng).verdict for _ in range(times))
    return {verdict: count / times for verdict, count in found.items()}


def _facts(minute: int) -> RunFacts:
    return RunFacts(
        folder="",
        suite="made",
        scenario="up",
        operation="generate",
        started_at=f"2026-01-01T{minute // 60:02}:{minute % 60:02}:00+00:00",
        duration_s=600.0,
        requests=REQUESTS,
        seed=0,
        salt=str(minute),
        time_scale=1.0,
        rehearsal=False,
        host="",
        workers=1,
        versions={},
        tested={},
    )
