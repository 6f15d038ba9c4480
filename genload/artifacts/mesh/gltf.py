"""What a glTF draws: the triangles of its default scene, where its nodes put them.

trimesh is not asked: its reader drops sparse replacements and adds up the meshes of every scene.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from genload.artifacts.mesh.facts import MeshError
from genload.artifacts.mesh.gltf_layout import (
    COMPONENT_TYPES,
    COMPONENTS,
    TRIANGLE_FAN,
    TRIANGLE_STRIP,
    TRIANGLES,
    Accessor,
    Document,
    Gltf,
    Node,
    Packed,
    Primitive,
    SparsePart,
    read_document,
)
from genload.artifacts.mesh.surface import Surface, of_strip
from genload.errors import CANNOT_INSPECT

Matrix = NDArray[np.float64]
Decoder = Callable[..., Any]

_MODES = (TRIANGLES, TRIANGLE_STRIP, TRIANGLE_FAN)
# A file may place one mesh a million times; each place is worked out for the extents.
_MOST_PLACED_POINTS = 50_000_000


def read_gltf(content: bytes) -> list[Surface]:
    """The surfaces that the default scene draws. A mesh that several nodes place is there once with its
    triangles; of its other places there are the points alone.

    Raises:
        MeshError: as `read_document`; ``cannot_inspect`` for data compressed in a way that nothing installed
            reads, with the ``faces`` and ``vertices`` that the JSON tells.
    """
    document = read_document(content)
    try:
        return list(_Drawing(document).surfaces())
    except (KeyError, IndexError, msgspec.ValidationError) as error:
        text = f"the glTF contradicts itself: {type(error).__name__} {error}"
        raise MeshError("not_a_mesh", text) from None


@cache
def decoder(module: str, name: str) -> Decoder | None:
    """An optional library's function; None where it is not installed."""
    try:
        found: Decoder = getattr(import_module(module), name)
    except ImportError:
        return None
    return found


