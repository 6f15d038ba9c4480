"""A run's durations as two curves, short enough to be kept of many runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf

import numpy as np

from genload.analysis.evidence.estimate import FloatArray
from genload.analysis.evidence.percentiles import percentile, percentiles
from genload.analysis.read_run import ReadRun

LEVELS = (*map(float, range(1, 100)), 99.5, 99.9)
"""Percentiles of the first curve."""

PARTS = 60
"""Equal parts of the load, of the second."""


@dataclass(frozen=True)
class Curves:
    """Seconds.

    Attributes:
        quantiles: of every attempt, at each of `LEVELS`; failed ones are infinitely slow.
        medians: of what began in each of the `PARTS` of the load; NaN where nothing did.
    """

    quantiles: FloatArray
    medians: FloatArray


def curves_of(run: ReadRun) -> Curves:
    """Of a run's measured requests."""
    table, load = run.intake.measured, run.load
    if load is None or not len(table):
        return Curves(np.full(len(LEVELS), np.nan), np.full(PARTS, np.nan))
    durations_s = np.where(table.ok, table.duration_s, inf)
    length_s = max(load.duration_s, 1e-9)
    edges = np.searchsorted(table.start_s, load.start_s + length_s * np.arange(PARTS + 1) / PARTS)
    medians = [
        np.nan if found is None else found
        for found in (percentile(durations_s[begin:end], 50) for begin, end in pairwise(edges.tolist()))
    ]
    return Curves(np.array(percentiles(durations_s, LEVELS)), np.array(medians))


def together(curves: Sequence[FloatArray]) -> FloatArray:
    """The mean of several runs' curves, where they have one; infinite where one of them is."""
    rows = np.array(curves)
    there = ~np.isnan(rows)
    count = there.sum(axis=0)
    total = np.where(there, rows, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
