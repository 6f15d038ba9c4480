"""The meshes: read back by trimesh, closed, and made of the picture."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
import trimesh
from PIL import Image

from testbed.relief import DEFAULT_DIMENSIONS_MM, FORMATS, make_cube, make_relief

MAGIC = {"glb": b"glTF", "ply": b"ply\n"}


def load(content: bytes, file_format: str) -> trimesh.Trimesh:
    return trimesh.load(io.BytesIO(content), file_type=file_format, force="mesh")


@pytest.mark.parametrize("file_format", FORMATS)
def test_every_format_is_a_closed_mesh_of_the_size_asked_for(
    file_format: str, picture: Callable[..., bytes]
) -> None:
    content = make_relief(picture(1), file_format=file_format, quality=7, dimensions_mm=DEFAULT_DIMENSIONS_MM)
    mesh = load(content, file_format)

    assert content.startswith(MAGIC.get(file_format, b""))
    assert mesh.is_watertight and mesh.is_winding_consistent and mesh.volume > 0
    assert len(mesh.faces) == 2 * 47 * 47 + 3 * 4 * 47
    assert mesh.extents[:2] == pytest.approx([100, 100])
    assert 0.2 * 20 < mesh.extents[2] <= 20


def test_white_is_high_and_black_is_low_where_the_picture_has_them() -> None:
    buffer = io.BytesIO()
    image = Image.new("L", (64, 64), 0)
    image.paste(255, (0, 0, 32, 32))  # upper left
    image.save(buffer, "PNG")
    size = {"width": 10, "height": 20, "depth": 5}
    mesh = load(make_relief(buffer.getvalue(), file_format="ply", quality=5, dimensions_mm=size), "ply")

    high = mesh.vertices[np.isclose(mesh.vertices[:, 2], 5.0)]
    assert len(high) > 50
    assert high[:, 0].max() <= 5.5 and high[:, 1].min() >= 9.5
    assert mesh.bounds[1] == pytest.approx([10, 20, 5])


def test_each_picture_has_a_mesh_of_its_own_and_always_the_same(picture: Callable[..., bytes]) -> None:
    def make(seed: int) -> bytes:
        return make_relief(picture(seed), file_format="stl", quality=3, dimensions_mm=DEFAULT_DIMENSIONS_MM)

    assert make(1) == make(1)
    assert make(1) != make(2)


@pytest.mark.parametrize(("quality", "points"), [(1, 24), (10, 60)])
def test_quality_is_fineness(quality: int, points: int, picture: Callable[..., bytes]) -> None:
    content = make_relief(picture(1), file_format="stl", quality=quality, dimensions_mm=DEFAULT_DIMENSIONS_MM)
    mesh = load(content, "stl")
    assert len(mesh.faces) == 2 * (points - 1) ** 2 + 12 * (points - 1)
    assert mesh.is_watertight


def test_the_placeholder_is_the_cube_that_orfeas_hands_out() -> None:
    cube = load(make_cube(file_format="stl", dimensions_mm=DEFAULT_DIMENSIONS_MM), "stl")
    assert len(cube.faces) == 12
    assert cube.extents == pytest.approx([100, 100, 20])


def test_a_broken_picture_is_an_os_error() -> None:
    with pytest.raises(OSError, match="cannot identify"):
        make_relief(b"no image", file_format="stl", quality=7, dimensions_mm=DEFAULT_DIMENSIONS_MM)
