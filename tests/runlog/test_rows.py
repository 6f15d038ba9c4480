"""Records as judging reads them: the same as records, whatever names come when."""

from __future__ import annotations

import re
from math import isnan
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import astuple

from genload.runlog.lines import to_lines
from genload.runlog.reader import open_run
from genload.runlog.records import RequestRecord, RunHeader
from genload.runlog.rows import Fields, Row, RowDecoder, rows_of

WORD = st.text(st.characters(codec="utf-8"), max_size=3)
NAMES = st.dictionaries(WORD, st.floats(allow_nan=False, allow_infinity=False), max_size=3)
LABELS = st.dictionaries(WORD, st.text(st.characters(codec="utf-8"), min_size=1), max_size=2)
NO_NAME = re.compile(r'[\x00-\x1f"\\]')


def there(fields: Fields) -> dict[str, object]:
    """What a row has of a mapping."""
    pairs = zip(fields.__struct_encode_fields__, astuple(fields), strict=True)
    return {name: value for name, value in pairs if value != "" and value == value}


def record(n: int, **fields: object) -> RequestRecord:
    return RequestRecord(source="local", n=n, name="generate", **fields)  # type: ignore[arg-type]


@given(st.lists(st.tuples(NAMES, NAMES, LABELS), min_size=1, max_size=6), st.integers(1, 3))
def test_a_row_has_what_its_record_has(
    kinds: list[tuple[dict[str, float], dict[str, float], dict[str, str]]], at_once: int
) -> None:
    records = [
        record(n, stages=stages, numbers=numbers, labels=labels)
        for n, (stages, numbers, labels) in enumerate(kinds)
    ]
    decoder, rows = RowDecoder(), list[Row]()
    for first in range(0, len(records), at_once):
        rows += decoder.decode_lines(to_lines(records[first : first + at_once]))
    for one, row in zip(records, rows, strict=True):
        for mapping in ("stages", "numbers", "labels"):
            told = getattr(one, mapping).items()
            assert there(getattr(row, mapping)) == {k: v for k, v in told if not NO_NAME.search(k)}


def test_what_else_a_row_has() -> None:
    told = {
        "operation": "generate",
        "phase": "steady",
        "warmup": True,
        "intended_s": 0.5,
        "start_s": 1.0,
        "duration_s": 2.0,
        "outcome": "failed",
        "drained": True,
        "error_class": "timeout",
        "error": "too slow",
        "remark": "not looked into",
        "gaps": {3: 7},
    }
    [row] = rows_of([record(4, **told)])
    assert {name: getattr(row, name) for name in told} == told
    assert (row.source, row.n) == ("local", 4)


def test_a_number_that_one_record_has_is_missing_in_the_others() -> None:
    first, second, third = rows_of([record(0), record(1, numbers={"faces": 12.0}), record(2)])
    assert there(second.numbers) == {"faces": 12.0}
    assert all(isnan(value) for row in (first, third) for value in astuple(row.numbers))


@pytest.mark.parametrize("line", [b'{"source":"a","n":0,"numbers":{"faces":"many"}}', b'{"n":0}', b"{"])
def test_a_line_that_is_no_record_is_refused(line: bytes) -> None:
    decoder = RowDecoder()
    for decode, text in ((decoder.decode, line), (decoder.decode_lines, line + b"\n")):
        with pytest.raises(msgspec.DecodeError):
            decode(text)


def test_a_damaged_file_gives_the_same_rows_as_records(tmp_path: Path, header: RunHeader) -> None:
    lines = to_lines([record(n, numbers={f"number{n % 3}": float(n)}) for n in range(2_000)]).split(b"\n")
    lines[700] = lines[700][:40]
    lines[900] = lines[901]  # twice, and 900 is lost
    (tmp_path / "run.json").write_bytes(msgspec.json.encode(header))
    (tmp_path / "requests.jsonl").write_bytes(b"\n".join(lines)[:-30])
    as_records, as_rows = open_run(tmp_path), open_run(tmp_path)
    records = list(as_records.requests())
    rows = [row for block in as_rows.rows() for row in block]
    assert [row.n for row in rows] == [one.n for one in records]
    assert [there(row.numbers) for row in rows] == [one.numbers for one in records]
    assert as_rows.problems == as_records.problems != []
    assert as_rows.missing_records() == as_records.missing_records() == {"local": 2}
