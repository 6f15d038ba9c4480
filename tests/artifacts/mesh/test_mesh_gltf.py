"""What real writers of glTF use beyond plain indexed triangles: counts, extents and closedness are known."""

from __future__ import annotations

from typing import Any

import DracoPy
import meshopt
import numpy as np
import pytest
import trimesh

from genload.artifacts.mesh import gltf
from genload.artifacts.mesh.check import MeshCheck
from genload.artifacts.mesh.facts import MeshError
from genload.artifacts.mesh.reader import read_mesh
from genload.service import Artifact, CannotInspectError

from .gltf_files import GltfFile

BALL = trimesh.creation.icosphere(subdivisions=1, radius=2.0)  # 80 triangles on 42 points
TRIANGLE = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]])
SQUARE = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]])


def ball_of(file: GltfFile, **more: Any) -> int:
    return file.triangles(BALL.vertices, BALL.faces, **more)


def drawn(file: GltfFile, *, once: bool = True) -> bytes:
    """The GLB; with one node for its only mesh."""
    if once:
        file.node(mesh=0)
        file.tree["scenes"] = [{"nodes": [0]}]
    return file.glb()


def test_a_file_with_its_data_inside_is_read() -> None:
    file = GltfFile()
    file.node(mesh=ball_of(file))

    facts = read_mesh(file.json())

    assert (facts.format, facts.faces, facts.vertices, facts.watertight) == ("gltf", 80, 42, True)


def test_sparse_replacements_take_the_place_of_the_values() -> None:
    file = GltfFile()
    moved = file.view(np.array([[0, 0, 5]], np.float32).tobytes())
    which = file.view(np.array([2], np.uint16).tobytes())
    sparse = {
        "count": 1,
        "indices": {"bufferView": which, "componentType": 5123},
        "values": {"bufferView": moved},
    }
    position = file.accessor(TRIANGLE, sparse=sparse)
    file.mesh({"attributes": {"POSITION": position}})

    assert read_mesh(drawn(file)).extents == (1.0, 0.0, 5.0)


def test_sparse_values_without_a_base_replace_zeros() -> None:
    file = GltfFile()
    values = file.view(np.array([[2, 0, 0], [0, 3, 0]], np.float32).tobytes())
    which = file.view(np.array([1, 2], np.uint8).tobytes())
    sparse = {
        "count": 2,
        "indices": {"bufferView": which, "componentType": 5121},
        "values": {"bufferView": values},
    }
    position = file.accessor(np.zeros((3, 3)), stored=False, sparse=sparse)
    file.mesh({"attributes": {"POSITION": position}})

    assert read_mesh(drawn(file)).extents == (2.0, 3.0, 0.0)


@pytest.mark.parametrize(("mode", "faces"), [(4, 1), (5, 2), (6, 2)], ids=["triangles", "strip", "fan"])
def test_strips_and_fans_are_triangles(mode: int, faces: int) -> None:
    file = GltfFile()
    file.mesh({"attributes": {"POSITION": file.accessor(SQUARE)}, "mode": mode})

    assert read_mesh(drawn(file)).faces == faces


def test_what_joins_two_strips_is_no_triangle() -> None:
    file = GltfFile()
    points = np.concatenate([SQUARE, SQUARE + np.array([5, 0, 0])])
    indices = file.accessor([0, 1, 2, 3, 3, 4, 4, 5, 6, 7], "uint16")
    file.mesh({"attributes": {"POSITION": file.accessor(points)}, "indices": indices, "mode": 5})

    assert read_mesh(drawn(file)).faces == 4


def test_points_and_lines_are_no_surface() -> None:
    file = GltfFile()
    file.mesh({"attributes": {"POSITION": file.accessor(TRIANGLE)}, "mode": 1})

    with pytest.raises(MeshError, match="draws no triangle") as caught:
        read_mesh(drawn(file))
    assert caught.value.error_class == "empty_mesh"


def test_the_default_scene_is_drawn_and_no_other() -> None:
    file = GltfFile()
    file.node(mesh=ball_of(file))
    file.node(mesh=file.triangles(TRIANGLE, [[0, 1, 2]]))
    file.tree["scenes"] = [{"nodes": [0]}, {"nodes": [1]}]

    assert read_mesh(drawn(file, once=False)).faces == 80
    file.tree["scene"] = 1
    assert read_mesh(file.glb()).faces == 1


