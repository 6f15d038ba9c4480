"""From a picture to a mesh: the brightness of the image as the height of a closed relief."""

from __future__ import annotations

import io
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import trimesh
from PIL import Image

FORMATS = ("stl", "obj", "glb", "ply")
DEFAULT_DIMENSIONS_MM: Mapping[str, int] = {"width": 100, "height": 100, "depth": 20}


def make_relief(
    image: bytes,
    *,
    file_format: str,
    quality: int,
    dimensions_mm: Mapping[str, int],
    nan_vertices: bool = False,
) -> bytes:
    """A watertight relief of the image as a mesh file.

    Args:
        file_format: one of `FORMATS`.
        quality: 1..10, the fineness: 24 to 60 points a side; ORFEAS's default of 7 gives 48 × 48.
        dimensions_mm: width, height, depth of the bounding box.
        nan_vertices: let some vertices be no numbers.

    Raises:
        OSError: the image cannot be decoded.
    """
    points = 20 + 4 * quality
    with Image.open(io.BytesIO(image)) as picture:
        grey = picture.convert("L").resize((points, points), Image.Resampling.BILINEAR)
    heights = np.asarray(grey, dtype=np.float64) / 255.0
    vertices = _vertices(heights, dimensions_mm)
    if nan_vertices:
        vertices[: points * points : 97] = np.nan
    return _export(trimesh.Trimesh(vertices, _faces(points), process=False), file_format)


def make_cube(*, file_format: str, dimensions_mm: Mapping[str, int]) -> bytes:
    """The placeholder that a real ORFEAS silently hands out when its model has failed: 12 triangles."""
    cube = trimesh.creation.box([dimensions_mm[side] for side in ("width", "height", "depth")])
    return _export(cube, file_format)


def make_empty(*, file_format: str) -> bytes:
    """A mesh file that is well formed and holds vertices, but no triangle."""
    vertices, no_faces = np.eye(3), np.empty((0, 3), dtype=np.int64)
    return _export(trimesh.Trimesh(vertices, no_faces, process=False), file_format)


def plain_image() -> bytes:
    """A picture to make a mesh of where none was sent: a gradient."""
    image = io.BytesIO()
    Image.linear_gradient("L").save(image, "PNG")
    return image.getvalue()


def _export(mesh: Any, file_format: str) -> bytes:
    content = mesh.export(file_type=file_format)
    # A Trimesh refers to itself through its helpers: its arrays would wait for the garbage collector,
    # and the service's memory would creep with the number of jobs.
    vars(mesh).clear()
    return content.encode() if isinstance(content, str) else bytes(content)


def _vertices(heights: npt.NDArray[np.float64], dimensions_mm: Mapping[str, int]) -> npt.NDArray[np.float64]:
    """The surface row by row, then the rim on the ground, then the middle of the ground.

    A fifth of the depth is solid ground under the darkest point, so that no wall has zero height.
    """
    points = len(heights)
    width, height, depth = (float(dimensions_mm[side]) for side in ("width", "height", "depth"))
    x, y = np.meshgrid(np.linspace(0, width, points), np.linspace(height, 0, points))
    surface = np.column_stack([x.ravel(), y.ravel(), depth * (0.2 + 0.8 * heights.ravel())])
    rim = surface[_rim(points)] * (1, 1, 0)
    return np.vstack([surface, rim, [[width / 2, height / 2, 0.0]]])


@lru_cache(maxsize=10)
def _faces(points: int) -> npt.NDArray[np.int64]:
    """Triangles of `_vertices`, wound counter-clockwise as seen from outside; the same for every image."""
    index = np.arange(points * points).reshape(points, points)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]
    surface = np.concatenate([np.stack([a, c, b], -1).reshape(-1, 3), np.stack([b, c, d], -1).reshape(-1, 3)])
    top = _rim(points)
    ground = points * points + np.arange(len(top))
    next_top, next_ground = np.roll(top, -1), np.roll(ground, -1)
    middle = np.full_like(ground, points * points + len(top))
    walls = [np.column_stack([top, next_top, ground]), np.column_stack([next_top, next_ground, ground])]
    floor = np.column_stack([middle, ground, next_ground])
    faces: npt.NDArray[np.int64] = np.concatenate([surface, *walls, floor])
    faces.setflags(write=False)
    return faces


@lru_cache(maxsize=10)
def _rim(points: int) -> npt.NDArray[np.int64]:
    """Indices of the surface's border, clockwise as seen from above, each once."""
    index = np.arange(points * points).reshape(points, points)
    return np.concatenate([index[0, :-1], index[:-1, -1], index[-1, :0:-1], index[:0:-1, 0]])
