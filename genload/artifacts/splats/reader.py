"""What a PLY of Gaussian splats holds, as the reference implementation writes it: a vertex for each splat,
with its centre, its colour, the logit of its opacity, the logarithms of its sizes and its rotation.
"""

from __future__ import annotations

from math import log

import numpy as np
from numpy.typing import NDArray

from genload.artifacts.mesh.facts import MeshError
from genload.artifacts.mesh.layout import is_text
from genload.artifacts.mesh.ply_layout import Element, read_layout, require
from genload.artifacts.splats.facts import Point, SplatsError, SplatsFacts

MAX_BYTES = 1 << 30
"""The largest file that is looked into."""

_CENTRE = ("x", "y", "z")
_COLOUR = ("f_dc_0", "f_dc_1", "f_dc_2")
_SIZES = ("scale_0", "scale_1", "scale_2")
_ROTATION = ("rot_0", "rot_1", "rot_2", "rot_3")
_LOOKS = (*_COLOUR, "opacity", *_SIZES, *_ROTATION)
_FAINTEST = log(1 / 254)  # the logit of 1/255: renderers leave out what is fainter
_PACKED = {"packed_position", "packed_color", "packed_scale", "packed_rotation"}
_OTHER_FORMATS = ("splat", "ksplat", "spz", "sog")


def read_splats(content: bytes, hint: str = "") -> SplatsFacts:
    """Look into a file of splats.

    Args:
        hint: the format that its name claims, "" if none; used only to name what cannot be read.

    Raises:
        SplatsError: for anything that is not a PLY with at least one splat that can be seen, and only finite
            ones; ``cannot_inspect`` for a compressed one, and for formats that are no PLY.
    """
    if len(content) > MAX_BYTES:
        raise SplatsError(
            "too_large", f"{len(content)} bytes, more than the {MAX_BYTES} that are looked into"
        )
    if not content:
        raise SplatsError("empty_splats", "the file is empty")
    if not content.startswith(b"ply"):
        if hint in _OTHER_FORMATS and not is_text(content):
            raise SplatsError("cannot_inspect", f"nothing here reads splats as {hint}")
        raise SplatsError("not_splats", "the file is no PLY")
    try:
        elements, body = read_layout(content)
        rows, columns = _vertices(elements, body)
    except MeshError as error:
        other_kind = error.error_class == "not_a_mesh"
        raise SplatsError("not_splats" if other_kind else error.error_class, error.message) from None
    return _facts(rows, columns)


def _vertices(elements: list[Element], body: memoryview) -> tuple[NDArray[np.void], dict[str, str]]:
    """The rows of splats, and the field of each property."""
    at = 0
    for element in elements:
        columns = {each.name: f"{number}" for number, each in enumerate(element.properties)}
        if element.name != "vertex":
            if not element.is_table:
                break
            at += element.count * sum(each.least_bytes for each in element.properties)
            continue
        if element.count == 0:
            raise SplatsError("empty_splats", "the PLY declares no splat")
        if columns.keys() >= _PACKED:
            counted = {"splats": float(element.count)}
            raise SplatsError("cannot_inspect", "nothing here reads compressed splats", counted)
        if missing := [name for name in (*_CENTRE, *_LOOKS) if name not in columns]:
            words = "a mesh or a cloud of points" if len(missing) == len(_LOOKS) else "no splats"
            raise SplatsError("not_splats", f"the PLY has no {', '.join(missing)}: it is {words}")
        if not element.is_table:
            raise SplatsError("not_splats", "the PLY's splats have lists")
        row_type = element.row_type([])
        require(at + element.count * row_type.itemsize, len(body))
        return np.frombuffer(body, row_type, element.count, at), columns
    raise SplatsError("not_splats", "the PLY has no vertices, or lists before them")


def _facts(rows: NDArray[np.void], columns: dict[str, str]) -> SplatsFacts:
    def of(name: str) -> NDArray[np.floating]:
        return rows[columns[name]].astype(np.float64)

    bad = np.zeros(len(rows), bool)
    for name in (*_CENTRE, *_COLOUR, *_ROTATION):
        bad |= ~np.isfinite(of(name))
    for name in _SIZES:
        bad |= ~(of(name) < np.inf)  # flat splats have the logarithm of 0 for a size
    bad |= np.isnan(of("opacity"))  # an opaque one has an infinite logit
    if bad.any():
        raise SplatsError("nan_splats", f"{int(bad.sum())} of {len(rows)} splats are NaN or infinite")
    if not (of("opacity") >= _FAINTEST).any():
        raise SplatsError("empty_splats", f"none of {len(rows)} splats can be seen: all are transparent")
    centres = [of(axis) for axis in _CENTRE]
    low, high = _point([each.min() for each in centres]), _point([each.max() for each in centres])
    alike = all((of(name) == of(name)[0]).all() for name in _LOOKS)
    return SplatsFacts(splats=len(rows), low=low, high=high, is_placeholder=alike or low == high)


def _point(values: list[np.floating]) -> Point:
    x, y, z = (float(value) for value in values)
    return x, y, z