def test_a_mesh_in_no_node_of_the_scene_is_not_drawn() -> None:
    file = GltfFile()
    file.node(mesh=file.triangles(TRIANGLE, [[0, 1, 2]]))
    ball_of(file)
    file.tree["scenes"] = [{"nodes": [0]}]

    assert read_mesh(drawn(file, once=False)).faces == 1
    file.tree["scenes"] = [{"nodes": []}]
    with pytest.raises(MeshError, match="draws no triangle"):
        read_mesh(file.glb())


def test_a_file_without_any_node_is_a_library_of_its_meshes() -> None:
    file = GltfFile()
    ball_of(file)

    assert read_mesh(file.glb()).faces == 80


def test_nodes_place_turn_and_scale_what_they_hold() -> None:
    half = float(np.sqrt(0.5))
    file = GltfFile()
    mesh = file.triangles(TRIANGLE * [1, 2, 1], [[0, 1, 2]])
    file.node(
        mesh=mesh, rotation=[0, 0, half, half], scale=[1, 2, 1]
    )  # y becomes −x, four times as long as x
    file.node(children=[0], translation=[10, 20, 30])
    file.tree["scenes"] = [{"nodes": [1]}]

    facts = read_mesh(file.glb())

    assert facts.low == pytest.approx((6, 20, 30))
    assert facts.high == pytest.approx((10, 21, 30))


def test_a_matrix_is_written_by_columns() -> None:
    file = GltfFile()
    file.node(
        mesh=file.triangles(TRIANGLE, [[0, 1, 2]]), matrix=[2, 0, 0, 0, 0, 3, 0, 0, 0, 0, 1, 0, 7, 0, 0, 1]
    )

    facts = read_mesh(file.glb())

    assert (facts.low, facts.high) == ((7.0, 0.0, 0.0), (9.0, 3.0, 0.0))


def test_a_mesh_that_two_nodes_place_counts_once_and_reaches_over_both() -> None:
    file = GltfFile()
    mesh = ball_of(file)
    file.node(mesh=mesh)
    file.node(mesh=mesh, translation=[10, 0, 0])

    facts = read_mesh(file.glb())

    assert (facts.faces, facts.watertight) == (80, True)
    assert facts.extents[0] == pytest.approx(14.0)


def test_quantised_positions_have_their_size_from_the_node() -> None:
    file = GltfFile()
    position = file.accessor(np.round(BALL.vertices / 2 * 32767), "int16", normalized=True)
    indices = file.accessor(BALL.faces.reshape(-1), "uint8")
    file.mesh({"attributes": {"POSITION": position}, "indices": indices})
    file.node(mesh=0, scale=[2, 2, 2])
    file.tree["extensionsRequired"] = ["KHR_mesh_quantization"]

    facts = read_mesh(file.glb())

    assert (facts.faces, facts.watertight) == (80, True)
    assert facts.extents == pytest.approx((4.0, 4.0, 4.0), abs=1e-3)


def test_interleaved_attributes_are_told_apart() -> None:
    file = GltfFile()
    rows = np.concatenate([TRIANGLE, np.full((3, 3), 99)], axis=1).astype(np.float32)
    view = file.view(rows.tobytes(), byteStride=24)
    position = file.accessor(TRIANGLE, stored=False, bufferView=view)
    file.mesh({"attributes": {"POSITION": position}})

    assert read_mesh(drawn(file)).extents == (1.0, 1.0, 0.0)


def test_one_closed_surface_in_two_materials_is_closed() -> None:
    file = GltfFile()
    parts = []
    for faces in (BALL.faces[:30], BALL.faces[30:]):
        position = file.accessor(BALL.vertices)
        indices = file.accessor(faces.reshape(-1), "uint16")
        parts.append({"attributes": {"POSITION": position}, "indices": indices})
    file.mesh(*parts)
    whole = read_mesh(drawn(file))
    file.tree["meshes"][0]["primitives"].pop()

    assert (whole.faces, whole.vertices, whole.watertight) == (80, 42, True)
    assert not read_mesh(file.glb()).watertight


def test_a_node_that_is_placed_twice_is_no_tree() -> None:
    file = GltfFile()
    ball_of(file)
    file.node(mesh=0, children=[1])
    file.node(children=[0])
    file.tree["scenes"] = [{"nodes": [0]}]

    with pytest.raises(MeshError, match="placed twice"):
        read_mesh(file.glb())


def test_meshes_that_are_placed_without_end_are_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gltf, "_MOST_PLACED_POINTS", 42 * 10)
    file = GltfFile()
    ball_of(file)
    for _ in range(11):
        file.node(mesh=0)

    with pytest.raises(MeshError) as caught:
        read_mesh(file.glb())
    assert caught.value.error_class == "too_large"


# --- compressed data: read with the extra, else counted


