"""Faces, extents and closedness of what independent writers make, held against an independent reader.

Writers: trimesh and meshio; of GLB trimesh and the tests' own. Readers: meshio for STL, OBJ and PLY,
pygltflib for GLB. What a reader does not tell, closedness, is counted from its triangles edge by edge.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import meshio
import numpy as np
import pygltflib
import pytest
import trimesh
from numpy.typing import NDArray

from genload.artifacts.mesh.reader import read_mesh

from .gltf_files import GltfFile

Triangles = NDArray[np.float64]  # (n, 3, 3): corner by corner in space


def _open(mesh: trimesh.Trimesh) -> trimesh.Trimesh:
    """Without its first face."""
    return trimesh.Trimesh(mesh.vertices, mesh.faces[1:], process=False)


SHAPES = {
    "ball": trimesh.creation.icosphere(subdivisions=2, radius=3.0),
    "torn ball": _open(trimesh.creation.icosphere(subdivisions=1)),
    "ring": trimesh.creation.torus(3, 1, major_sections=12, minor_sections=8),
    "cylinder": trimesh.creation.cylinder(radius=0.5, height=7.0, sections=11),
    "capsule": trimesh.creation.capsule(height=2.0, radius=0.3, count=[8, 8]),
    "cone": trimesh.creation.cone(radius=2.0, height=1.0, sections=9),
    "box": trimesh.creation.box(extents=(1.0, 20.0, 0.25)),
}


def _by_trimesh(form: str) -> Callable[[trimesh.Trimesh], bytes]:
    def write(mesh: trimesh.Trimesh) -> bytes:
        if form == "ply_ascii":
            return bytes(trimesh.exchange.ply.export_ply(mesh, encoding="ascii"))
        content = mesh.export(file_type=form)
        return content.encode() if isinstance(content, str) else bytes(content)

    return write


def _by_meshio(form: str, **options: bool) -> Callable[[trimesh.Trimesh, Path], bytes]:
    def write(mesh: trimesh.Trimesh, folder: Path) -> bytes:
        path = folder / f"out.{form}"
        meshio.Mesh(mesh.vertices, [("triangle", mesh.faces)]).write(path, file_format=form, **options)
        return path.read_bytes()

    return write


def _by_hand(mesh: trimesh.Trimesh) -> bytes:
    file = GltfFile()
    file.node(mesh=file.triangles(mesh.vertices, mesh.faces))
    return file.glb()


WRITERS = {
    "STL by trimesh": ("stl", _by_trimesh("stl")),
    "ASCII STL by trimesh": ("stl", _by_trimesh("stl_ascii")),
    "OBJ by trimesh": ("obj", _by_trimesh("obj")),
    "PLY by trimesh": ("ply", _by_trimesh("ply")),
    "ASCII PLY by trimesh": ("ply", _by_trimesh("ply_ascii")),
    "GLB by trimesh": ("glb", _by_trimesh("glb")),
    "STL by meshio": ("stl", _by_meshio("stl", binary=True)),
    "ASCII STL by meshio": ("stl", _by_meshio("stl", binary=False)),
    "OBJ by meshio": ("obj", _by_meshio("obj")),
    "PLY by meshio": ("ply", _by_meshio("ply", binary=True)),
    "ASCII PLY by meshio": ("ply", _by_meshio("ply", binary=False)),
    "GLB by hand": ("glb", _by_hand),
}
FILES = [(shape, writer) for shape in SHAPES for writer in WRITERS]


def _read_by_meshio(content: bytes, form: str, folder: Path) -> Triangles:
    path = folder / f"in.{form}"
    if content.startswith(b"solid"):  # meshio stumbles over the empty line that trimesh writes
        content = b"\n".join(line for line in content.split(b"\n") if line)
    path.write_bytes(content)
    mesh = meshio.read(path, file_format=form)
    return np.concatenate([mesh.points[block.data] for block in mesh.cells if block.type == "triangle"])


def _read_by_pygltflib(content: bytes) -> Triangles:
    """Of a file whose nodes place nothing anywhere else."""
    found = pygltflib.GLTF2.load_from_bytes(content)
    data = found.binary_blob()

    def values(index: int) -> NDArray[np.generic]:
        accessor = found.accessors[index]
        view = found.bufferViews[accessor.bufferView]
        dtype = {5121: "u1", 5123: "<u2", 5125: "<u4", 5126: "<f4"}[accessor.componentType]
        width = {"SCALAR": 1, "VEC3": 3}[accessor.type]
        begin = (view.byteOffset or 0) + (accessor.byteOffset or 0)
        return np.frombuffer(data, dtype, accessor.count * width, begin).reshape(-1, width)

    parts = [primitive for mesh in found.meshes for primitive in mesh.primitives]
    return np.concatenate(
        [values(part.attributes.POSITION)[values(part.indices).reshape(-1, 3)] for part in parts]
    ).astype(np.float64)


def _is_closed(triangles: Triangles) -> bool:
    """Every edge between two places belongs to exactly two triangles."""
    corners = [[tuple(corner) for corner in np.round(triangle, 5).tolist()] for triangle in triangles]
    edges = Counter(frozenset(pair) for a, b, c in corners for pair in ((a, b), (b, c), (c, a)))
    return set(edges.values()) == {2}


def test_there_are_enough_of_them() -> None:
    assert len(FILES) >= 60


@pytest.mark.parametrize(("shape", "writer"), FILES)
def test_both_readers_find_the_same(shape: str, writer: str, tmp_path: Path) -> None:
    form, write = WRITERS[writer]
    content = write(SHAPES[shape], tmp_path) if "meshio" in writer else write(SHAPES[shape])
    second = _read_by_pygltflib(content) if form == "glb" else _read_by_meshio(content, form, tmp_path)

    facts = read_mesh(content)

    assert facts.format == form
    assert facts.faces == len(second) == len(SHAPES[shape].faces)
    assert facts.low == pytest.approx(second.min(axis=(0, 1)), rel=1e-6, abs=1e-9)
    assert facts.high == pytest.approx(second.max(axis=(0, 1)), rel=1e-6, abs=1e-9)
    assert facts.watertight == _is_closed(second) == (shape != "torn ball")
