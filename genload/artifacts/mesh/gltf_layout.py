"""A glTF 2.0 document: JSON that describes slices of binary data, held against the size of the file.

The JSON is a file of its own with its data inside as ``data:`` URIs, or a chunk of a GLB beside a binary one.
Names are glTF's own; the specification is Khronos's glTF 2.0.
"""

from __future__ import annotations

import binascii
import json
import struct
from typing import Annotated

import msgspec
import numpy as np

from genload.artifacts.mesh.facts import MeshError

COMPONENT_TYPES = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
COMPONENTS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}
TRIANGLES, TRIANGLE_STRIP, TRIANGLE_FAN = 4, 5, 6
DRACO = "KHR_draco_mesh_compression"
MESHOPT = ("EXT_meshopt_compression", "KHR_meshopt_compression")
_DATA_URI = "base64,"
# Views and accessors of an honest file overlap a little (interleaved attributes, sparse ones without a base);
# a hostile one refers to the same megabytes a thousand times, and every reference is copied.
_MAX_OVERLAP = 4
_ALWAYS_ALLOWED_BYTES = 1 << 20
# What compressed data unpack to is not bounded by the size of the file.
_MAX_UNPACKED_BYTES = 1 << 30

Size = Annotated[int, msgspec.Meta(ge=0)]


class Model(msgspec.Struct, rename="camel"):
    """What glTF writes as an object; its names are in camelCase there."""


class Buffer(Model):
    byte_length: Size
    uri: str = ""


class Packed(Model):
    """A view's meshopt extension."""

    buffer: Size
    byte_length: Size
    byte_stride: Size
    count: Size
    mode: str
    byte_offset: Size = 0
    filter: str = "NONE"


class View(Model):
    byte_length: Size
    buffer: Size = 0
    byte_offset: Size = 0
    byte_stride: Size = 0
    extensions: dict[str, object] = {}

    @property
    def packed(self) -> Packed | None:
        """How it is compressed; None where it is not."""
        found = next((self.extensions[name] for name in MESHOPT if name in self.extensions), None)
        return None if found is None else msgspec.convert(found, Packed)


class SparsePart(Model):
    buffer_view: Size
    byte_offset: Size = 0
    component_type: int = 5126


class Sparse(Model):
    count: Size
    indices: SparsePart
    values: SparsePart


class Accessor(Model):
    component_type: int
    count: Size
    type: str
    buffer_view: Size | None = None
    byte_offset: Size = 0
    normalized: bool = False
    sparse: Sparse | None = None

    @property
    def dtype(self) -> np.dtype[np.generic]:
        return np.dtype(COMPONENT_TYPES[self.component_type])

    @property
    def bytes(self) -> int:
        return self.count * self.dtype.itemsize * COMPONENTS[self.type]


class DracoPart(Model):
    buffer_view: Size


class Primitive(Model):
    attributes: dict[str, Size]
    indices: Size | None = None
    mode: int = TRIANGLES
    extensions: dict[str, object] = {}

    @property
    def draco(self) -> DracoPart | None:
        """Where its compressed data lie; None where it is not compressed so."""
        found = self.extensions.get(DRACO)
        return None if found is None else msgspec.convert(found, DracoPart)


class Mesh(Model):
    primitives: list[Primitive]


class Node(Model):
    mesh: Size | None = None
    children: list[Size] = []
    matrix: tuple[float, ...] | None = None
    translation: tuple[float, float, float] = (0.0, 0.0, 0.0)
    rotation: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 1.0)
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0)


class Scene(Model):
    nodes: list[Size] = []


class Gltf(Model):
    buffers: list[Buffer] = []
    buffer_views: list[View] = []
    accessors: list[Accessor] = []
    meshes: list[Mesh] = []
    nodes: list[Node] = []
    scenes: list[Scene] = []
    scene: Size = 0


