"""Telling mesh files apart by their bytes, and holding their declared sizes against what is there.

Every count in a header is a claim of the service under test: one number in 84 bytes may ask a parser for
200 GB. So each claim is checked against the length of the file before any parser sees it. This is also
what tells a file that was cut off from one that was never a mesh.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping

import numpy as np

from genload.artifacts.mesh.facts import MeshError
from genload.artifacts.mesh.gltf_layout import check_glb

_STL_HEADER, _STL_TRIANGLE = 84, 50
_TEXT_SAMPLE = 4096
_PLY_BYTES = {
    **dict.fromkeys(("char", "uchar", "int8", "uint8"), 1),
    **dict.fromkeys(("short", "ushort", "int16", "uint16", "float16"), 2),
    **dict.fromkeys(("int", "uint", "int32", "uint32", "float", "float32"), 4),
    **dict.fromkeys(("double", "float64", "int64", "uint64"), 8),
}


def tell_format(content: bytes, hint: str = "") -> tuple[str, int]:
    """Which mesh format the bytes are in, and how many triangles they claim at least.

    Args:
        hint: the format that the file's name claims; decides only what an unreadable file is called.

    Returns:
        (``stl``, ``stl_ascii``, ``obj``, ``glb`` or ``ply``; triangles that a parser must find).

    Raises:
        MeshError: empty, cut off, contradicting itself, or no mesh at all.
    """
    if not content:
        raise MeshError("empty_mesh", "the file is empty")
    if content.startswith(b"glTF"):
        return "glb", check_glb(content)
    if re.match(rb"ply\s*[\r\n]", content):
        return "ply", _check_ply(content)
    if len(content) >= _STL_HEADER and _stl_length(content) == len(content):
        return "stl", _stl_count(content)
    if _is_text(content):
        return _tell_text(content)
    return "stl", _check_odd_stl(content, hint)


def _is_text(content: bytes) -> bool:
    sample = content[:_TEXT_SAMPLE]
    control = sum(byte < 9 or 13 < byte < 32 for byte in sample)
    return control == 0


def _tell_text(content: bytes) -> tuple[str, int]:
    start = content[:_TEXT_SAMPLE].lstrip().lower()
    if start.startswith(b"solid"):
        return "stl_ascii", _check_stl_ascii(content)
    if start.startswith((b"<", b"{", b"[")):
        kind = "HTML or XML" if start.startswith(b"<") else "JSON"
        raise MeshError("not_a_mesh", f"the file is {kind}: {_excerpt(content)}")
    if re.search(rb"^[ \t]*v[ \t]", content, re.MULTILINE):
        return "obj", _check_obj(content)
    raise MeshError("not_a_mesh", f"the file is text but no mesh: {_excerpt(content)}")


def _excerpt(content: bytes) -> str:
    return " ".join(content[:200].decode("utf-8", "replace").split())[:80]


# --- STL: 80 bytes of anything, a count, and 50 bytes a triangle; nothing in it says "STL"


def _stl_count(content: bytes) -> int:
    return int(struct.unpack_from("<I", content, 80)[0])


def _stl_length(content: bytes) -> int:
    return _STL_HEADER + _STL_TRIANGLE * _stl_count(content)


def _check_odd_stl(content: bytes, hint: str) -> int:
    """Bytes that are no text and no other format, and whose length is not what an STL's count says."""
    if len(content) < _STL_HEADER:
        raise MeshError(
            "truncated" if hint == "stl" else "not_a_mesh",
            f"{len(content)} bytes of no known mesh format, fewer than the header of an STL",
        )
    looks_right = _plausible_triangles(content)
    # Random bytes would pass for an STL that was cut off; only the triangles that are there can tell.
    if not looks_right and (hint != "stl" or len(content) >= _STL_HEADER + _STL_TRIANGLE):
        raise MeshError("not_a_mesh", "the file is binary but of no known mesh format")
    count = _stl_count(content)
    if count == 0:
        raise MeshError("empty_mesh", "the STL says that it has no triangle")
    if len(content) < _stl_length(content):
        raise MeshError("truncated", f"the STL says {count} triangles, its {len(content)} bytes hold fewer")
    return count  # what follows the last triangle is some writer's own and no harm


