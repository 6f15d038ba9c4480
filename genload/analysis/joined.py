"""The requests of several runs in one table, one run after the other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from genload.analysis.table import Coded, RequestTable

_APART_S = 1.0


def joined(tables: Sequence[RequestTable]) -> RequestTable:
    """The tables as one; each begins after everything in the one before has ended, so that no request of
    a run meets one of another."""
    shifts_s = _shifts_s(tables)

    def moved(column: str) -> np.ndarray:
        pairs = zip(tables, shifts_s, strict=True)
        return np.concatenate([getattr(table, column) + shift_s for table, shift_s in pairs])

    names = dict.fromkeys(name for table in tables for name in table.numbers)
    labels = dict.fromkeys(name for table in tables for name in table.labels)
    sizes = [len(table) for table in tables]
    return RequestTable(
        start_s=moved("start_s"),
        end_s=moved("end_s"),
        duration_s=np.concatenate([table.duration_s for table in tables]),
        outcome=np.concatenate([table.outcome for table in tables]),
        error_class=_words([table.error_class for table in tables], sizes),
        drained=np.concatenate([table.drained for table in tables]),
        numbers={name: np.concatenate([_number(table, name) for table in tables]) for name in names},
        labels={
            name: _words([table.labels.get(name, (None, ("",))) for table in tables], sizes)
            for name in labels
        },
        said=_said(tables),
        heard=_heard(tables, sizes),
        warmup_codes=(sum(t.warmup_codes[0] for t in tables), sum(t.warmup_codes[1] for t in tables)),
        unheard=next((table.unheard for table in tables if table.unheard), ""),
    )


def _shifts_s(tables: Sequence[RequestTable]) -> list[float]:
    shifts_s, until_s = [], 0.0
    for table in tables:
        first_s = float(table.start_s.min()) if len(table) else 0.0
        shifts_s.append(until_s - first_s)
        until_s += float(table.end_s.max()) - first_s + _APART_S if len(table) else 0.0
    return shifts_s


def _number(table: RequestTable, name: str) -> np.ndarray:
    found = table.numbers.get(name)
    return np.full(len(table), np.nan) if found is None else found


def _words(columns: Sequence[Coded | tuple[None, tuple[str, ...]]], sizes: Sequence[int]) -> Coded:
    """Codes of the words of all; "" is 0 in each."""
    known = {"": 0}
    found = []
    for (codes, words), size in zip(columns, sizes, strict=True):
        new = np.array([known.setdefault(word, len(known)) for word in words], dtype=np.int32)
        found.append(np.zeros(size, dtype=np.int32) if codes is None or not len(codes) else new[codes])
    return np.concatenate(found), tuple(known)


def _said(tables: Sequence[RequestTable]) -> np.ndarray | None:
    known = [table.said for table in tables if table.said is not None]
    if not known:
        return None
    return np.concatenate(
        [np.zeros(len(t), dtype=known[0].dtype) if t.said is None else t.said for t in tables]
    )


def _heard(tables: Sequence[RequestTable], sizes: Sequence[int]) -> dict[int, str]:
    firsts = np.cumsum([0, *sizes[:-1]]).tolist()
    return {
        first + row: digits
        for first, table in zip(firsts, tables, strict=True)
        for row, digits in table.heard.items()
    }
