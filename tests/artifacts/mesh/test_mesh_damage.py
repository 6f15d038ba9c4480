"""What is no mesh: always a MeshError with a class that says what is wrong, never a crash, never a bomb."""

from __future__ import annotations

import json
import struct
import tracemalloc
from typing import Any

import numpy as np
import pytest
import trimesh
from hypothesis import example, given, settings
from hypothesis import strategies as st

from genload.artifacts.mesh.facts import MeshError, MeshFacts
from genload.artifacts.mesh.reader import read_mesh

FORMATS = ("stl", "stl_ascii", "obj", "glb", "ply", "ply_ascii")
CLASSES = {"empty_mesh", "nan_vertices", "truncated", "not_a_mesh", "too_large", "cannot_inspect"}


def exported(mesh: trimesh.Trimesh, form: str) -> bytes:
    if form == "ply_ascii":
        return bytes(trimesh.exchange.ply.export_ply(mesh, encoding="ascii"))
    content = mesh.export(file_type=form)
    return content.encode() if isinstance(content, str) else content


WHOLE = {form: exported(trimesh.creation.icosphere(subdivisions=1), form) for form in FORMATS}


def error_class(content: bytes, hint: str = "") -> str:
    with pytest.raises(MeshError) as caught:
        read_mesh(content, hint)
    assert caught.value.message
    return caught.value.error_class


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_cut_anywhere_is_no_mesh(form: str) -> None:
    content = WHOLE[form]
    cuts = sorted({*range(1, 200), *range(200, len(content) - 1, 97)})
    # Nothing in an OBJ says where it ends: cut behind its first face, it is a smaller mesh. Likewise
    # the last digits of a text's last number, and what follows the last word that a parser needs.
    first_face = content.find(b"\nf ") if form == "obj" else len(content)
    needed = content.rfind(b"endsolid") + 8 if form == "stl_ascii" else len(content.rstrip()) - 2
    found = {error_class(content[:cut], "stl") for cut in cuts if cut < min(first_face, needed)}

    assert found <= {"truncated", "not_a_mesh", "empty_mesh"}


@pytest.mark.parametrize(("form", "share"), [(f, s) for f in FORMATS if f != "obj" for s in (0.5, 0.9, 0.99)])
def test_a_file_cut_in_its_data_is_called_truncated(form: str, share: float) -> None:
    content = WHOLE[form]

    assert error_class(content[: int(len(content) * share)]) == "truncated"


def test_an_obj_cut_inside_a_line_is_called_truncated() -> None:
    content = WHOLE["obj"]
    line = content.index(b"\nf ", len(content) // 2 + 500)

    assert error_class(content[: line + 5]) == "truncated"
    assert error_class(content[: content.index(b"\nv ") + 4]) == "truncated"


def test_an_stl_shorter_than_its_header_is_truncated_only_if_it_calls_itself_stl() -> None:
    assert error_class(WHOLE["stl"][:60], "stl") == "truncated"
    assert error_class(WHOLE["stl"][:60], "") == "not_a_mesh"


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_vertex_that_is_no_number_is_found(form: str, value: float) -> None:
    mesh = trimesh.creation.icosphere(subdivisions=1)
    vertices = mesh.vertices.copy()
    vertices[7] = value
    with np.errstate(invalid="ignore"):
        content = exported(trimesh.Trimesh(vertices, mesh.faces, process=False), form)

    assert error_class(content) == "nan_vertices"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 84,
        b"solid nothing\nendsolid nothing\n",
        b"v 0 0 0\nv 1 0 0\nv 0 1 0\n",
        b"ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nproperty float y\nproperty float z\n"
        b"element face 0\nproperty list uchar int vertex_indices\nend_header\n0 0 0\n",
        b"v 1 1 1\nv 1 1 1\nv 1 1 1\nf 1 2 3\n",
        b"v 0 0 0\nv 1 1 1\nv 3 3 3\nv 0.1 0.1 0.1\nf 1 2 3\nf 1 4 3\nf 2 2 3\n",
    ],
    ids=[
        "no bytes",
        "STL of none",
        "ASCII STL of none",
        "points",
        "PLY of none",
        "all at one point",
        "a line",
    ],
)
def test_a_mesh_without_substance_is_empty(content: bytes) -> None:
    assert error_class(content) == "empty_mesh"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<!doctype html><html><body>502 Bad Gateway</body></html>", "HTML"),
        (b'{"error": "File not found"}', "JSON"),
        (b"Internal Server Error", "Internal Server Error"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4, "binary"),
        (b"PK\x03\x04" + bytes(range(255, -1, -1)) * 4, "binary"),
    ],
)
def test_another_kind_of_file_is_named(content: bytes, said: str) -> None:
    with pytest.raises(MeshError, match=said) as caught:
        read_mesh(content, "stl")
    assert caught.value.error_class == "not_a_mesh"