def _plausible_triangles(content: bytes) -> bool:
    """Whether the first whole triangles have normals of length 0 or 1 and vertices of a sane size."""
    whole = min((len(content) - _STL_HEADER) // _STL_TRIANGLE, 16)
    if whole <= 0:
        return False
    rows = np.frombuffer(content, np.uint8, whole * _STL_TRIANGLE, _STL_HEADER).reshape(whole, -1)
    numbers = rows[:, :48].copy().view("<f4").astype(np.float64)
    with np.errstate(all="ignore"):
        length = np.linalg.norm(numbers[:, :3], axis=1)
        unit = (np.abs(length - 1) < 0.05) | (length == 0)
        sane = (np.abs(numbers[:, 3:]) < 1e9).all(axis=1)
    return bool((unit & sane).mean() > 0.5)


def stl_without_trailer(content: bytes) -> bytes:
    """The STL as long as its count says; parsers refuse one with anything behind it."""
    return content if len(content) == _stl_length(content) else content[: _stl_length(content)]


def _check_stl_ascii(content: bytes) -> int:
    text = content.lower()
    end = text.rfind(b"endsolid")
    if end < 0 or text.find(b"facet", end) >= 0:
        raise MeshError("truncated", "the ASCII STL has no 'endsolid' at its end")
    count = text.count(b"endfacet")
    if count == 0:
        raise MeshError("empty_mesh", "the ASCII STL has no facet")
    return count


# --- OBJ: lines of text; one that is cut between two lines cannot be told from a whole one


def _check_obj(content: bytes) -> int:
    count = len(re.findall(rb"^[ \t]*f[ \t]", content, re.MULTILINE))
    last = content[content.rfind(b"\n") + 1 :].split()
    if last and last[0] in (b"v", b"f") and len(last) < 4:
        raise MeshError("truncated", f"the OBJ ends inside a line: {_excerpt(b' '.join(last))}")
    if count == 0:
        raise MeshError("empty_mesh", "the OBJ has vertices but no face")
    return count


# --- PLY: a text header that declares elements, then their rows


def _check_ply(content: bytes) -> int:
    end = re.search(rb"^end_header[ \t]*(?:\r\n|\r|\n)", content, re.MULTILINE)
    if not end:
        raise MeshError("truncated", "the PLY's header has no end")
    lines = content[: end.start()].decode("latin-1").splitlines()
    is_ascii = any(line.split()[:2] == ["format", "ascii"] for line in lines)
    try:
        elements = _ply_elements(lines)
    except (ValueError, KeyError, IndexError) as error:
        raise MeshError("not_a_mesh", f"the PLY's header cannot be read: {error}") from None
    body = memoryview(content)[end.end() :]
    if is_ascii:
        _check_ply_rows(bytes(body), elements)
    elif sum(count * size for count, size in elements.values()) > len(body):
        raise MeshError("truncated", f"the PLY's header declares more than the {len(body)} bytes behind it")
    faces = elements.get("face", (0, 0))[0]
    if faces == 0:
        raise MeshError("empty_mesh", "the PLY declares no face")
    return faces


def _ply_elements(lines: list[str]) -> dict[str, tuple[int, int]]:
    """Count and least bytes a row of every element; a face has at least three corners."""
    elements: dict[str, tuple[int, int]] = {}
    name = ""
    for words in map(str.split, lines):
        if words[:1] == ["element"]:
            name, count = words[1], int(words[2])
            if count < 0 or name in elements:
                raise ValueError(f"element {name} {count}")
            elements[name] = (count, 0)
        elif words[:1] == ["property"]:
            count, size = elements[name]
            if words[1] == "list":
                corners = 3 if name == "face" and words[4].startswith("vertex_ind") else 0
                size += _PLY_BYTES[words[2]] + corners * _PLY_BYTES[words[3]]
            else:
                size += _PLY_BYTES[words[1]]
            elements[name] = (count, size)
    return elements


def _check_ply_rows(body: bytes, elements: Mapping[str, tuple[int, int]]) -> None:
    declared = sum(count for count, _ in elements.values())
    rows = body.split(b"\n") if declared <= len(body) else []
    while rows and not rows[-1].strip():
        rows.pop()
    if len(rows) < declared:
        raise MeshError("truncated", f"the PLY declares {declared} rows and has fewer")
    last = rows[-1].split() if rows else []
    if list(elements)[-1:] == ["face"] and last and last[0].isdigit() and len(last) <= int(last[0]):
        raise MeshError("truncated", "the PLY ends inside a row")
