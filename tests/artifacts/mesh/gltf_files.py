"""glTF files made by hand, number by number: what writers in the tests' reach do not make."""

from __future__ import annotations

import base64
import json
import struct
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

TYPES = {"int8": 5120, "uint8": 5121, "int16": 5122, "uint16": 5123, "uint32": 5125, "float32": 5126}
SHAPES = {1: "SCALAR", 3: "VEC3"}


class GltfFile:
    """Collects data and describes them. `tree` may be changed before `glb` or `json` is asked for."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.tree: dict[str, Any] = {
            "asset": {"version": "2.0"},
            "bufferViews": [],
            "accessors": [],
            "meshes": [],
            "nodes": [],
        }

    def view(self, content: bytes, **more: Any) -> int:
        """A view of some bytes."""
        self.data += b"\0" * (-len(self.data) % 4)
        at = {"buffer": 0, "byteOffset": len(self.data), "byteLength": len(content)}
        self.data += content
        self.tree["bufferViews"].append({**at, **more})
        return len(self.tree["bufferViews"]) - 1

    def accessor(self, values: ArrayLike, dtype: str = "float32", *, stored: bool = True, **more: Any) -> int:
        """An accessor of (n,) or (n, 3) values, with a view of its own if they are stored."""
        array = np.asarray(values, dtype=dtype)
        described = {
            "componentType": TYPES[dtype],
            "count": len(array),
            "type": SHAPES[1 if array.ndim == 1 else array.shape[1]],
        }
        if stored:
            described["bufferView"] = self.view(array.tobytes())
        self.tree["accessors"].append({**described, **more})
        return len(self.tree["accessors"]) - 1

    def mesh(self, *primitives: dict[str, Any]) -> int:
        self.tree["meshes"].append({"primitives": list(primitives)})
        return len(self.tree["meshes"]) - 1

    def triangles(self, points: ArrayLike, faces: ArrayLike, **more: Any) -> int:
        """A mesh of indexed triangles."""
        position = self.accessor(points)
        indices = self.accessor(np.asarray(faces).reshape(-1), "uint32")
        return self.mesh({"attributes": {"POSITION": position}, "indices": indices, **more})

    def node(self, **fields: Any) -> int:
        self.tree["nodes"].append(fields)
        return len(self.tree["nodes"]) - 1

    def glb(self) -> bytes:
        self.tree.setdefault("buffers", [{"byteLength": len(self.data)}])
        text = json.dumps({name: value for name, value in self.tree.items() if value != []}).encode()
        text += b" " * (-len(text) % 4)
        data = bytes(self.data) + b"\0" * (-len(self.data) % 4)
        body = struct.pack("<I4s", len(text), b"JSON") + text
        body += struct.pack("<I4s", len(data), b"BIN\0") + data
        return b"glTF" + struct.pack("<II", 2, 12 + len(body)) + body

    def json(self) -> bytes:
        """A file of its own, its data inside."""
        uri = "data:application/octet-stream;base64," + base64.b64encode(self.data).decode()
        self.tree["buffers"] = [{"byteLength": len(self.data), "uri": uri}]
        return json.dumps(self.tree).encode()
