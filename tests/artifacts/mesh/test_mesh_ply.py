"""PLY as it comes: faces of several lengths, strips, numbers of any type and order."""

from __future__ import annotations

import struct
from itertools import pairwise
from time import process_time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genload.artifacts.mesh.facts import MeshError
from genload.artifacts.mesh.ply import read_ply
from genload.artifacts.mesh.reader import read_mesh

# A house: a cube of quads with a roof of triangles, closed.
POINTS = [
    (0, 0, 0),
    (1, 0, 0),
    (1, 1, 0),
    (0, 1, 0),
    (0, 0, 1),
    (1, 0, 1),
    (1, 1, 1),
    (0, 1, 1),
    (0.5, 0.5, 2),
]
FACES = [
    (3, 2, 1, 0),
    (0, 1, 5, 4),
    (4, 5, 8),
    (1, 2, 6, 5),
    (5, 6, 8),
    (2, 3, 7, 6),
    (6, 7, 8),
    (3, 0, 4, 7),
    (7, 4, 8),
]
TRIANGLES = 14


def ply(
    points: list[tuple[float, ...]],
    faces: list[tuple[int, ...]],
    *,
    order: str = "<",
    point: str = "float",
    count: str = "uchar",
    index: str = "int",
    element: str = "face",
) -> bytes:
    """A binary PLY, with a flag of one byte behind each face's corners."""
    codes = {"float": "f", "double": "d", "uchar": "B", "uint": "I", "int": "i", "ushort": "H"}
    name = "binary_little_endian" if order == "<" else "binary_big_endian"
    lines = ["ply", f"format {name} 1.0", f"element vertex {len(points)}"]
    lines += [f"property {point} {axis}" for axis in "xyz"]
    lines += [
        f"element {element} {len(faces)}",
        f"property list {count} {index} vertex_indices",
        "property uchar flag",
    ]
    content = "\n".join([*lines, "end_header", ""]).encode()
    for values in points:
        content += struct.pack(f"{order}3{codes[point]}", *values)
    for corners in faces:
        content += (
            struct.pack(f"{order}{codes[count]}{len(corners)}{codes[index]}", len(corners), *corners) + b"\1"
        )
    return content


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    "types",
    [{}, {"point": "double", "count": "uint", "index": "uint"}, {"index": "ushort", "count": "int"}],
    ids=["usual", "wide", "narrow"],
)
def test_triangles_and_quads_in_one_binary_file(order: str, types: dict[str, str]) -> None:
    facts = read_mesh(ply(POINTS, FACES, order=order, **types))

    assert (facts.faces, facts.vertices, facts.watertight) == (TRIANGLES, 9, True)
    assert facts.extents == (1.0, 1.0, 2.0)


def test_triangles_and_quads_in_one_text_file() -> None:
    head = "ply\nformat ascii 1.0\ncomment a house\nelement vertex 9\nproperty float x\nproperty float y\n"
    head += "property float z\nelement face 9\nproperty list uchar int vertex_index\nend_header\n"
    rows = [" ".join(map(str, point)) for point in POINTS]
    rows += [" ".join(map(str, (len(face), *face))) for face in FACES]

    assert read_mesh((head + "\n".join(rows) + "\n").encode()).watertight


def test_strips_end_where_an_index_says_so() -> None:
    points = [(x, y, 0.0) for x in range(4) for y in range(2)]
    strips = [(0, 1, 2, 3, -1, 4, 5, 6, 7)]

    facts = read_mesh(ply(points, strips, count="int", element="tristrips"))

    assert (facts.faces, facts.extents) == (4, (3.0, 1.0, 0.0))


def test_corners_of_textures_are_no_corners_of_faces() -> None:
    """A second list in each row, of another length."""
    head = "ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\nproperty float z\n"
    head += "element face 2\nproperty list uchar float texcoord\nproperty list uchar int vertex_indices\n"
    head += "end_header\n"
    rows = "0 0 0\n1 0 0\n0 1 0\n2 0.5 0.5 3 0 1 2\n0 3 0 2 1\n"

    assert read_mesh((head + rows).encode()).faces == 2


@pytest.mark.parametrize("share", [0.3, 0.6, 0.99])
def test_one_that_is_cut_off_says_so(share: float) -> None:
    content = ply(POINTS, FACES)

    with pytest.raises(MeshError) as caught:
        read_mesh(content[: int(len(content) * share)])
    assert caught.value.error_class == "truncated"


polygons = st.lists(st.lists(st.integers(0, 8), min_size=3, max_size=7).map(tuple), min_size=1, max_size=30)


@given(
    polygons, st.sampled_from("<>"), st.sampled_from(["uchar", "uint"]), st.sampled_from(["int", "ushort"])
)
def test_whatever_the_lengths_every_polygon_is_cut_into_its_triangles(
    faces: list[tuple[int, ...]], order: str, count: str, index: str
) -> None:
    [surface] = read_ply(ply(POINTS, faces, order=order, count=count, index=index))

    wanted = [(face[0], b, c) for face in faces for b, c in pairwise(face[1:])]
    assert sorted(map(tuple, surface.triangles.tolist())) == sorted(wanted)
    assert np.array_equal(surface.points, POINTS)


def test_lengths_that_alternate_take_no_longer_than_the_file_is_long() -> None:
    """Twice the rows take about twice the time: each row is gone over once."""
    spent = []
    for rows in (20_000, 40_000):
        content = ply(POINTS, [FACES[0], FACES[2]] * (rows // 2))
        began = process_time()
        assert read_mesh(content).faces == rows // 2 * 3
        spent.append(process_time() - began)
    assert spent[1] < 6 * spent[0]
