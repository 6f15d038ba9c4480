"""What a mesh file holds: STL (binary, ASCII), OBJ, GLB or PLY, told apart by content, read by trimesh.

Nothing here trusts the file: sizes are checked before they are believed (`layout`), and whatever a
parser stumbles over becomes a `MeshError`. Parsing takes the interpreter lock for long, so a process
that generates load asks the `inspector` instead of calling `read_mesh` itself.
"""

from __future__ import annotations

import io
import warnings
from typing import Any

import numpy as np
import trimesh

from genload.artifacts.mesh.facts import MeshError, MeshFacts, Point
from genload.artifacts.mesh.layout import stl_without_trailer, tell_format

MAX_BYTES = 1 << 30
"""The largest file that is looked into; an answer larger than `service.max_answer` never gets here."""


def read_mesh(content: bytes, hint: str = "") -> MeshFacts:
    """Look into a mesh file.

    Args:
        hint: the format that its name claims, "" if none; used only to name what cannot be read.

    Raises:
        MeshError: for anything that is not a mesh with at least one triangle, an extent and only finite
            vertices. An OBJ cut off between two lines is not noticed: nothing in it says where it ends.
    """
    if len(content) > MAX_BYTES:
        raise MeshError("too_large", f"{len(content)} bytes, more than the {MAX_BYTES} that are looked into")
    form, claimed = tell_format(content, hint)
    parts = _parse(stl_without_trailer(content) if form == "stl" else content, form)
    faces = sum(len(part.faces) for part in parts)
    if faces == 0:
        raise MeshError("empty_mesh", f"the {form} holds no triangle that can be read")
    if faces < claimed:
        raise MeshError("not_a_mesh", f"the {form} claims {claimed} faces, {faces} can be read")
    for part in parts:
        _check_part(part)
    low = np.min([part.vertices.min(axis=0) for part in parts], axis=0)
    high = np.max([part.vertices.max(axis=0) for part in parts], axis=0)
    if not (high - low).any():
        raise MeshError("empty_mesh", f"all vertices of the {form} are at one point")
    with np.errstate(all="ignore"):  # coordinates too large to be compared stay unmerged
        for part in parts:
            part.merge_vertices(merge_tex=True, merge_norm=True)
    return MeshFacts(
        format=form.removesuffix("_ascii"),
        faces=faces,
        vertices=sum(len(part.vertices) for part in parts),
        finite=True,
        low=_point(low),
        high=_point(high),
        watertight=all(bool(part.is_watertight) for part in parts),
        is_box=len(parts) == 1 and _is_box(parts[0], low, high),
    )


def _parse(content: bytes, form: str) -> list[Any]:
    """The triangle meshes in a file, unprocessed: cleaning would hide a NaN."""
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            scene = trimesh.load_scene(
                io.BytesIO(content), file_type=form, process=False, skip_materials=True, allow_remote=False
            )
        return [part for part in scene.geometry.values() if isinstance(part, trimesh.Trimesh)]
    except MemoryError:
        raise MeshError("too_large", f"the {form} does not fit into the inspector's memory") from None
    except Exception as error:  # noqa: BLE001  a parser's bug met by a service's bytes is the bytes' fault
        raise MeshError(
            "not_a_mesh", f"the {form} cannot be read: {type(error).__name__} {str(error)[:200]}"
        ) from None


def _check_part(part: Any) -> None:
    """Finite vertices, and faces that refer to them."""
    if part.vertices.ndim != 2 or part.vertices.shape[1] != 3:
        raise MeshError("not_a_mesh", "the vertices are not points in space")
    if len(part.faces) == 0:
        raise MeshError("empty_mesh", "a part of the mesh has no triangle")
    if part.faces.min() < 0 or part.faces.max() >= len(part.vertices):
        raise MeshError("not_a_mesh", "a face refers to a vertex that is not there")
    if not np.isfinite(part.vertices).all():
        bad = int((~np.isfinite(part.vertices)).any(axis=1).sum())
        raise MeshError("nan_vertices", f"{bad} of {len(part.vertices)} vertices are NaN or infinite")


def _is_box(part: Any, low: Any, high: Any) -> bool:
    if len(part.faces) != 12 or len(part.vertices) != 8 or not (high > low).all():
        return False
    return bool(((part.vertices == low) | (part.vertices == high)).all())


def _point(values: Any) -> Point:
    x, y, z = (float(value) for value in values)
    return x, y, z
