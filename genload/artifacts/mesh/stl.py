"""STL: triangles with their corners, as 50 bytes each or in words; the lines of the words do not matter."""

from __future__ import annotations

import re

import numpy as np

from genload.artifacts.mesh.facts import MeshError
from genload.artifacts.mesh.layout import STL_HEADER_BYTES, STL_TRIANGLE_BYTES, stl_triangles
from genload.artifacts.mesh.surface import Surface

_NUMBER = rb"\s+([-+.\dni]\S*)"  # "nan" and "inf" are numbers, too; a solid may be called "vertex"
_VERTEX = re.compile(rb"\bvertex" + 3 * _NUMBER, re.IGNORECASE)


def read_binary_stl(content: bytes) -> Surface:
    """The triangles of a binary STL whose length has been checked; what follows the last is left alone."""
    count = stl_triangles(content)
    rows = np.frombuffer(content, np.uint8, count * STL_TRIANGLE_BYTES, STL_HEADER_BYTES)
    corners = rows.reshape(count, STL_TRIANGLE_BYTES)[:, 12:48].copy().view("<f4")
    return _of_corners(corners.reshape(-1, 3).astype(np.float64))


def read_ascii_stl(content: bytes) -> Surface:
    """The triangles of an ASCII STL.

    Raises:
        MeshError: a corner is not three numbers, or a facet has not three corners.
    """
    found = _VERTEX.findall(content)
    if len(found) % 3:
        raise MeshError(
            "not_a_mesh", f"the ASCII STL has {len(found)} corners, which is no multiple of three"
        )
    try:
        corners = np.array(found, dtype=np.bytes_).reshape(-1, 3).astype(np.float64)
    except ValueError as error:
        raise MeshError("not_a_mesh", f"the ASCII STL has a corner that is no number: {error}") from None
    return _of_corners(corners)


def _of_corners(points: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Surface:
    """A surface of three points a triangle, none shared."""
    return Surface(points, np.arange(len(points)).reshape(-1, 3))
