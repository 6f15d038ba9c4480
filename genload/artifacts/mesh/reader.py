"""What a mesh file holds: STL (binary, ASCII), OBJ, glTF, GLB or PLY, told apart by content.

OBJ is read by trimesh. The other formats have readers here: trimesh's drop or refuse what is valid in them
(docs/meshes.md).

Nothing here trusts the file: sizes are checked before they are believed, and whatever a parser stumbles over
becomes a `MeshError`. Parsing takes the interpreter lock for long, so a process that generates load asks the
`inspector` instead of calling `read_mesh` itself.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from genload.artifacts.mesh.facts import MeshError, MeshFacts, Point
from genload.artifacts.mesh.gltf import read_gltf
from genload.artifacts.mesh.layout import is_text, tell_format, with_plain_lines
from genload.artifacts.mesh.obj import with_absolute_indices
from genload.artifacts.mesh.ply import read_ply
from genload.artifacts.mesh.stl import read_ascii_stl, read_binary_stl
from genload.artifacts.mesh.surface import Surface, is_closed, joined

MAX_BYTES = 1 << 30
"""The largest file that is looked into; an answer larger than `service.max_answer` never gets here."""

BOX_TOLERANCE = 1e-4
"""How far off the corners of its bounding box a box may be, in parts of its largest side."""

_LOOKED_AT_FIRST = 256
_NO_AREA = 1e-10  # of the square of the diagonal: what rounding makes of triangles without any


def read_mesh(content: bytes, hint: str = "") -> MeshFacts:
    """Look into a mesh file.

    Args:
        hint: the format that its name claims, "" if none; used only to name what cannot be read.

    Raises:
        MeshError: for anything that is not a mesh with at least one triangle that has an area, and only
            finite vertices; ``cannot_inspect`` for one that seems valid and that nothing installed reads. An
            OBJ cut off between two lines is not noticed: nothing in it says where it ends.
    """
    if len(content) > MAX_BYTES:
        raise MeshError("too_large", f"{len(content)} bytes, more than the {MAX_BYTES} that are looked into")
    form, parts = _parsed(content, hint)
    faces = sum(len(part.triangles) for part in parts)
    if faces == 0:
        raise MeshError("empty_mesh", f"the {form} draws no triangle")
    for part in parts:
        _check_part(part)
    axes = [np.ascontiguousarray(part.points.T) for part in parts]  # of which numpy finds the ends at once
    low = np.min([axis.min(axis=1) for axis in axes], axis=0)
    high = np.max([axis.max(axis=1) for axis in axes], axis=0)
    drawn = [part for part in parts if len(part.triangles)]
    if not _has_area(drawn, low, high):
        raise MeshError("empty_mesh", f"no triangle of the {form} has an area")
    whole = joined(_as_one(drawn))
    return MeshFacts(
        format=form.removesuffix("_ascii"),
        faces=faces,
        vertices=whole.vertices,
        low=_point(low),
        high=_point(high),
        watertight=is_closed(whole.corners)
        or (len(drawn) > 1 and all(is_closed(joined(part).corners) for part in drawn)),
        is_box=_is_box(drawn, low, high),
    )


def surfaces(content: bytes, hint: str = "") -> list[Surface]:
    """What a mesh file draws, as it stands: its numbers are not checked.

    Raises:
        MeshError: it cannot be read.
    """
    return _parsed(content, hint)[1]


def _parsed(content: bytes, hint: str) -> tuple[str, list[Surface]]:
    """The format, and the surfaces in it as they stand: cleaning would hide a NaN."""
    if not content.startswith((b"glTF", b"ply")) and is_text(content):
        content = with_plain_lines(content)
    form, claimed = tell_format(content, hint)
    try:
        parts = READERS[form](content)
    except MemoryError:
        raise MeshError("too_large", f"the {form} does not fit into the inspector's memory") from None
    faces = sum(len(part.triangles) for part in parts)
    if 0 < faces < claimed:
        raise MeshError("not_a_mesh", f"the {form} claims {claimed} faces, {faces} can be read")
    return form, parts


def _read_obj(content: bytes) -> list[Surface]:
    import trimesh  # 60 MB that no other format needs

    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            scene = trimesh.load_scene(
                io.BytesIO(with_absolute_indices(content)),
                file_type="obj",
                process=False,
                skip_materials=True,
                allow_remote=False,
            )
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001  a parser's bug met by a service's bytes is the bytes' fault
        words = f"{type(error).__name__} {str(error)[:200]}"
        raise MeshError("not_a_mesh", f"the obj cannot be read: {words}") from None
    found = [part for part in scene.geometry.values() if isinstance(part, trimesh.Trimesh)]
    return [Surface(np.asarray(part.vertices), np.asarray(part.faces, np.int64)) for part in found]


READERS: dict[str, Callable[[bytes], list[Surface]]] = {
    "glb": read_gltf,
    "gltf": read_gltf,
    "obj": _read_obj,
    "ply": read_ply,
    "stl": lambda content: [read_binary_stl(content)],
    "stl_ascii": lambda content: [read_ascii_stl(content)],
}


def _check_part(part: Surface) -> None:
    """Finite points, and triangles that refer to them."""
    if part.points.ndim != 2 or part.points.shape[1] != 3:
        raise MeshError("not_a_mesh", "the vertices are not points in space")
    if len(part.points) == 0:
        raise MeshError("empty_mesh", "a part of the mesh has no vertices")
    if len(part.triangles) and (part.triangles.min() < 0 or part.triangles.max() >= len(part.points)):
        raise MeshError("not_a_mesh", "a face refers to a vertex that is not there")
    if not np.isfinite(part.points).all():
        bad = int((~np.isfinite(part.points)).any(axis=1).sum())
        raise MeshError("nan_vertices", f"{bad} of {len(part.points)} vertices are NaN or infinite")


def _has_area(parts: list[Surface], low: Any, high: Any) -> bool:
    """Whether some triangle has one; the first few tell, but for a mesh that has hardly any."""
    with np.errstate(all="ignore"):  # coordinates too large to be multiplied have an area
        least = _NO_AREA * float(((high - low) ** 2).sum())
        for part in parts:
            first = part.triangles[:_LOOKED_AT_FIRST]
            for some in (first, part.triangles) if len(first) < len(part.triangles) else (first,):
                a, b, c = (part.points[some[:, corner]] for corner in range(3))
                twice = np.linalg.norm(np.cross(b - a, c - a), axis=1)
                if not (twice <= 2 * least).all():
                    return True
    return False


def _as_one(parts: list[Surface]) -> Surface:
    if len(parts) == 1:
        return parts[0]
    begins = np.cumsum([0, *(len(part.points) for part in parts[:-1])])
    triangles = [part.triangles + begin for part, begin in zip(parts, begins, strict=True)]
    return Surface(np.concatenate([part.points for part in parts]), np.concatenate(triangles))


def _is_box(parts: list[Surface], low: Any, high: Any) -> bool:
    """12 triangles, each on one side of the bounding box, and together on all eight corners."""
    box = _as_one(parts) if sum(len(part.triangles) for part in parts) == 12 else None
    sides = high - low
    if box is None or not (sides > BOX_TOLERANCE * sides.max()).all():
        return False
    used = box.points[box.triangles].reshape(-1, 3)
    far = np.abs(used - low) > np.abs(used - high)
    if np.abs(used - np.where(far, high, low)).max() > BOX_TOLERANCE * sides.max():
        return False
    corners = far.reshape(12, 3, 3)
    on_a_side = (corners == corners[:, :1]).all(axis=1).any(axis=1)
    return bool(on_a_side.all()) and len(np.unique(far, axis=0)) == 8


def _point(values: Any) -> Point:
    x, y, z = (float(value) for value in values)
    return x, y, z