class _Drawing:
    """Reads one document."""

    def __init__(self, document: Document) -> None:
        self._gltf, self._buffers = document.gltf, document.buffers
        self._unpacked: dict[int, memoryview] = {}

    def surfaces(self) -> Iterator[Surface]:
        places: dict[int, list[Matrix]] = {}
        for mesh, matrix in placed_meshes(self._gltf):
            places.setdefault(mesh, []).append(matrix)
        self._require_readable(list(places))
        points_left = _MOST_PLACED_POINTS
        for mesh, matrices in places.items():
            for primitive in self._gltf.meshes[mesh].primitives:
                if primitive.mode not in _MODES:
                    continue  # points and lines are no surface
                surface = self._surface(primitive)
                points_left -= len(surface.points) * len(matrices)
                if points_left < 0:
                    raise MeshError("too_large", "the glTF places its meshes too often")
                triangles = surface.triangles
                for matrix in matrices:
                    yield Surface(_moved(surface.points, matrix), triangles)
                    triangles = triangles[:0]

    def _surface(self, primitive: Primitive) -> Surface:
        draco = primitive.draco
        decode = decoder("DracoPy", "decode")
        if draco is not None and decode is not None:
            try:
                found = decode(bytes(self._view(draco.buffer_view)))
                points, faces = np.asarray(found.points, np.float64), np.asarray(found.faces, np.int64)
            except MeshError:
                raise
            except Exception as error:  # noqa: BLE001  a decoder's error met by a service's bytes
                raise MeshError("not_a_mesh", f"the glTF's Draco data cannot be read: {error}") from None
            return Surface(points.reshape(-1, 3), faces.reshape(-1, 3))
        points = self._points(self._gltf.accessors[primitive.attributes["POSITION"]])
        if primitive.indices is None:
            corners = np.arange(len(points))
        else:
            corners = self._values(self._gltf.accessors[primitive.indices]).astype(np.int64).reshape(-1)
        return Surface(points, _triangles(corners, primitive.mode))

    def _points(self, accessor: Accessor) -> NDArray[np.float64]:
        values = self._values(accessor)
        if values.shape[1] != 3:
            raise MeshError("not_a_mesh", "the vertices are not points in space")
        points = values.astype(np.float64)
        if accessor.normalized and accessor.dtype.kind in "iu":
            largest = 2 ** (8 * accessor.dtype.itemsize - (accessor.dtype.kind == "i")) - 1
            points = np.maximum(points / largest, -1.0)
        return points

    def _values(self, accessor: Accessor) -> NDArray[np.generic]:
        """(count, components), in the accessor's own type."""
        shape, dtype = (accessor.count, COMPONENTS[accessor.type]), accessor.dtype
        if accessor.buffer_view is None:
            values: NDArray[np.generic] = np.zeros(shape, dtype)
        else:
            values = self._array(SparsePart(accessor.buffer_view, accessor.byte_offset), shape, dtype)
        if accessor.sparse is None:
            return values
        sparse = accessor.sparse
        index_type = np.dtype(COMPONENT_TYPES[sparse.indices.component_type])
        indices = self._array(sparse.indices, (sparse.count, 1), index_type).reshape(-1)
        values = values.copy()
        values[indices] = self._array(sparse.values, (sparse.count, shape[1]), dtype)
        return values

    def _array(
        self, part: SparsePart, shape: tuple[int, int], dtype: np.dtype[np.generic]
    ) -> NDArray[np.generic]:
        """Some values of a view, which may be interleaved with others."""
        view, size = self._gltf.buffer_views[part.buffer_view], shape[1] * dtype.itemsize
        data = self._view(part.buffer_view)
        stride = view.byte_stride or size
        if shape[0] and part.byte_offset + (shape[0] - 1) * stride + size > len(data):
            raise MeshError("not_a_mesh", "the glTF describes more data than a part of it has")
        return np.ndarray(shape, dtype, data, part.byte_offset, (stride, dtype.itemsize))

    def _view(self, index: int) -> memoryview:
        view = self._gltf.buffer_views[index]
        decode = decoder("meshopt", "decode_gltf_buffer")
        if view.packed is not None and decode is not None:
            if index not in self._unpacked:
                self._unpacked[index] = self._unpack(view.packed, decode)
            return self._unpacked[index]
        return self._slice(view.buffer, view.byte_offset, view.byte_length)

    def _unpack(self, packed: Packed, decode: Decoder) -> memoryview:
        data = bytes(self._slice(packed.buffer, packed.byte_offset, packed.byte_length))
        try:
            found = decode(data, packed.count, packed.byte_stride, packed.mode, packed.filter)
        except Exception as error:  # noqa: BLE001  a decoder's error met by a service's bytes
            raise MeshError("not_a_mesh", f"the glTF's meshopt data cannot be read: {error}") from None
        return memoryview(np.ascontiguousarray(found).tobytes())

    def _slice(self, buffer: int, offset: int, length: int) -> memoryview:
        data = self._buffers[buffer]
        if data is None or offset + length > len(data):
            raise MeshError("not_a_mesh", "the glTF describes more data than it has")
        return data[offset : offset + length]

    # ---- what nothing installed reads

    def _require_readable(self, meshes: list[int]) -> None:
        """Raises MeshError with the counts of the JSON where data are compressed and cannot be read here."""
        primitives = [p for mesh in meshes for p in self._gltf.meshes[mesh].primitives if p.mode in _MODES]
        lacking = {name for primitive in primitives for name in self._lacking(primitive)}
        if not lacking:
            return
        accessors = self._gltf.accessors
        faces = sum(_count(p, accessors) for p in primitives)
        vertices = sum(accessors[p.attributes["POSITION"]].count for p in primitives)
        raise MeshError(
            CANNOT_INSPECT,
            f"the glTF is compressed with {' and '.join(sorted(lacking))}, which nothing installed here "
            "reads: install genload[meshes]",
            {"faces": float(faces), "vertices": float(vertices)},
        )

    def _lacking(self, primitive: Primitive) -> Iterator[str]:
        """The compressions of a primitive's data that cannot be read here, and have no plain twin."""
        accessors = [self._gltf.accessors[primitive.attributes["POSITION"]]]
        if primitive.indices is not None:
            accessors.append(self._gltf.accessors[primitive.indices])
        if primitive.draco is not None and decoder("DracoPy", "decode") is None:
            if any(accessor.buffer_view is None for accessor in accessors):
                yield "Draco"
            return
        if decoder("meshopt", "decode_gltf_buffer") is not None:
            return
        for accessor in accessors:
            view = None if accessor.buffer_view is None else self._gltf.buffer_views[accessor.buffer_view]
            if view is not None and view.packed is not None and self._buffers[view.buffer] is None:
                yield "meshopt"