def draco_ball(plain_twin: bool = False) -> GltfFile:
    file = GltfFile()
    packed = DracoPy.encode(
        BALL.vertices.astype(np.float32), BALL.faces.astype(np.uint32), quantization_bits=16
    )
    view = file.view(packed)
    position = file.accessor(BALL.vertices, stored=plain_twin)
    indices = file.accessor(BALL.faces.reshape(-1), "uint32", stored=plain_twin)
    extension = {"KHR_draco_mesh_compression": {"bufferView": view, "attributes": {"POSITION": 0}}}
    file.mesh({"attributes": {"POSITION": position}, "indices": indices, "extensions": extension})
    file.node(mesh=0)
    return file


def meshopt_ball(extension: str, plain_twin: bool = False) -> GltfFile:
    file = GltfFile()
    parts = []
    for array, mode in (
        (BALL.vertices.astype(np.float32), "ATTRIBUTES"),
        (BALL.faces.reshape(-1, 1).astype(np.uint32), "TRIANGLES"),
    ):
        stride = array.itemsize * array.shape[1]
        packed = bytes(meshopt.encode_gltf_buffer(array, mode))
        raw = array.tobytes()
        inside = file.view(packed)
        described = file.tree["bufferViews"].pop(inside)
        at = {"buffer": 0, "byteOffset": described["byteOffset"], "byteLength": len(packed)}
        plain = file.view(raw) if plain_twin else None
        if plain is None:
            file.tree["bufferViews"].append({"buffer": 1, "byteLength": len(raw)})
        of_view = {**at, "byteStride": stride, "count": len(array), "mode": mode}
        file.tree["bufferViews"][-1]["extensions"] = {extension: of_view}
        parts.append(len(file.tree["bufferViews"]) - 1)
    position = file.accessor(BALL.vertices, stored=False, bufferView=parts[0])
    indices = file.accessor(BALL.faces.reshape(-1), "uint32", stored=False, bufferView=parts[1])
    file.mesh({"attributes": {"POSITION": position}, "indices": indices})
    file.node(mesh=0)
    total = sum(view["byteLength"] for view in file.tree["bufferViews"])
    stands_for = {"byteLength": total, "extensions": {extension: {"fallback": True}}}
    file.tree["buffers"] = [{"byteLength": len(file.data)}, *([] if plain_twin else [stands_for])]
    return file


SPELLINGS = ("EXT_meshopt_compression", "KHR_meshopt_compression")
COMPRESSED = {
    "Draco": draco_ball,
    **{name: lambda name=name, **more: meshopt_ball(name, **more) for name in SPELLINGS},
}


@pytest.fixture
def without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gltf, "decoder", lambda module, name: None)


@pytest.mark.parametrize("kind", COMPRESSED)
def test_compressed_data_are_read_with_the_extra(kind: str) -> None:
    facts = read_mesh(COMPRESSED[kind]().glb())

    assert (facts.faces, facts.vertices, facts.watertight) == (80, 42, True)
    assert facts.extents == pytest.approx((4.0, 4.0, 4.0), abs=1e-3)


@pytest.mark.parametrize("kind", COMPRESSED)
@pytest.mark.usefixtures("without_the_extra")
def test_without_the_extra_they_are_counted_and_cannot_be_inspected(kind: str) -> None:
    with pytest.raises(CannotInspectError, match=r"install genload\[meshes\]") as caught:
        MeshCheck(read_mesh)(Artifact(COMPRESSED[kind]().glb(), "out.glb", "model/gltf-binary"))
    assert caught.value.numbers == {"faces": 80.0, "vertices": 42.0}


@pytest.mark.parametrize("kind", COMPRESSED)
@pytest.mark.usefixtures("without_the_extra")
def test_data_with_a_plain_twin_are_read_without_the_extra(kind: str) -> None:
    assert read_mesh(COMPRESSED[kind](plain_twin=True).glb()).faces == 80


@pytest.mark.parametrize("kind", COMPRESSED)
def test_damaged_compressed_data_are_no_mesh(kind: str) -> None:
    file = COMPRESSED[kind]()
    for at in range(0, len(file.data), 7):
        file.data[at] ^= 0x55

    with pytest.raises(MeshError) as caught:
        read_mesh(file.glb())
    assert caught.value.error_class in {"not_a_mesh", "truncated", "nan_vertices", "empty_mesh"}


def test_data_that_claim_to_unpack_to_gigabytes_are_too_large() -> None:
    file = draco_ball()
    file.tree["accessors"][0]["count"] = 4_000_000_000

    with pytest.raises(MeshError) as caught:
        read_mesh(file.glb())
    assert caught.value.error_class == "too_large"
