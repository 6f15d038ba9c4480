"""From an output to the numbers of its record, or to a failure with a class."""

from __future__ import annotations

import pytest
import trimesh

from genload.artifacts.mesh.check import MeshCheck
from genload.artifacts.mesh.reader import read_mesh
from genload.service import Artifact, ServiceError


def artifact(mesh: trimesh.Trimesh, form: str = "stl") -> Artifact:
    return Artifact(mesh.export(file_type=form), f"model.{form}", "application/octet-stream")


def test_a_mesh_in_the_ordered_format_gives_its_numbers() -> None:
    numbers = MeshCheck(read_mesh, "stl")(artifact(trimesh.creation.icosphere(subdivisions=1)))

    assert numbers == {"faces": 80, "vertices": 42, "watertight": 1, "format_honoured": 1}


def test_another_format_is_told_and_not_failed() -> None:
    numbers = MeshCheck(read_mesh, "glb")(artifact(trimesh.creation.icosphere(subdivisions=1)))

    assert numbers["format_honoured"] == 0


def test_without_an_ordered_format_nothing_is_said_about_it() -> None:
    numbers = MeshCheck(read_mesh)(artifact(trimesh.creation.icosphere(subdivisions=1), "ply"))

    assert "format_honoured" not in numbers


def test_a_cube_is_a_placeholder_unless_allowed() -> None:
    cube = artifact(trimesh.creation.box())

    with pytest.raises(ServiceError) as caught:
        MeshCheck(read_mesh, "stl")(cube)

    assert caught.value.error_class == "placeholder"
    assert MeshCheck(read_mesh, "stl", allow_placeholder=True)(cube)["faces"] == 12


def test_what_is_no_mesh_fails_with_the_reason_and_the_name() -> None:
    with pytest.raises(ServiceError, match=r"out\.stl: .*JSON") as caught:
        MeshCheck(read_mesh, "stl")(Artifact(b'{"error": "not found"}', "out.stl", ""))

    assert caught.value.error_class == "not_a_mesh"


def test_the_name_decides_what_an_unreadable_stub_is_called() -> None:
    with pytest.raises(ServiceError) as caught:
        MeshCheck(read_mesh, "stl")(Artifact(b"\0" * 40, "out.STL", ""))

    assert caught.value.error_class == "truncated"
