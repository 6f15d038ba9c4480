#!/usr/bin/env bash
# meshio 5.3.5 reads no ASCII STL that trimesh 5.2.0 has written (with numpy 2.4.6).
#
# trimesh ends an ASCII STL with an empty line. meshio takes the number of words in the last line for the length of a
# row: of an empty one that is 0, and reshaping to rows of 0 raises ValueError. Without the empty line it reads the file.
#
# Seen: ValueError "cannot reshape array of size … into shape (0)"; 12 triangles once empty lines are taken out.
# Exits 0 while that is so, 1 when meshio reads the file as it is, or something else happens.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check trimesh==5.2.0 meshio==5.3.5 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import meshio
import trimesh

text = trimesh.creation.box().export(file_type="stl_ascii")
with open("as-written.stl", "w") as file:
    file.write(text)
with open("no-empty-line.stl", "w") as file:
    file.write("\n".join(line for line in text.splitlines() if line))
try:
    meshio.read("as-written.stl")
    said = "read"
except ValueError as error:
    said = str(error)
faces = sum(len(block.data) for block in meshio.read("no-empty-line.stl").cells)
print(f"meshio {meshio.__version__} on the ASCII STL of trimesh {trimesh.__version__}: {said}; without empty lines {faces} triangles")
sys.exit(0 if "cannot reshape array" in said and faces == 12 else 1)
PYTHON
