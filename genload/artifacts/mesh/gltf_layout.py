"""A GLB (glTF 2.0: a JSON chunk that describes slices of a binary chunk), held against its own size."""

from __future__ import annotations

import json
import struct
from typing import Annotated

import msgspec

from genload.artifacts.mesh.facts import MeshError

_COMPONENT_BYTES = {5120: 1, 5121: 1, 5122: 2, 5123: 2, 5125: 4, 5126: 4}
_COMPONENTS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}
_TRIANGLES, _TRIANGLE_STRIP = 4, 5
_COMPRESSIONS = {"KHR_draco_mesh_compression", "EXT_meshopt_compression"}
# Views and accessors of an honest file overlap a little (interleaved attributes); a hostile one refers
# to the same megabytes a thousand times, and every reference is copied.
_MAX_OVERLAP = 4

Size = Annotated[int, msgspec.Meta(ge=0)]


class _Buffer(msgspec.Struct):
    byteLength: Size  # noqa: N815  glTF's own names, here and below
    uri: str = ""


class _View(msgspec.Struct):
    byteLength: Size  # noqa: N815


class _Accessor(msgspec.Struct):
    count: Size
    componentType: int  # noqa: N815
    type: str

    @property
    def bytes(self) -> int:
        return self.count * _COMPONENT_BYTES[self.componentType] * _COMPONENTS[self.type]


class _Primitive(msgspec.Struct):
    attributes: dict[str, Size]
    indices: Size | None = None
    mode: int = _TRIANGLES

    def triangles(self, accessors: list[_Accessor]) -> int:
        """How many it has; points, lines and fans are nothing that a parser makes triangles of."""
        corners = accessors[self.attributes["POSITION"] if self.indices is None else self.indices].count
        if self.mode == _TRIANGLE_STRIP:
            return max(corners - 2, 0)
        return corners // 3 if self.mode == _TRIANGLES else 0


class _Mesh(msgspec.Struct):
    primitives: list[_Primitive]


class _Gltf(msgspec.Struct, rename="camel"):
    buffers: list[_Buffer] = []
    buffer_views: list[_View] = []
    accessors: list[_Accessor] = []
    meshes: list[_Mesh] = []
    extensions_required: list[str] = []


def check_glb(content: bytes) -> int:
    """How many triangles a GLB claims.

    Raises:
        MeshError: cut off, contradicting itself, without triangles, or larger unpacked than it should be.
    """
    if len(content) < 20:
        raise MeshError("truncated", f"the GLB ends in its header, after {len(content)} bytes")
    version, length = struct.unpack_from("<II", content, 4)
    if length > len(content):
        raise MeshError("truncated", f"the GLB says {length} bytes and has {len(content)}")
    if version != 2:
        raise MeshError("not_a_mesh", f"the GLB is of version {version}; only 2 can be read")
    chunks = _chunks(content, length)
    if not chunks or chunks[0][0] != b"JSON":
        raise MeshError("not_a_mesh", "the GLB does not begin with its JSON")
    try:
        # Not msgspec's own JSON: the least and largest vertex may be written as NaN there.
        tree = json.loads(content[20 : 20 + chunks[0][1]])
        gltf = msgspec.convert(tree, _Gltf)
        return _check_sizes(gltf, len(content), sum(size for kind, size in chunks if kind == b"BIN\0"))
    except (ValueError, RecursionError) as error:
        raise MeshError("not_a_mesh", f"the GLB's JSON cannot be read: {error}") from None
    except (KeyError, IndexError) as error:
        text = f"the GLB contradicts itself: {type(error).__name__} {error}"
        raise MeshError("not_a_mesh", text) from None


def _chunks(content: bytes, length: int) -> list[tuple[bytes, int]]:
    chunks: list[tuple[bytes, int]] = []
    at = 12
    while at + 8 <= length:
        size, kind = struct.unpack_from("<I4s", content, at)
        if at + 8 + size > length:
            raise MeshError("truncated", "a chunk of the GLB is longer than the file")
        chunks.append((kind, size))
        at += 8 + size
    return chunks


def _check_sizes(gltf: _Gltf, file_bytes: int, binary_bytes: int) -> int:
    if compressions := _COMPRESSIONS.intersection(gltf.extensions_required):
        text = f"the GLB is compressed with {', '.join(compressions)}, which cannot be read here"
        raise MeshError("not_a_mesh", text)
    if any(buffer.uri for buffer in gltf.buffers):
        raise MeshError("not_a_mesh", "the GLB keeps its data outside of itself")
    if any(buffer.byteLength > binary_bytes for buffer in gltf.buffers):
        raise MeshError("truncated", f"the GLB's JSON refers to more than its {binary_bytes} bytes of data")
    views = sum(view.byteLength for view in gltf.buffer_views)
    if max(views, sum(accessor.bytes for accessor in gltf.accessors)) > _MAX_OVERLAP * file_bytes:
        raise MeshError("too_large", "the GLB unpacks to many times its own size")
    primitives = (primitive for mesh in gltf.meshes for primitive in mesh.primitives)
    triangles = sum(primitive.triangles(gltf.accessors) for primitive in primitives)
    if triangles == 0:
        raise MeshError("empty_mesh", "the GLB has no triangle")
    return triangles
