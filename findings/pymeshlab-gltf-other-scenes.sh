#!/usr/bin/env bash
# pymeshlab 2025.7.post1 (with numpy 2.4.6), GLB with two scenes.
#
# A glTF file may hold several scenes, and `scene` says which one is to be shown (glTF 2.0, section 3.5.1). pymeshlab
# loads the nodes of all of them: variants of one object lie beside or inside each other, and faces count twice.
#
# Seen: of a file whose default scene has one tetrahedron, two are loaded, with 8 faces.
# Exits 0 while that is so, 1 when only the default scene is loaded, or something else happens.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pymeshlab==2025.7.post1 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import json
import struct
import sys
from importlib.metadata import version
from pathlib import Path

import pymeshlab

points = struct.pack("<12f", 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1)
indices = struct.pack("<12H", 0, 2, 1, 0, 1, 3, 0, 3, 2, 1, 2, 3)
data = points + indices
position = {"bufferView": 0, "componentType": 5126, "count": 4, "type": "VEC3", "min": [0, 0, 0], "max": [1, 1, 1]}
tree = {
    "asset": {"version": "2.0"},
    "buffers": [{"byteLength": len(data)}],
    "bufferViews": [{"buffer": 0, "byteLength": 48}, {"buffer": 0, "byteOffset": 48, "byteLength": 24}],
    "accessors": [position, {"bufferView": 1, "componentType": 5123, "count": 12, "type": "SCALAR"}],
    "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}],
    "nodes": [{"mesh": 0}, {"mesh": 0, "translation": [5, 0, 0]}],
    "scenes": [{"nodes": [0]}, {"nodes": [1]}],
    "scene": 0,
}
text = json.dumps(tree).encode()
text += b" " * (-len(text) % 4)
body = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(data), b"BIN\0") + data
Path("two.glb").write_bytes(b"glTF" + struct.pack("<II", 2, 12 + len(body)) + body)
loaded = pymeshlab.MeshSet()
loaded.load_new_mesh("two.glb")
faces = sum(mesh.face_number() for mesh in loaded)
print(f"pymeshlab {version('pymeshlab')}: {loaded.mesh_number()} meshes, {faces} faces; the default scene has 1 and 4")
sys.exit(0 if (loaded.mesh_number(), faces) == (2, 8) else 1)
PYTHON
