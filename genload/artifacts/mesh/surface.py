"""Triangles in space, as every reader here hands them over."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Surface(NamedTuple):
    """One part of a mesh.

    Attributes:
        points: (n, 3), float64, in the file's unit, where the part is drawn.
        triangles: (m, 3), indices of points; not checked.
    """

    points: NDArray[np.float64]
    triangles: NDArray[np.int64]


def is_closed(triangles: NDArray[np.int64]) -> bool:
    """Whether every edge belongs to exactly two triangles."""
    a, b, c = triangles.T
    one, other = np.concatenate((a, b, c)), np.concatenate((b, c, a))
    # An edge as one number: pairs take ten times as long to sort.
    edges = np.minimum(one, other) * (int(triangles.max(initial=0)) + 1) + np.maximum(one, other)
    edges.sort()
    first, second = edges[::2], edges[1::2]
    if not len(second) or len(first) != len(second):
        return False
    return bool((first == second).all() and (first[1:] != second[:-1]).all())


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