def test_faces_that_refer_to_no_vertex_are_found() -> None:
    ply = bytearray(WHOLE["ply"])
    ply[-4:] = struct.pack("<i", 4000)

    assert error_class(bytes(ply)) == "not_a_mesh"
    assert error_class(b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 9\n") == "not_a_mesh"


# --- a number in a header must not take the machine's memory


def bomb_glb(**accessor: Any) -> bytes:
    tree: dict[str, Any] = {
        "asset": {"version": "2.0"},
        "buffers": [{"byteLength": 36}],
        "bufferViews": [{"buffer": 0, "byteLength": 36}],
        "accessors": [{"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3", **accessor}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}],
    }
    if accessor.get("bufferView", 0) is None:
        del tree["accessors"][0]["bufferView"]
    text = json.dumps(tree).encode()
    text += b" " * (-len(text) % 4)
    body = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", 36, b"BIN\0") + b"\0" * 36
    return b"glTF" + struct.pack("<II", 2, 12 + len(body)) + body


BOMBS = {
    "stl": b"\0" * 80 + struct.pack("<I", 0xFFFFFFFF) + WHOLE["stl"][84:284],
    "ply": b"ply\nformat binary_little_endian 1.0\nelement vertex 4000000000\nproperty float x\n"
    b"property float y\nproperty float z\nelement face 4000000000\n"
    b"property list uchar int vertex_indices\nend_header\n" + bytes(99),
    "ply rows": b"ply\nformat ascii 1.0\nelement vertex 4000000000\nproperty float x\nelement face 1\n"
    b"property list uchar int vertex_indices\nend_header\n1\n",
    "glb of zeros": bomb_glb(bufferView=None, count=4_000_000_000),
    "glb count": bomb_glb(count=4_000_000_000),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_declared_size_is_not_believed(name: str) -> None:
    tracemalloc.start()
    try:
        found = error_class(BOMBS[name])
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert found in {"truncated", "too_large", "not_a_mesh"}
    assert peak_bytes < 20 * 2**20


def test_views_that_repeat_the_same_bytes_are_too_large() -> None:
    tree = {
        "buffers": [{"byteLength": 1000}],
        "bufferViews": [{"buffer": 0, "byteLength": 1000}] * 5000,
        "accessors": [],
        "meshes": [],
    }
    text = json.dumps(tree).encode()
    body = struct.pack("<I4s", len(text), b"JSON") + text
    body += struct.pack("<I4s", 1000, b"BIN\0") + b"\0" * 1000

    assert error_class(b"glTF" + struct.pack("<II", 2, 12 + len(body)) + body) == "too_large"


# --- whatever comes


def facts_or_reason(content: bytes, hint: str) -> None:
    try:
        facts = read_mesh(content, hint)
    except MeshError as error:
        assert error.error_class in CLASSES
    else:
        assert isinstance(facts, MeshFacts)
        assert facts.faces > 0


STARTS = (
    b"",
    b"glTF\x02\0\0\0",
    b"ply\n",
    b"ply\nformat ascii 1.0\n",
    b"solid x\n",
    b"v 0 0 0\n",
    b"\0" * 80,
)


@given(st.sampled_from(STARTS), st.binary(max_size=600), st.sampled_from(["", "stl", "obj"]))
@settings(max_examples=400)
@example(b"ply\n", b"end_header\n", "")
@example(b"ply\n", b"element face 3\nelement vertex 3\nend_header\n", "")
@example(b"v 0 0 0\n", b"f a b c", "")
@example(b"v 0 0 0\n", b"v x\nf 1 1 1\n", "")
def test_arbitrary_bytes_never_crash(start: bytes, rest: bytes, hint: str) -> None:
    facts_or_reason(start + rest, hint)


@given(st.text(alphabet="vf0123456789 \n/.-+endsolidfacetvertexnormal", max_size=300))
@settings(max_examples=300)
def test_arbitrary_texts_never_crash(text: str) -> None:
    facts_or_reason(text.encode(), "")


@given(st.data())
@settings(max_examples=400)
def test_a_damaged_mesh_never_crashes(data: st.DataObject) -> None:
    content = bytearray(WHOLE[data.draw(st.sampled_from(FORMATS))])
    for _ in range(data.draw(st.integers(1, 6))):
        # Headers are where damage is dangerous: half of it goes there.
        last = 200 if data.draw(st.booleans()) else len(content) - 1
        content[data.draw(st.integers(0, last))] = data.draw(st.integers(0, 255))
    facts_or_reason(bytes(content), "")
