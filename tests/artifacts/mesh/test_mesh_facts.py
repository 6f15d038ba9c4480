"""What is found in good meshes: known answers, the same in every format."""

from __future__ import annotations

import io
import struct
from random import Random

import numpy as np
import pytest
import trimesh
from hypothesis import given
from hypothesis import strategies as st

from genload.artifacts.mesh.reader import read_mesh
from genload.artifacts.mesh.surface import Surface, is_closed, joined

FORMATS = ("stl", "stl_ascii", "obj", "glb", "ply")


def exported(mesh: trimesh.Trimesh | trimesh.Scene, form: str) -> bytes:
    content = mesh.export(file_type=form)
    return content.encode() if isinstance(content, str) else content


def open_sheet() -> trimesh.Trimesh:
    """Two triangles in a plane: a mesh with a border."""
    return trimesh.Trimesh(
        [[0, 0, 0], [2, 0, 0], [2, 1, 0], [0, 1, 0]], [[0, 1, 2], [0, 2, 3]], process=False
    )


@pytest.mark.parametrize("form", FORMATS)
def test_a_sphere_has_the_same_facts_in_every_format(form: str) -> None:
    facts = read_mesh(exported(trimesh.creation.icosphere(subdivisions=2, radius=3.0), form))

    assert facts.format == form.removesuffix("_ascii")
    assert (facts.faces, facts.vertices) == (320, 162)
    assert facts.watertight and not facts.is_box
    assert facts.extents == pytest.approx((6.0, 6.0, 6.0), abs=1e-5)


@pytest.mark.parametrize("form", FORMATS)
def test_a_sheet_with_a_border_is_not_watertight(form: str) -> None:
    facts = read_mesh(exported(open_sheet(), form))

    assert (facts.faces, facts.vertices, facts.watertight) == (2, 4, False)
    assert facts.high == pytest.approx((2.0, 1.0, 0.0))


@pytest.mark.parametrize("form", FORMATS)
def test_a_cube_is_known_as_one_whatever_its_place_and_size(form: str) -> None:
    cube = trimesh.creation.box(extents=(10.0, 20.0, 0.5))
    cube.apply_translation((5.0, -3.0, 100.0))

    assert read_mesh(exported(cube, form)).is_box


def test_twelve_triangles_that_are_no_axis_aligned_box_are_a_mesh() -> None:
    turned = trimesh.creation.box()
    turned.apply_transform(trimesh.transformations.rotation_matrix(0.3, (0, 0, 1)))

    assert not read_mesh(exported(turned, "stl")).is_box
    assert not read_mesh(exported(trimesh.creation.cylinder(radius=1, height=1, sections=3), "stl")).is_box


def test_an_ascii_ply_and_a_big_obj_polygon_are_read() -> None:
    ply = trimesh.exchange.ply.export_ply(open_sheet(), encoding="ascii")
    quad = b"v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nv 0 2 0\nf 1 2 3 4\nf 1/1/1 3/1/1 5/1/1\n"

    assert read_mesh(ply).faces == 2
    assert read_mesh(quad).faces == 3


def test_a_glb_with_two_parts_counts_both() -> None:
    sphere = trimesh.creation.icosphere(subdivisions=1)
    other = sphere.copy()
    other.apply_translation((10, 0, 0))
    facts = read_mesh(exported(trimesh.Scene([sphere, other]), "glb"))

    assert (facts.faces, facts.watertight, facts.is_box) == (160, True, False)
    assert facts.extents[0] == pytest.approx(12.0, abs=1e-5)


def test_a_textured_glb_is_read_without_its_texture() -> None:
    sheet = open_sheet()
    uv = np.array([[0, 0], [1, 0], [1, 1], [0, 1]])
    sheet.visual = trimesh.visual.TextureVisuals(uv=uv)

    assert read_mesh(exported(sheet, "glb")).faces == 2


