#!/usr/bin/env bash
# trimesh 5.2.0 (with numpy 2.4.6), GLB whose positions are a sparse accessor (glTF 2.0, section 3.6.2.3).
#
# A sparse accessor is a plain array with some of its values replaced. trimesh reads the plain array and leaves the
# replacements out, without a word: vertices lie where the file does not put them.
#
# Seen: a triangle whose third corner the file moves from (0, 1, 0) to (0, 0, 5) is read with extents 1 × 1 × 0
# in the place of 1 × 0 × 5.
# Exits 0 while that is so, 1 when trimesh reads what the file says, or something else happens.
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

points = struct.pack("<9f", 0, 0, 0, 1, 0, 0, 0, 1, 0)
indices, moved = struct.pack("<Hxx", 2), struct.pack("<3f", 0, 0, 5)
data = points + indices + moved
sparse = {
    "count": 1,
    "indices": {"bufferView": 1, "componentType": 5123},
    "values": {"bufferView": 2},
}
position = {"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3", "sparse": sparse}
position |= {"min": [0, 0, 0], "max": [1, 0, 5]}
tree = {
    "asset": {"version": "2.0"},
    "buffers": [{"byteLength": len(data)}],
    "bufferViews": [
        {"buffer": 0, "byteLength": 36},
        {"buffer": 0, "byteOffset": 36, "byteLength": 2},
        {"buffer": 0, "byteOffset": 40, "byteLength": 12},
    ],
    "accessors": [position],
    "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}],
    "nodes": [{"mesh": 0}],
    "scenes": [{"nodes": [0]}],
    "scene": 0,
}
text = json.dumps(tree).encode()
text += b" " * (-len(text) % 4)
body = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(data), b"BIN\0") + data
scene = trimesh.load_scene(io.BytesIO(b"glTF" + struct.pack("<II", 2, 12 + len(body)) + body), file_type="glb")
extents = tuple(float(value) for value in scene.extents)
print(f"trimesh {trimesh.__version__}: extents {extents}; the file says (1.0, 0.0, 5.0)")
sys.exit(0 if extents == (1.0, 1.0, 0.0) else 1)
PYTHON