class Document(msgspec.Struct):
    """A glTF with its data; None for a buffer that only stands for what is unpacked elsewhere."""

    gltf: Gltf
    buffers: list[memoryview | None]


def read_document(content: bytes) -> Document:
    """The parts of a GLB, or of a glTF with its data inside.

    Raises:
        MeshError: cut off, contradicting itself, or larger unpacked than it should be.
    """
    text, binary = _glb_chunks(content) if content.startswith(b"glTF") else (content, None)
    try:
        # Not msgspec's own JSON: the least and largest vertex may be written as NaN there.
        gltf = msgspec.convert(json.loads(text), Gltf)
        buffers = [_data(buffer, binary if n == 0 else None) for n, buffer in enumerate(gltf.buffers)]
        _check_sizes(gltf, buffers, len(content))
    except (ValueError, RecursionError) as error:
        raise MeshError("not_a_mesh", f"the glTF's JSON cannot be read: {error}") from None
    except (KeyError, IndexError) as error:
        text_ = f"the glTF contradicts itself: {type(error).__name__} {error}"
        raise MeshError("not_a_mesh", text_) from None
    return Document(gltf, buffers)


def _glb_chunks(content: bytes) -> tuple[bytes, memoryview | None]:
    """The JSON of a GLB and its binary data; None where there are none."""
    if len(content) < 20:
        raise MeshError("truncated", f"the GLB ends in its header, after {len(content)} bytes")
    version, length = struct.unpack_from("<II", content, 4)
    if length > len(content):
        raise MeshError("truncated", f"the GLB says {length} bytes and has {len(content)}")
    if version != 2:
        raise MeshError("not_a_mesh", f"the GLB is of version {version}; only 2 can be read")
    chunks: list[tuple[bytes, memoryview]] = []
    at = 12
    while at + 8 <= length:
        size, kind = struct.unpack_from("<I4s", content, at)
        if at + 8 + size > length:
            raise MeshError("truncated", "a chunk of the GLB is longer than the file")
        chunks.append((kind, memoryview(content)[at + 8 : at + 8 + size]))
        at += 8 + size
    if not chunks or chunks[0][0] != b"JSON":
        raise MeshError("not_a_mesh", "the GLB does not begin with its JSON")
    return bytes(chunks[0][1]), next((data for kind, data in chunks if kind == b"BIN\0"), None)


def _data(buffer: Buffer, binary: memoryview | None) -> memoryview | None:
    """A buffer's bytes."""
    if buffer.uri.startswith("data:"):
        head, found, text = buffer.uri.partition(_DATA_URI)
        if not found or "," in head:
            raise MeshError("not_a_mesh", "the glTF has a data: URI that is not base64")
        data = memoryview(binascii.a2b_base64(text))
    elif buffer.uri:
        raise MeshError("not_a_mesh", "the glTF keeps its data outside of itself")
    elif binary is None:
        return None
    else:
        data = binary
    if buffer.byte_length > len(data):
        raise MeshError("truncated", f"the glTF's JSON refers to more than its {len(data)} bytes of data")
    return data


def _check_sizes(gltf: Gltf, buffers: list[memoryview | None], file_bytes: int) -> None:
    packed = [view for view in gltf.buffer_views if view.packed is not None]
    compressed = packed or any(part.draco for mesh in gltf.meshes for part in mesh.primitives)
    views = sum(view.byte_length for view in gltf.buffer_views)
    unpacked = max(views, sum(accessor.bytes for accessor in gltf.accessors))
    allowed = max(_MAX_OVERLAP * file_bytes, _ALWAYS_ALLOWED_BYTES)
    if unpacked > (_MAX_UNPACKED_BYTES if compressed else allowed):
        raise MeshError("too_large", "the glTF unpacks to many times its own size")
    if not compressed and any(
        data is None and buffer.byte_length for data, buffer in zip(buffers, gltf.buffers, strict=True)
    ):
        raise MeshError("truncated", "the glTF refers to data that are not there")
