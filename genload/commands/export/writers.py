"""Files of tables. A writer takes rows as they come, and leaves a whole file or none."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from genload.errors import UsageError
from genload.plain import plain

_ROWS_AT_ONCE = 1 << 16
_FORMULA = ("=", "+", "-", "@")


class Column(NamedTuple):
    """`kind` is str, int, float or bool."""

    name: str
    kind: type


Writer = Callable[[Path, str, Sequence[Column], Iterable[Sequence[Any]]], Path]
"""Writes a table of this name into a folder; the file."""


def writer(form: str) -> Writer:
    """That of ``csv`` or ``parquet``.

    Raises:
        UsageError: what it needs is not installed.
    """
    if form == "csv":
        return _csv
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError as error:
        raise UsageError(
            "Parquet needs pyarrow, which is not installed", remedy="pip install 'genload[parquet]'"
        ) from error
    return _parquet


def _csv(folder: Path, name: str, columns: Sequence[Column], rows: Iterable[Sequence[Any]]) -> Path:
    path, unfinished = folder / f"{name}.csv", folder / f".{name}.csv"
    with unfinished.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow([column.name for column in columns])
        lines.writerows([_cell(value) for value in row] for row in rows)
    return unfinished.replace(path)


def _cell(value: Any) -> Any:
    """Text on one line; and as text, where a spreadsheet would take a service's words for a formula."""
    if isinstance(value, str):
        text = plain(value)
        return f"'{text}" if text.startswith(_FORMULA) else text
    return int(value) if isinstance(value, bool) else value


def _parquet(folder: Path, name: str, columns: Sequence[Column], rows: Iterable[Sequence[Any]]) -> Path:
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    types = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
    schema = pa.schema([(column.name, types[column.kind]) for column in columns])
    path, unfinished = folder / f"{name}.parquet", folder / f".{name}.parquet"
    with ParquetWriter(unfinished, schema) as file:
        left = iter(rows)
        while some := list(islice(left, _ROWS_AT_ONCE)):
            whole = zip(*some, strict=True)
            arrays = [pa.array(values, kind) for values, kind in zip(whole, schema.types, strict=True)]
            file.write_table(pa.Table.from_arrays(arrays, schema=schema))
    return unfinished.replace(path)
