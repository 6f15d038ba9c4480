"""Telling mesh files apart by their bytes, and holding their declared sizes against what is there.

Every count in a header is a claim of the service under test: one number in 84 bytes may ask a parser for
200 GB. So each claim is checked against the length of the file before any parser sees it. This is also
what tells a file that was cut off from one that was never a mesh.
"""

from __future__ import annotations

import re
import struct

import numpy as np

from genload.artifacts.mesh.facts import MeshError

STL_HEADER_BYTES, STL_TRIANGLE_BYTES = 84, 50
_TEXT_SAMPLE = 4096
_CONTROLS = bytes(byte for byte in range(32) if byte < 9 or byte > 13)


def tell_format(content: bytes, hint: str = "") -> tuple[str, int]:
    """Which mesh format the bytes are in, and how many triangles they claim at least.

    Args:
        hint: the format that the file's name claims; decides only what an unreadable file is called.

    Returns:
        (``stl``, ``stl_ascii``, ``obj``, ``glb``, ``gltf`` or ``ply``; triangles that a parser must find: 0
        for glTF and PLY, whose readers hold the claims of a file against its bytes themselves).

    Raises:
        MeshError: empty, cut off, contradicting itself, or no mesh at all.
    """
    if not content:
        raise MeshError("empty_mesh", "the file is empty")
    if content.startswith(b"glTF"):
        return "glb", 0
    if re.match(rb"ply\s*[\r\n]", content):
        return "ply", 0
    if len(content) >= STL_HEADER_BYTES and _stl_length(content) == len(content):
        return "stl", stl_triangles(content)
    if is_text(content):
        return _tell_text(content)
    return "stl", _check_odd_stl(content, hint)


def is_text(content: bytes) -> bool:
    """Whether it begins as a text does."""
    sample = content[:_TEXT_SAMPLE]
    return len(sample.translate(None, _CONTROLS)) == len(sample)


def _tell_text(content: bytes) -> tuple[str, int]:
    start = content[:_TEXT_SAMPLE].lstrip().lower()
    if start.startswith(b"solid"):
        return "stl_ascii", _check_stl_ascii(content)
    if start.startswith(b"{") and re.search(rb'"asset"\s*:', content):
        return "gltf", 0
    if start.startswith((b"<", b"{", b"[")):
        kind = "HTML or XML" if start.startswith(b"<") else "JSON"
        raise MeshError("not_a_mesh", f"the file is {kind}: {_excerpt(content)}")
    if re.search(rb"^[ \t]*v[ \t]", content, re.MULTILINE):
        return "obj", _check_obj(content)
    raise MeshError("not_a_mesh", f"the file is text but no mesh: {_excerpt(content)}")


def _excerpt(content: bytes) -> str:
    return " ".join(content[:200].decode("utf-8", "replace").split())[:80]


# --- STL: 80 bytes of anything, a count, and 50 bytes a triangle; nothing in it says "STL"


def stl_triangles(content: bytes) -> int:
    """How many triangles the header of a binary STL says that it has."""
    return int(struct.unpack_from("<I", content, 80)[0])


def _stl_length(content: bytes) -> int:
    return STL_HEADER_BYTES + STL_TRIANGLE_BYTES * stl_triangles(content)


def _check_odd_stl(content: bytes, hint: str) -> int:
    """Bytes that are no text and no other format, and whose length is not what an STL's count says."""
    if len(content) < STL_HEADER_BYTES:
        raise MeshError(
            "truncated" if hint == "stl" else "not_a_mesh",
            f"{len(content)} bytes of no known mesh format, fewer than the header of an STL",
        )
    looks_right = _plausible_triangles(content)
    # Random bytes would pass for an STL that was cut off; only the triangles that are there can tell.
    if not looks_right and (hint != "stl" or len(content) >= STL_HEADER_BYTES + STL_TRIANGLE_BYTES):
        raise MeshError("not_a_mesh", "the file is binary but of no known mesh format")
    count = stl_triangles(content)
    if count == 0:
        raise MeshError("empty_mesh", "the STL says that it has no triangle")
    if len(content) < _stl_length(content):
        raise MeshError("truncated", f"the STL says {count} triangles, its {len(content)} bytes hold fewer")
    return count  # what follows the last triangle is some writer's own and no harm


def _plausible_triangles(content: bytes) -> bool:
    """Whether the first whole triangles have numbers of a sane size, which random bytes do not have.

    Normals may have any length: many writers do not care.
    """
    whole = min((len(content) - STL_HEADER_BYTES) // STL_TRIANGLE_BYTES, 16)
    if whole <= 0:
        return False
    rows = np.frombuffer(content, np.uint8, whole * STL_TRIANGLE_BYTES, STL_HEADER_BYTES).reshape(whole, -1)
    numbers = np.abs(rows[:, :48].copy().view("<f4"))
    sane = ((numbers < 1e9) & ((numbers > 1e-15) | (numbers == 0))).all(axis=1)
    return bool(sane.mean() > 0.5)


def with_plain_lines(content: bytes) -> bytes:
    """A text whose lines end with LF, none of them continued: with CR alone it is one line for a parser."""
    if b"\r" in content:
        content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return content.replace(b"\\\n", b" ") if b"\\\n" in content else content


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