def _count(primitive: Primitive, accessors: list[Accessor]) -> int:
    """How many triangles the JSON says that it has."""
    index = primitive.attributes["POSITION"] if primitive.indices is None else primitive.indices
    corners = accessors[index].count
    return corners // 3 if primitive.mode == TRIANGLES else max(corners - 2, 0)


def _triangles(corners: NDArray[np.int64], mode: int) -> NDArray[np.int64]:
    if mode == TRIANGLES:
        return corners[: len(corners) // 3 * 3].reshape(-1, 3)
    if mode == TRIANGLE_STRIP:
        return of_strip(corners)
    first = np.broadcast_to(corners[:1], (max(len(corners) - 2, 0),))
    fan = np.stack((first, corners[1:-1], corners[2:]), axis=1) if len(corners) >= 3 else corners[:0]
    return fan.reshape(-1, 3)


def placed_meshes(gltf: Gltf) -> Iterator[tuple[int, Matrix]]:
    """The meshes that are drawn, each with the matrix (4, 4) that puts it into the scene.

    Those of the default scene, which is the first unless the file says another. Without any scene: of every
    node that is no other's child; without any node every mesh as it is.

    Raises:
        MeshError: a node has two parents, or is below itself.
    """
    if not gltf.scenes and not gltf.nodes:
        yield from ((index, np.eye(4)) for index in range(len(gltf.meshes)))
        return
    children = {child for node in gltf.nodes for child in node.children}
    roots = gltf.scenes[gltf.scene].nodes if gltf.scenes else sorted(set(range(len(gltf.nodes))) - children)
    seen: set[int] = set()
    waiting = [(root, np.eye(4)) for root in reversed(roots)]
    while waiting:
        index, above = waiting.pop()
        if index in seen:
            raise MeshError("not_a_mesh", f"node {index} of the glTF is placed twice")
        seen.add(index)
        node = gltf.nodes[index]
        matrix = above @ _matrix(node)
        if node.mesh is not None:
            yield node.mesh, matrix
        waiting += [(child, matrix) for child in node.children]


def _matrix(node: Node) -> Matrix:
    """Its own matrix, which glTF writes by columns, or translation × rotation × scale."""
    if node.matrix is not None:
        if len(node.matrix) != 16:
            raise MeshError("not_a_mesh", "a node of the glTF has a matrix that is none")
        return np.array(node.matrix, dtype=np.float64).reshape(4, 4).T
    x, y, z, w = node.rotation  # a unit quaternion
    turned = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    matrix = np.eye(4)
    matrix[:3, :3] = turned * np.array(node.scale)
    matrix[:3, 3] = node.translation
    return matrix


def _moved(points: NDArray[np.float64], matrix: Matrix) -> NDArray[np.float64]:
    if np.array_equal(matrix, np.eye(4)):
        return points
    return points @ matrix[:3, :3].T + matrix[:3, 3]
