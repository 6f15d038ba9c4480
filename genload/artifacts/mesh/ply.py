"""PLY: a text header that declares elements, then their rows, as text or as numbers of fixed size.

A text body is turned into 8-byte numbers first, so that one reader serves both. Rows of faces may differ in
length: where all are alike they are read as one array, else row by row.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from struct import Struct

import numpy as np
from numpy.typing import NDArray

from genload.artifacts.mesh.facts import MeshError
from genload.artifacts.mesh.surface import Surface, of_fan, of_strip

_TYPES = {
    **dict.fromkeys(("char", "int8"), "i1"),
    **dict.fromkeys(("uchar", "uint8"), "u1"),
    **dict.fromkeys(("short", "int16"), "i2"),
    **dict.fromkeys(("ushort", "uint16"), "u2"),
    **dict.fromkeys(("int", "int32"), "i4"),
    **dict.fromkeys(("uint", "uint32"), "u4"),
    **dict.fromkeys(("float", "float32"), "f4"),
    **dict.fromkeys(("double", "float64"), "f8"),
    "float16": "f2",
    "int64": "i8",
    "uint64": "u8",
}
_ORDERS = {"binary_little_endian": "<", "binary_big_endian": ">"}
_STRUCT_CODES = dict(
    zip(("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8"), "bBhHiIqQefd", strict=True)
)
_STRIP_ENDS = -1

_Corners = NDArray[np.int64]
_Found = NDArray[np.float64] | list[_Corners]


@dataclass(frozen=True)
class _Property:
    name: str
    type: np.dtype[np.generic]
    count_type: np.dtype[np.generic] | None = None  # of a list: what its length is written in

    @property
    def least_bytes(self) -> int:
        return (self.count_type or self.type).itemsize

    @property
    def count_struct(self) -> Struct | None:
        """Reads the length of a list; None for a property that is no list."""
        if self.count_type is None:
            return None
        kind = self.count_type.str
        return Struct((">" if kind[0] == ">" else "<") + _STRUCT_CODES[kind[1:]])


@dataclass
class _Element:
    name: str
    count: int
    properties: list[_Property] = field(default_factory=list)

    @property
    def is_table(self) -> bool:
        """Whether all rows are equally long."""
        return all(each.count_type is None for each in self.properties)

    def row_type(self, lengths: list[int]) -> np.dtype[np.void]:
        """A row whose lists have these lengths."""
        left = iter(lengths)
        fields: list[tuple[str, object] | tuple[str, object, int]] = []
        for number, each in enumerate(self.properties):
            if each.count_type is None:
                fields.append((f"{number}", each.type))
            else:
                fields += [(f"{number} count", each.count_type), (f"{number}", each.type, next(left))]
        return np.dtype(fields)


def read_ply(content: bytes) -> list[Surface]:
    """The mesh in a PLY.

    Raises:
        MeshError: cut off, contradicting itself, or without faces.
    """
    end = re.search(rb"^end_header[ \t]*(?:\r\n|\r|\n)", content, re.MULTILINE) or re.search(
        rb"\rend_header[ \t]*\r", content
    )
    if not end:
        raise MeshError("truncated", "the PLY's header has no end")
    lines = content[: end.start()].decode("latin-1").splitlines()
    try:
        order, elements = _header(lines)
    except (ValueError, KeyError, IndexError) as error:
        raise MeshError("not_a_mesh", f"the PLY's header cannot be read: {error}") from None
    body: memoryview = memoryview(content)[end.end() :]
    faces = {each.name: each.count for each in elements if each.name in ("face", "tristrips")}
    if not any(faces.values()):
        raise MeshError("empty_mesh", "the PLY declares no face")
    declared = sum(each.count * sum(p.least_bytes for p in each.properties) for each in elements)
    if order:
        _require(declared, len(body))
    else:
        _require(sum(each.count for each in elements), len(body))
        body = _numbers(bytes(body))
    return [_surface(_rows(body, elements), faces.get("face", 0))]


def _require(declared: int, there: int) -> None:
    if declared > there:
        raise MeshError("truncated", f"the PLY's header declares more than the {there} bytes behind it")


def _header(lines: list[str]) -> tuple[str, list[_Element]]:
    """The byte order, "" for text; the elements in their order."""
    order = ""
    elements: list[_Element] = []
    for words in map(str.split, lines):
        if words[:1] == ["format"]:
            order = "" if words[1] == "ascii" else _ORDERS[words[1]]
        elif words[:1] == ["element"]:
            if int(words[2]) < 0 or words[1] in {each.name for each in elements}:
                raise ValueError(f"element {words[1]} {words[2]}")
            elements.append(_Element(words[1], int(words[2])))
        elif words[:1] == ["property"]:
            types = [
                np.dtype(order + _TYPES[word] if order else "f8") for word in words[1:-1] if word != "list"
            ]
            of_list = words[1] == "list"
            elements[-1].properties.append(_Property(words[-1], types[-1], types[0] if of_list else None))
    return order, elements


def _numbers(text: bytes) -> memoryview:
    """A text body as 8-byte numbers. The last word may be half of one: it is left out, and then missing."""
    words = text.split()
    for some in (words, words[:-1]):
        try:
            return memoryview(np.array(some, dtype=np.float64).tobytes())
        except ValueError:
            continue
    raise MeshError("not_a_mesh", "the PLY has rows that are no numbers")


def _rows(body: memoryview, elements: list[_Element]) -> dict[str, _Found]:
    """By element: the vertices' points, and the lists of faces and strips."""
    found: dict[str, _Found] = {}
    at = 0
    for element in elements:
        if element.is_table:
            row_type = element.row_type([])
            _require(at + element.count * row_type.itemsize, len(body))
            if element.name == "vertex":
                found["vertex"] = _points(np.frombuffer(body, row_type, element.count, at), element)
            at += element.count * row_type.itemsize
        else:
            found[element.name], at = _lists(body, at, element)
    return found


def _points(rows: NDArray[np.void], element: _Element) -> NDArray[np.float64]:
    columns = {each.name: number for number, each in enumerate(element.properties)}
    if not {"x", "y", "z"} <= columns.keys():
        raise MeshError("not_a_mesh", "the PLY's vertices have no x, y and z")
    return np.stack([rows[f"{columns[axis]}"].astype(np.float64) for axis in "xyz"], axis=1)


def _lists(body: memoryview, at: int, element: _Element) -> tuple[list[_Corners], int]:
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

    def __init__(self, body: memoryview, at: int, element: _Element) -> None:
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
            _require(at + count.size, len(self._body))
            (length,) = count.unpack_from(self._body, at)
            if not 0 <= length <= len(self._body) or length != int(length):
                raise MeshError("not_a_mesh", f"the PLY has a list of {length:g} entries")
            at += count.size
            self.begins[len(lengths)].setdefault(int(length), []).append(at)
            lengths.append(int(length))
            at += int(length) * size
        _require(at, len(self._body))
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
