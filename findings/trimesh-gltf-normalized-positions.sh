#!/usr/bin/env bash
# trimesh 5.2.0 (with numpy 2.4.6), GLB whose positions are normalized 16-bit integers (KHR_mesh_quantization).
#
# The extension lets positions be integers; with `normalized` an integer c stands for c / 32767. gltfpack and others
# write meshes so, to halve them. trimesh takes the integers for the coordinates, although the file requires
# the extension: the mesh is 32,767 times as large as it is, and its volume 3.5e13 times.
#
# Seen: a tetrahedron of 1 × 1 × 1 is read with extents 32767 × 32767 × 32767, without an error.
# Exits 0 while that is so, 1 when trimesh reads what the file says or refuses it, or something else happens.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check trimesh==5.2.0 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import io
import json
import struct
import sys

import trimesh

corners = [(0, 0, 0), (32767, 0, 0), (0, 32767, 0), (0, 0, 32767)]
points = b"".join(struct.pack("<3hxx", *corner) for corner in corners)
indices = struct.pack("<12H", 0, 2, 1, 0, 1, 3, 0, 3, 2, 1, 2, 3)
data = points + indices
position = {"bufferView": 0, "componentType": 5122, "normalized": True, "count": 4, "type": "VEC3"}
position |= {"min": [0, 0, 0], "max": [32767, 32767, 32767]}
tree = {
    "asset": {"version": "2.0"},
    "extensionsUsed": ["KHR_mesh_quantization"],
    "extensionsRequired": ["KHR_mesh_quantization"],
    "buffers": [{"byteLength": len(data)}],
    "bufferViews": [
        {"buffer": 0, "byteLength": 32, "byteStride": 8},
        {"buffer": 0, "byteOffset": 32, "byteLength": 24},
    ],
    "accessors": [position, {"bufferView": 1, "componentType": 5123, "count": 12, "type": "SCALAR"}],
    "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}],
    "nodes": [{"mesh": 0}],
    "scenes": [{"nodes": [0]}],
    "scene": 0,
}
text = json.dumps(tree).encode()
text += b" " * (-len(text) % 4)
body = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(data), b"BIN\0") + data
scene = trimesh.load_scene(io.BytesIO(b"glTF" + struct.pack("<II", 2, 12 + len(body)) + body), file_type="glb")
extents = tuple(float(value) for value in scene.extents)
print(f"trimesh {trimesh.__version__}: extents {extents}; the file says (1.0, 1.0, 1.0)")
sys.exit(0 if extents == (32767.0, 32767.0, 32767.0) else 1)
PYTHON
