"""The records of a run as rows, read twice and never kept: once for the columns, once for the rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from genload.commands.export.writers import Column, Writer
from genload.errors import RunDirectoryError
from genload.runlog.reader import RunLog
from genload.runlog.records import RequestRecord

_FIELDS: Mapping[str, type] = {
    "request_id": str,
    "job_id": str,
    "name": str,
    "type": str,
    "source": str,
    "user": int,
    "phase": str,
    "warmup": bool,
    "intended_s": float,
    "start_s": float,
    "duration_s": float,
    "latency_s": float,
    "outcome": str,
    "drained": bool,
    "error_class": str,
    "error": str,
    "status": int,
    "bytes_sent": int,
    "bytes_received": int,
}
_GROUPS: Mapping[str, tuple[str, type]] = {
    "label": ("labels", str),
    "stage": ("stages", float),
    "number": ("numbers", float),
}
_SAMPLES = [Column("t_s", float), Column("monitor", str), Column("metric", str), Column("value", float)]


def write_tables(log: RunLog, folder: Path, writer: Writer) -> list[Path]:
    """Write ``requests`` and ``samples`` into a folder, which is made; the files.

    Raises:
        RunDirectoryError: the run cannot be read, or the folder not be written.
    """
    columns = _columns(log)
    names = [column.name for column in columns]
    tables = {
        "requests": (columns, (_row(record, names) for record in _requests(log))),
        "samples": (_SAMPLES, _samples(log)),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return [writer(folder, name, *table) for name, table in tables.items()]
    except OSError as error:
        raise RunDirectoryError(
            f"cannot write into {folder}: {error.strerror or error}",
            remedy="name another folder with --into, or free space on its disk",
        ) from error


def _requests(log: RunLog) -> Iterator[RequestRecord]:
    """The requests themselves; the calls inside a job are no rows of their own."""
    return (record for record in log.requests() if record.operation)


def _columns(log: RunLog) -> list[Column]:
    found: dict[str, dict[str, None]] = {group: {} for group in _GROUPS}
    for record in _requests(log):
        for group, (field, _) in _GROUPS.items():
            found[group].update(dict.fromkeys(getattr(record, field)))
    more = [Column(f"{group}.{name}", kind) for group, (_, kind) in _GROUPS.items() for name in found[group]]
    return [*(Column(name, kind) for name, kind in _FIELDS.items()), *more]


def _row(record: RequestRecord, names: list[str]) -> list[Any]:
    return [_value(record, name) for name in names]


def _value(record: RequestRecord, name: str) -> Any:
    group, dot, key = name.partition(".")
    return getattr(record, _GROUPS[group][0]).get(key) if dot else getattr(record, name)


def _samples(log: RunLog) -> Iterator[list[Any]]:
    for sample in log.samples():
        for metric, value in sample.values.items():
            yield [sample.t_s, sample.monitor, metric, value]
