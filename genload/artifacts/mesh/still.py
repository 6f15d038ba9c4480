"""A picture of a mesh: ``python -m genload.artifacts.mesh.still FILE`` writes it to standard output, as PNG.

A program of its own, because the file comes from the service under test, and has failed at that: whoever
wants its picture starts this with a limit of time, and it limits its own memory.
"""

from __future__ import annotations

import io
import resource
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from genload.artifacts.mesh.facts import MeshError
from genload.artifacts.mesh.reader import surfaces
from genload.artifacts.mesh.surface import Surface

MOST_FACES = 20_000
SIZE = (320, 240)
_TWICE = 2  # drawn larger and reduced, for smooth edges
_MARGIN = 0.08
_AZIMUTH, _ELEVATION = np.radians(35.0), np.radians(25.0)
_LIGHT = np.array([0.3, -0.5, 0.81])
_DARK, _BRIGHT = np.array([38, 70, 104]), np.array([190, 214, 236])
_MEMORY_BYTES = 2 * 2**30


def still(content: bytes, hint: str = "") -> bytes:
    """A PNG of `SIZE` with a transparent ground: all faces, or the `MOST_FACES` largest of them.

    Raises:
        MeshError: there is no face to be drawn.
    """
    corners = np.concatenate([_corners(part) for part in surfaces(content, hint)])
    corners = corners[np.isfinite(corners).all(axis=(1, 2))]
    if not len(corners):
        raise MeshError("empty_mesh", "no face to be drawn")
    seen = corners @ _turned().T
    normals = np.cross(seen[:, 1] - seen[:, 0], seen[:, 2] - seen[:, 0])
    areas = np.linalg.norm(normals, axis=1)
    largest = np.argsort(areas, kind="stable")[-MOST_FACES:]
    seen, normals, areas = seen[largest], normals[largest], areas[largest]
    # Both sides of a face are lit: outputs of generators are often turned inside out.
    light = np.abs(normals @ _LIGHT) / np.where(areas > 0, areas, 1.0)
    colors = (_DARK + light[:, None] * (_BRIGHT - _DARK)).astype(int)
    return _painted(_on_canvas(seen[:, :, :2]), colors, np.argsort(seen[:, :, 2].mean(axis=1)))


def _corners(part: Surface) -> npt.NDArray[np.float64]:
    """The points of each face: (faces, 3, 3)."""
    inside = (part.triangles >= 0).all(axis=1) & (part.triangles < len(part.points)).all(axis=1)
    return part.points[part.triangles[inside]]


def _turned() -> npt.NDArray[np.float64]:
    """Rotation to a view from above and the side; afterwards x is right, y up, z towards the viewer."""
    cos, sin = np.cos(_AZIMUTH), np.sin(_AZIMUTH)
    about_up = np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
    cos, sin = np.cos(_ELEVATION), np.sin(_ELEVATION)
    return np.asarray(np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]]) @ about_up)


def _on_canvas(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Pixels, the drawing as large as the canvas lets it be; y goes down there."""
    low, high = points.min(axis=(0, 1)), points.max(axis=(0, 1))
    room = np.array(SIZE) * _TWICE * (1 - 2 * _MARGIN)
    scale = np.min(room / np.maximum(high - low, 1e-300))
    middle = np.array(SIZE) * _TWICE / 2
    return np.asarray((points - (low + high) / 2) * scale * [1, -1] + middle)


def _painted(
    pixels: npt.NDArray[np.float64], colors: npt.NDArray[np.int64], order: npt.NDArray[np.intp]
) -> bytes:
    """The faces one over another, the farthest first."""
    picture = Image.new("RGBA", (SIZE[0] * _TWICE, SIZE[1] * _TWICE))
    canvas = ImageDraw.Draw(picture)
    for row in order:
        canvas.polygon([(x, y) for x, y in pixels[row]], fill=(*colors[row].tolist(), 255))
    written = io.BytesIO()
    picture.resize(SIZE, Image.Resampling.BOX).quantize(32).save(written, "PNG", optimize=True)
    return written.getvalue()


def main() -> None:
    """Exit code 1 for what cannot be drawn."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    path = Path(sys.argv[1])
    try:
        picture = still(path.read_bytes(), path.suffix.lstrip("."))
    except (MeshError, MemoryError, ArithmeticError) as error:
        sys.exit(str(error))
    sys.stdout.buffer.write(picture)


if __name__ == "__main__":
    main()
