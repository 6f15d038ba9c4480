"""Fewer points of many, chosen so that a picture of them shows the same."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from genload.reporting.page.path import Floats

Rows = npt.NDArray[np.intp]


def of_a_line(times_s: Floats, values: Floats, most: int) -> Rows:
    """Which samples, in order, show a line: of each stretch of time its first, last, lowest and highest.

    Args:
        times_s: ascending.
        values: none of them NaN.
        most: at most about so many.
    """
    if len(times_s) <= most:
        return np.arange(len(times_s))
    first, last, *extremes = _of_stretches(times_s, values, most // 4)
    return np.unique(np.concatenate([first, last, *extremes]))


def of_a_cloud(times_s: Floats, values: Floats, most: int) -> Rows:
    """Which points, in order, show a cloud: the highest and the lowest of each stretch of time, and of all
    others every so many-th. Arguments as of `of_a_line`.
    """
    if len(times_s) <= most:
        return np.arange(len(times_s))
    _, _, *extremes = _of_stretches(times_s, values, most // 4)
    evenly = np.linspace(0, len(times_s) - 1, most // 2).astype(np.intp)
    return np.unique(np.concatenate([evenly, *extremes]))


def _of_stretches(times_s: Floats, values: Floats, count: int) -> tuple[Rows, Rows, Rows, Rows]:
    """Of each stretch of time the rows of its first, last, lowest and highest value."""
    first = np.flatnonzero(np.diff(_stretches(times_s, max(1, count)), prepend=-1))
    last = np.append(first[1:], len(times_s)) - 1
    lowest, highest = (
        np.flatnonzero(values == np.repeat(extreme.reduceat(values, first), last - first + 1))
        for extreme in (np.minimum, np.maximum)
    )
    # The first of several that are as low, and the last of those that are as high.
    return (
        first,
        last,
        lowest[np.searchsorted(lowest, first)],
        highest[np.searchsorted(highest, last, side="right") - 1],
    )


def _stretches(times_s: Floats, count: int) -> npt.NDArray[np.int64]:
    """Of `count` equally long stretches, which one each time lies in."""
    low, high = float(times_s[0]), float(times_s[-1])
    share = (times_s - low) / (high - low if high > low else 1.0)
    return np.minimum((share * count).astype(np.int64), count - 1)
