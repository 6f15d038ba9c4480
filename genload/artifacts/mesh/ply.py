"""The mesh in a PLY.

Rows of faces may differ in length: where all are alike they are read as one array, else row by row.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from genload.artifacts.mesh.facts import MeshError
from genload.artifacts.mesh.ply_layout import Element, read_layout, require
from genload.artifacts.mesh.surface import Surface, of_fan, of_strip

_STRIP_ENDS = -1

_Corners = NDArray[np.int64]
_Found = NDArray[np.float64] | list[_Corners]


def read_ply(content: bytes) -> list[Surface]:
    """The mesh in a PLY.

    Raises:
        MeshError: cut off, contradicting itself, or without faces.
    """
    elements, body = read_layout(content)
    faces = {each.name: each.count for each in elements if each.name in ("face", "tristrips")}
    if not any(faces.values()):
        raise MeshError("empty_mesh", "the PLY declares no face")
    return [_surface(_rows(body, elements), faces.get("face", 0))]


def _rows(body: memoryview, elements: list[Element]) -> dict[str, _Found]:
    """By element: the vertices' points, and the lists of faces and strips."""
    found: dict[str, _Found] = {}
    at = 0
    for element in elements:
        if element.is_table:
            row_type = element.row_type([])
            require(at + element.count * row_type.itemsize, len(body))
            if element.name == "vertex":
                found["vertex"] = _points(np.frombuffer(body, row_type, element.count, at), element)
            at += element.count * row_type.itemsize
        else:
            found[element.name], at = _lists(body, at, element)
    return found


def _points(rows: NDArray[np.void], element: Element) -> NDArray[np.float64]:
    columns = {each.name: number for number, each in enumerate(element.properties)}
    if not {"x", "y", "z"} <= columns.keys():
        raise MeshError("not_a_mesh", "the PLY's vertices have no x, y and z")
    return np.stack([rows[f"{columns[axis]}"].astype(np.float64) for axis in "xyz"], axis=1)


def _lists(body: memoryview, at: int, element: Element) -> tuple[list[_Corners], int]:
    """One element's lists of corners, in arrays (n, k) of those that are equally long, and where the next
    element begins."""
    of_lists = [n for n, each in enumerate(element.properties) if each.count_type is not None]
    named = [n for n in of_lists if element.properties[n].name.startswith("vertex_ind")]
    wanted = (named or of_lists)[0]
    if element.count == 0:
        return [], at
    lengths = _Walk(body, at, element).row()
    row_type = element.row_type(lengths)
    end = at + element.count * row_type.itemsize
    if end <= len(body):
        rows = np.frombuffer(body, row_type, element.count, at)
        if all((rows[f"{n} count"] == length).all() for n, length in zip(of_lists, lengths, strict=True)):
            return [rows[f"{wanted}"].reshape(element.count, -1).astype(np.int64)], end
    walk = _Walk(body, at, element)
    for _ in range(element.count):
        walk.row()
    kind = element.properties[wanted].type
    begins = walk.begins[of_lists.index(wanted)]
    return [_gathered(body, found, length, kind) for length, found in begins.items()], walk.at


class _Walk:
    """Goes from row to row where their lengths differ.

    Attributes:
        at: where the next row begins.
        begins: of each property that is a list, in their order: by length, where its lists begin.
    """

    def __init__(self, body: memoryview, at: int, element: Element) -> None:
        self._body, self.at = body, at
        self._steps = [(each.type.itemsize, each.count_struct) for each in element.properties]
        self.begins: list[dict[int, list[int]]] = [{} for _, count in self._steps if count is not None]

    def row(self) -> list[int]:
        """Go over one row: the lengths of its lists."""
        at = self.at
        lengths: list[int] = []
        for size, count in self._steps:
            if count is None:
                at += size
                continue
            require(at + count.size, len(self._body))
            (length,) = count.unpack_from(self._body, at)
            if not 0 <= length <= len(self._body) or length != int(length):
                raise MeshError("not_a_mesh", f"the PLY has a list of {length:g} entries")
            at += count.size
            self.begins[len(lengths)].setdefault(int(length), []).append(at)
            lengths.append(int(length))
            at += int(length) * size
        require(at, len(self._body))
        self.at = at
        return lengths


def _gathered(body: memoryview, begins: list[int], length: int, kind: np.dtype[np.generic]) -> _Corners:
    """Lists of one length, wherever they begin: (n, length)."""
    places = np.array(begins)[:, None] + np.arange(length * kind.itemsize)
    found = np.frombuffer(body, np.uint8)[places].reshape(len(begins), -1)
    return found.view(kind).reshape(len(begins), length).astype(np.int64)


def _surface(found: dict[str, _Found], claimed: int) -> Surface:
    points = found.get("vertex")
    if not isinstance(points, np.ndarray):
        raise MeshError("not_a_mesh", "the PLY has faces and no vertices")
    triangles = [np.empty((0, 3), np.int64)]
    triangles += [of_fan(group) for group in found.get("face", ()) if group.shape[1] >= 3]
    for group in found.get("tristrips", ()):
        for strip in group:
            ends = np.flatnonzero(strip == _STRIP_ENDS)
            triangles += [of_strip(part[part != _STRIP_ENDS]) for part in np.split(strip, ends)]
    whole = np.concatenate(triangles)
    if len(whole) < claimed:
        raise MeshError("not_a_mesh", f"the PLY claims {claimed} faces, {len(whole)} can be read")
    return Surface(points, whole)
