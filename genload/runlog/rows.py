"""Request records as judging reads them: what it asks for, and no mapping for each record.

Records of one kind have the same labels, stages and numbers. Each name that is met becomes a field of a type
made for it, into which records are decoded from then on: half the time of decoding into mappings, and a row's
numbers are one tuple.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from math import nan
from typing import Any, TypeVar, cast

import msgspec

from genload.runlog.lines import to_lines
from genload.runlog.records import RequestRecord

T = TypeVar("T")

_NO_FIELD = re.compile(r'[\x00-\x1f"\\\ud800-\udfff]')
_NAMED: dict[str, tuple[type, Any]] = {"labels": (str, ""), "stages": (float, nan), "numbers": (float, nan)}
"""The mappings of a record: what their values are, and what stands for one that a record does not have."""


class Fields(msgspec.Struct, frozen=True, gc=False):
    """What stands in the place of a mapping; its type has a field for each name, the names are
    `__struct_encode_fields__`."""


class Row(msgspec.Struct, kw_only=True, gc=False):
    """A part of a RequestRecord; a number that it does not have is NaN, a label ""."""

    source: str
    n: int
    operation: str = ""
    population: str = ""
    phase: str = ""
    warmup: bool = False
    intended_s: float | None = None
    start_s: float = 0.0
    duration_s: float = 0.0
    outcome: str = "ok"
    drained: bool = False
    error_class: str = ""
    error: str = ""
    remark: str = ""
    gaps: dict[int, int] = {}
    said: str = ""
    heard: str | None = None
    labels: Fields = Fields()
    stages: Fields = Fields()
    numbers: Fields = Fields()


class _Names(msgspec.Struct):
    labels: dict[str, msgspec.Raw] = {}
    stages: dict[str, msgspec.Raw] = {}
    numbers: dict[str, msgspec.Raw] = {}


_names = msgspec.json.Decoder(_Names)


class RowDecoder:
    """Decodes lines of records; as a `msgspec.json.Decoder` does, and with its errors.

    A name with a quote, a backslash or a control character cannot be a field. No metric and no label has
    one; what a file has under such a name is left out.
    """

    def __init__(self) -> None:
        self._known: dict[str, dict[str, None]] = {mapping: {} for mapping in _NAMED}
        self._strict = True  # an unknown name is an error, until there is one that cannot be known
        self._decoder = self._made()

    def decode_lines(self, lines: bytes) -> list[Row]:
        return self._decoded(
            lambda: self._decoder.decode_lines(lines), lambda: self._learn(_names.decode_lines(lines))
        )

    def decode(self, line: bytes) -> Row:
        return self._decoded(lambda: self._decoder.decode(line), lambda: self._learn([_names.decode(line)]))

    def _decoded(self, decode: Callable[[], T], learn: Callable[[], bool]) -> T:
        try:
            if not self._strict:
                learn()
            return decode()
        except msgspec.ValidationError:
            if not learn():
                raise
        return decode()

    def _learn(self, records: Iterable[_Names]) -> bool:
        """Whether there is a name among theirs that was not known."""
        before = self._strict, sum(map(len, self._known.values()))
        for record in records:
            for mapping, names in self._known.items():
                told = getattr(record, mapping)
                new = dict.fromkeys(name for name in told if not _NO_FIELD.search(name))
                self._strict = self._strict and len(new) == len(told)
                names.update(new)
        if (self._strict, sum(map(len, self._known.values()))) == before:
            return False
        self._decoder = self._made()
        return True

    def _made(self) -> msgspec.json.Decoder[Row]:
        fields = []
        for mapping, (kind, missing) in _NAMED.items():
            made = _fields(self._known[mapping], kind, missing, strict=self._strict)
            fields.append((mapping, made, made()))
        return msgspec.json.Decoder(msgspec.defstruct("Row", fields, bases=(Row,), kw_only=True, gc=False))


def rows_of(records: Sequence[RequestRecord]) -> list[Row]:
    """Records as they are read once they are written."""
    return RowDecoder().decode_lines(to_lines(records))


def _fields(names: Iterable[str], kind: type, missing: Any, *, strict: bool) -> type[Fields]:
    fields = [
        (f"field{place}", kind, msgspec.field(default=missing, name=name)) for place, name in enumerate(names)
    ]
    made = msgspec.defstruct(
        "Fields", fields, bases=(Fields,), frozen=True, gc=False, forbid_unknown_fields=strict
    )
    return cast(type[Fields], made)
