"""What looking into a mesh finds: facts, or the reason why it is none. No mesh library is needed here."""

from __future__ import annotations

import msgspec

from genload.artifacts.output_error import OutputError

Point = tuple[float, float, float]


class MeshError(OutputError):
    """Some bytes are not the mesh that a finished job owes.

    Attributes:
        error_class: ``empty_mesh`` (no triangle, or none with an area), ``nan_vertices``, ``truncated``,
            ``not_a_mesh`` (another kind of file, or one that contradicts itself); ``cannot_inspect`` for a
            mesh that seems valid, and that nothing here reads.
        numbers: of a mesh that cannot be inspected ``faces`` and ``vertices``, as the file says.
    """


class MeshFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a readable mesh is. Lengths are in the file's own unit.

    Attributes:
        format: ``stl``, ``obj``, ``glb``, ``gltf`` or ``ply``, by content.
        faces: triangles; a polygon counts as the triangles it is cut into, a part used twice counts once.
        vertices: distinct positions, so that formats which repeat them (STL) compare with those that do not.
        low, high: opposite corners of the axis-aligned bounding box of all that is drawn.
        watertight: every edge is shared by exactly two faces, after vertices at the same position were
            joined: of all parts together (one surface in several materials is closed as a whole), or of
            each by itself.
        is_box: nothing but one axis-aligned box, give or take 1e-4 of its size: 12 triangles on the sides
            of its bounding box, which is what services put in place of an output that they failed to make.
    """

    format: str
    faces: int
    vertices: int
    low: Point
    high: Point
    watertight: bool
    is_box: bool

    @property
    def extents(self) -> Point:
        """Width, depth and height of the bounding box."""
        x, y, z = (b - a for a, b in zip(self.low, self.high, strict=True))
        return x, y, z
