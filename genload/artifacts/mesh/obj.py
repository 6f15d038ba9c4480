"""OBJ: indices that count back, made such as every parser understands."""

from __future__ import annotations

import re

from genload.artifacts.mesh.facts import MeshError

# Not held to the beginning of a line, for speed: what else it finds is written anew, and stays what it was.
_COUNTED_BACK = re.compile(rb"f[ \t][^\n]*-")


def with_absolute_indices(obj: bytes) -> bytes:
    """An OBJ whose faces count vertices from the first on, where some counted back from where they stand.

    trimesh takes those for indices from the end of the file: of a mesh whose vertices and faces take turns it
    makes three vertices. Texture and normal indices of such faces are left out.

    Raises:
        MeshError: a face that has something else than numbers.
    """
    if obj.find(b"-", obj.find(b"\nf")) < 0 or not _COUNTED_BACK.search(obj):
        return obj
    lines: list[bytes] = []
    vertices = 0
    for line in obj.split(b"\n"):
        words = line.split()
        if words[:1] == [b"v"]:
            vertices += 1
        if words[:1] != [b"f"]:
            lines.append(line)
            continue
        try:
            corners = [int(word.partition(b"/")[0]) for word in words[1:]]
        except ValueError:
            raise MeshError("not_a_mesh", "the obj has a face of something else than numbers") from None
        lines.append(b"f " + b" ".join(b"%d" % (vertices + 1 + c if c < 0 else c) for c in corners))
    return b"\n".join(lines)
