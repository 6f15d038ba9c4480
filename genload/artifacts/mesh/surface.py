"""Triangles in space, as every reader here hands them over, and with their corners joined."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

STEPS = 1e8
"""Of a unit of the file: vertices are at the same position when they are at the same step of each axis."""

_ODD = np.array([0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB], np.uint64)
_HALF = np.uint64(32)


class Surface(NamedTuple):
    """One part of a mesh.

    Attributes:
        points: (n, 3), float64, in the file's unit, where the part is drawn.
        triangles: (m, 3), indices of points; not checked.
    """

    points: NDArray[np.float64]
    triangles: NDArray[np.int64]


class Joined(NamedTuple):
    """A surface whose vertices at the same position are one.

    Attributes:
        vertices: positions that its triangles use.
        corners: (m, 3): the position of each corner, as a number of its own.
    """

    vertices: int
    corners: NDArray[np.uint64]


def joined(surface: Surface) -> Joined:
    """The surface, each vertex named by its position: rounded to one of `STEPS`, where numbers of
    its size are as fine as that.
    """
    names = _names(surface.points)
    used = np.zeros(len(names), bool)
    used[surface.triangles] = True
    sorted_names = np.sort(names[used])
    vertices = int(np.count_nonzero(sorted_names[1:] != sorted_names[:-1])) + min(len(sorted_names), 1)
    return Joined(vertices, names[surface.triangles])


def is_closed(corners: NDArray[np.uint64]) -> bool:
    """Whether every edge belongs to exactly two triangles.

    Args:
        corners: as `Joined` has them.
    """
    a, b, c = corners.T
    one, other = np.concatenate((a, b, c)), np.concatenate((b, c, a))
    # An edge as one number: pairs take ten times as long to sort.
    edges = np.minimum(one, other) * _ODD[0] + np.maximum(one, other)
    edges.sort()
    first, second = edges[::2], edges[1::2]
    if not len(second) or len(first) != len(second):
        return False
    return bool((first == second).all() and (first[1:] != second[:-1]).all())


def _names(points: NDArray[np.float64]) -> NDArray[np.uint64]:
    """64 bits for each position, mixed from its three numbers: sorted in a tenth of the time that positions
    take. Of a million positions two have the same with a probability of 3e-8.
    """
    with np.errstate(over="ignore"):
        steps = np.rint(points * STEPS)
    if not np.isfinite(steps).all():
        steps = points
    words = np.add(steps.T, 0.0, order="C").view(np.uint64)  # so that −0 is 0
    names: NDArray[np.uint64] = words[0] * _ODD[0]
    for word, odd in zip(words[1:], _ODD[1:], strict=True):
        names ^= names >> _HALF
        names += word
        names *= odd
    names ^= names >> _HALF
    return names


def of_fan(corners: NDArray[np.int64]) -> NDArray[np.int64]:
    """Polygons of k corners, (n, k), each cut into triangles that share its first one: (n × (k − 2), 3)."""
    count = corners.shape[1] - 2
    if count == 1:
        return corners
    first = np.repeat(corners[:, :1], count, axis=1)
    return np.stack((first, corners[:, 1:-1], corners[:, 2:]), axis=2).reshape(-1, 3)


def of_strip(corners: NDArray[np.int64]) -> NDArray[np.int64]:
    """The triangles of a strip of k corners, (k,): each from the third on makes one with the two before it.

    Every other triangle is turned round, so that all show the same side. What joins two strips (a corner
    that comes twice) has no area and is left out.
    """
    if len(corners) < 3:
        return np.empty((0, 3), np.int64)
    triangles = np.stack((corners[:-2], corners[1:-1], corners[2:]), axis=1)
    triangles[1::2, :2] = triangles[1::2, 1::-1]
    a, b, c = triangles.T
    whole: NDArray[np.int64] = triangles[(a != b) & (b != c) & (a != c)]
    return whole
