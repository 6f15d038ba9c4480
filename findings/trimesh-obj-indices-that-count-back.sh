#!/usr/bin/env bash
# trimesh 5.2.0 (with numpy 2.4.6), OBJ whose faces count vertices back from where they stand ("f -3 -2 -1").
#
# The OBJ format counts a negative index from the vertices read so far. Exporters that stream write each triangle behind
# its own three vertices, so that every face is "f -3 -2 -1". trimesh counts from the end of the file instead: every
# face gets the file's last three vertices. No warning; the face count is right, and the mesh is one triangle.
#
# Seen: 320 faces of an icosphere, 3 vertices in use, bounds of one triangle.
# Exits 0 while that is so, 1 when trimesh reads the sphere, or something else happens.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check trimesh==5.2.0 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import io
import sys

import numpy as np
import trimesh

sphere = trimesh.creation.icosphere(subdivisions=2)
lines = []
for triangle in sphere.triangles:
    lines += [f"v {x} {y} {z}" for x, y, z in triangle] + ["f -3 -2 -1"]
read = trimesh.load_mesh(io.BytesIO("\n".join(lines).encode()), file_type="obj", process=False)
used = len(np.unique(read.faces))
print(f"trimesh {trimesh.__version__}: {len(read.faces)} faces on {used} vertices; the file has {len(sphere.faces)} on 960")
sys.exit(0 if (len(read.faces), used) == (320, 3) else 1)
PYTHON
