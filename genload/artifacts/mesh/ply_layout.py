"""How a PLY is laid out: a text header that declares elements, then their rows, as text or as numbers of
fixed size. What its elements mean is their reader's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from struct import Struct

import numpy as np

from genload.artifacts.mesh.facts import MeshError

_TYPES = {
    **dict.fromkeys(("char", "int8"), "i1"),
    **dict.fromkeys(("uchar", "uint8"), "u1"),
    **dict.fromkeys(("short", "int16"), "i2"),
    **dict.fromkeys(("ushort", "uint16"), "u2"),
    **dict.fromkeys(("int", "int32"), "i4"),
    **dict.fromkeys(("uint", "uint32"), "u4"),
    **dict.fromkeys(("float", "float32"), "f4"),
    **dict.fromkeys(("double", "float64"), "f8"),
    "float16": "f2",
    "int64": "i8",
    "uint64": "u8",
}
_ORDERS = {"binary_little_endian": "<", "binary_big_endian": ">"}
_STRUCT_CODES = dict(
    zip(("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8"), "bBhHiIqQefd", strict=True)
)


@dataclass(frozen=True)
class Property:
    name: str
    type: np.dtype[np.generic]
    count_type: np.dtype[np.generic] | None = None  # of a list: what its length is written in

    @property
    def least_bytes(self) -> int:
        return (self.count_type or self.type).itemsize

    @property
    def count_struct(self) -> Struct | None:
        """Reads the length of a list; None for a property that is no list."""
        if self.count_type is None:
            return None
        kind = self.count_type.str
        return Struct((">" if kind[0] == ">" else "<") + _STRUCT_CODES[kind[1:]])


@dataclass
class Element:
    name: str
    count: int
    properties: list[Property] = field(default_factory=list)

    @property
    def is_table(self) -> bool:
        """Whether all rows are equally long."""
        return all(each.count_type is None for each in self.properties)

    def row_type(self, lengths: list[int]) -> np.dtype[np.void]:
        """A row whose lists have these lengths."""
        left = iter(lengths)
        fields: list[tuple[str, object] | tuple[str, object, int]] = []
        for number, each in enumerate(self.properties):
            if each.count_type is None:
                fields.append((f"{number}", each.type))
            else:
                fields += [(f"{number} count", each.count_type), (f"{number}", each.type, next(left))]
        return np.dtype(fields)


def read_layout(content: bytes) -> tuple[list[Element], memoryview]:
    """The elements that a PLY declares, in their order, and the bytes of their rows: of a text body 8-byte
    numbers, so that one reader serves both.

    Raises:
        MeshError: ``truncated``, ``not_a_mesh``; fewer bytes than are declared.
    """
    end = re.search(rb"^end_header[ \t]*(?:\r\n|\r|\n)", content, re.MULTILINE) or re.search(
        rb"\rend_header[ \t]*\r", content
    )
    if not end:
        raise MeshError("truncated", "the PLY's header has no end")
    lines = content[: end.start()].decode("latin-1").splitlines()
    try:
        order, elements = _header(lines)
    except (ValueError, KeyError, IndexError) as error:
        raise MeshError("not_a_mesh", f"the PLY's header cannot be read: {error}") from None
    body: memoryview = memoryview(content)[end.end() :]
    declared = sum(each.count * sum(p.least_bytes for p in each.properties) for each in elements)
    if order:
        require(declared, len(body))
    else:
        require(sum(each.count for each in elements), len(body))
        body = _numbers(bytes(body))
    return elements, body


def require(declared: int, there: int) -> None:
    if declared > there:
        raise MeshError("truncated", f"the PLY's header declares more than the {there} bytes behind it")


def _header(lines: list[str]) -> tuple[str, list[Element]]:
    """The byte order, "" for text; the elements in their order."""
    order = ""
    elements: list[Element] = []
    for words in map(str.split, lines):
        if words[:1] == ["format"]:
            order = "" if words[1] == "ascii" else _ORDERS[words[1]]
        elif words[:1] == ["element"]:
            if int(words[2]) < 0 or words[1] in {each.name for each in elements}:
                raise ValueError(f"element {words[1]} {words[2]}")
            elements.append(Element(words[1], int(words[2])))
        elif words[:1] == ["property"]:
            types = [
                np.dtype(order + _TYPES[word] if order else "f8") for word in words[1:-1] if word != "list"
            ]
            of_list = words[1] == "list"
            elements[-1].properties.append(Property(words[-1], types[-1], types[0] if of_list else None))
    return order, elements


def _numbers(text: bytes) -> memoryview:
    """A text body as 8-byte numbers. The last word may be half of one: it is left out, and then missing."""
    words = text.split()
    for some in (words, words[:-1]):
        try:
            return memoryview(np.array(some, dtype=np.float64).tobytes())
        except ValueError:
            continue
    raise MeshError("not_a_mesh", "the PLY has rows that are no numbers")