def test_a_binary_stl_may_call_itself_solid_and_have_a_trailer() -> None:
    content = bytearray(exported(trimesh.creation.icosphere(subdivisions=1), "stl"))
    content[:5] = b"solid"

    assert read_mesh(bytes(content)).faces == 80
    assert read_mesh(bytes(content) + b"written by \x00 something").faces == 80


def test_normals_of_any_length_and_a_byte_behind_harm_no_stl() -> None:
    content = bytearray(exported(trimesh.creation.icosphere(subdivisions=1), "stl"))
    for triangle in range(80):
        struct.pack_into("<3f", content, 84 + 50 * triangle, 3e5, 0.0, -17.0)

    assert read_mesh(bytes(content) + b"\0").faces == 80


@pytest.mark.parametrize("end", [b" ", b"\r", b"\r\n"], ids=["one line", "CR", "CRLF"])
def test_an_ascii_stl_may_end_its_lines_as_it_likes(end: bytes) -> None:
    content = exported(trimesh.creation.icosphere(subdivisions=1), "stl_ascii").replace(b"\n", end)

    facts = read_mesh(content)

    assert (facts.faces, facts.vertices, facts.watertight) == (80, 42, True)


@pytest.mark.parametrize("form", ["obj", "ply_ascii"])
def test_a_text_with_cr_alone_has_lines(form: str) -> None:
    ball = trimesh.creation.icosphere(subdivisions=1)
    text = exported(ball, "obj") if form == "obj" else trimesh.exchange.ply.export_ply(ball, encoding="ascii")

    assert read_mesh(text.replace(b"\n", b"\r")).faces == 80


def obj_that_counts_back(mesh: trimesh.Trimesh) -> bytes:
    """Each triangle behind its own three vertices, as some exporters stream them."""
    lines = []
    for triangle in mesh.triangles:
        lines += [f"v {x} {y} {z}" for x, y, z in triangle] + ["f -3 -2 -1"]
    return "\n".join(lines).encode() + b"\n"


def test_obj_indices_that_count_back_are_counted_from_where_they_stand() -> None:
    ball = trimesh.creation.icosphere(subdivisions=2)
    content = obj_that_counts_back(ball)
    facts = read_mesh(content)

    assert (
        len(trimesh.load_mesh(io.BytesIO(content), file_type="obj").vertices) == 3
    )  # what trimesh makes of it
    assert (facts.faces, facts.vertices, facts.watertight) == (320, 162, True)
    assert read_mesh(obj_that_counts_back(trimesh.creation.box())).is_box
    assert read_mesh(b"v 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\nf -3/-1 -2/-1 -1/-1\n").faces == 1


@pytest.mark.parametrize("off", [1e-6, 5e-5])
@pytest.mark.parametrize("form", FORMATS)
def test_a_box_that_is_a_little_off_is_one_all_the_same(form: str, off: float) -> None:
    box = trimesh.creation.box(extents=(2.0, 1.0, 1.0))
    corners = box.vertices + off * np.random.default_rng(1).uniform(-1, 1, box.vertices.shape)

    assert read_mesh(exported(trimesh.Trimesh(corners, box.faces, process=False), form)).is_box


def test_a_box_whose_corners_differ_visibly_is_none() -> None:
    box = trimesh.creation.box()
    corners = box.vertices.copy()
    corners[0] += 1e-3

    assert not read_mesh(exported(trimesh.Trimesh(corners, box.faces, process=False), "stl")).is_box


def test_a_box_of_several_materials_is_one() -> None:
    box = trimesh.creation.box()
    sides = [box.submesh([[n, n + 1]], append=True) for n in range(0, 12, 2)]

    facts = read_mesh(exported(trimesh.Scene(sides), "glb"))

    assert (facts.faces, facts.watertight, facts.is_box) == (12, True, True)


def test_two_closed_bodies_that_touch_are_closed_each_by_itself() -> None:
    box, other = trimesh.creation.box(), trimesh.creation.box()
    other.apply_translation((1, 0, 0))

    assert read_mesh(exported(trimesh.Scene([box, other]), "glb")).watertight


def test_the_export_of_this_file_is_what_trimesh_reads_itself() -> None:
    mesh = trimesh.creation.torus(3, 1)
    content = exported(mesh, "stl")
    again = trimesh.load_mesh(io.BytesIO(content), file_type="stl")

    facts = read_mesh(content)

    assert (facts.faces, facts.vertices) == (len(again.faces), len(again.vertices))
    assert facts.extents == pytest.approx(tuple(again.extents))


# --- closed -----------------------------------------------------------------------------------------------

TETRAHEDRON = [(0, 1, 2), (0, 3, 1), (1, 3, 2), (2, 3, 0)]


@pytest.mark.parametrize(
    ("triangles", "closed"),
    [
        (TETRAHEDRON, True),
        ([(a, c, b) for a, b, c in TETRAHEDRON[:1]] + TETRAHEDRON[1:], True),  # one shows its other side
        (TETRAHEDRON[:3], False),
        ([*TETRAHEDRON, (0, 1, 4)], False),  # an edge of three triangles
        (TETRAHEDRON * 2, False),  # each edge belongs to four
        ([*TETRAHEDRON, (5, 5, 6)], False),
        ([], False),
    ],
)
def test_closed_is_when_each_edge_belongs_to_two_triangles(
    triangles: list[tuple[int, int, int]], closed: bool
) -> None:
    assert is_closed(np.array(triangles, np.uint64).reshape(-1, 3)) is closed


@given(st.lists(st.tuples(*[st.integers(0, 4)] * 3), min_size=1, max_size=8))
def test_closed_is_what_trimesh_calls_watertight(triangles: list[tuple[int, int, int]]) -> None:
    points = np.random.default_rng(1).random((5, 3))

    second = trimesh.Trimesh(points, triangles, process=False)
    assert is_closed(np.array(triangles, np.uint64)) == second.is_watertight


# --- vertices at the same position --------------------------------------------------------------------------

PLACES = st.sampled_from([-0.0, 0.0, 1.0, 1.000000004, 1.00000002, -3e7, 2.5e-9, 7e-9, 0.1, 0.1 + 1e-17])


@given(
    st.lists(st.tuples(PLACES, PLACES, PLACES), min_size=3, max_size=12),
    st.lists(st.tuples(*[st.integers(0, 2)] * 3), min_size=1, max_size=6),
    st.randoms(use_true_random=False),
)
def test_vertices_are_joined_as_trimesh_joins_them(
    points: list[tuple[float, float, float]], triangles: list[tuple[int, int, int]], random: Random
) -> None:
    triangles = [*triangles, tuple(random.choices(range(len(points)), k=3))]
    second = trimesh.Trimesh(points, triangles, process=False)
    second.merge_vertices(merge_tex=True, merge_norm=True)

    found = joined(Surface(np.array(points), np.array(triangles)))

    assert found.vertices == len(second.vertices)
    same = found.corners.reshape(-1, 1) == found.corners.reshape(1, -1)
    assert (same == (second.faces.reshape(-1, 1) == second.faces.reshape(1, -1))).all()


@pytest.mark.parametrize("step", [2.0**-20, 0.01, 1.0, 4096.0, 1e12])
def test_no_two_places_of_a_lattice_have_the_same_name(step: float) -> None:
    axis = np.arange(-20, 20) * step
    points = np.stack(np.meshgrid(axis, axis, axis), axis=-1).reshape(-1, 3)

    assert joined(Surface(points, np.arange(len(points) - 1).reshape(-1, 3))).vertices == len(points) - 1


def test_places_out_of_all_measure_are_told_apart() -> None:
    points = np.array([(1e303, 0.0, 0.0), (2e303, 0.0, 0.0), (1e303, 1.0, 0.0), (1e303, 0.0, 0.0)])

    assert joined(Surface(points, np.array([(0, 1, 2), (1, 2, 3)]))).vertices == 3
