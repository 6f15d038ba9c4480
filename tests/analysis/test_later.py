"""Very many records are read by two processes, and judged as if one had read them."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genload.analysis import later
from genload.analysis.judge import judge
from genload.analysis.table import table_of
from genload.analysis.taken import Taken
from genload.reporting import suite_of, write_reports
from genload.runlog.noted import Noted
from genload.runlog.packing import middle, pack
from genload.runlog.reader import open_run
from genload.runlog.records import RequestRecord
from genload.runlog.rows import rows_of

from .memory_log import job, sound_run, write

COUNT = 3_000


def unlike(n: int) -> RequestRecord:
    """Records that differ in what they have."""
    numbers = {f"number{n % 3}": float(n)} if n % 5 else {}
    labels = {"voice": "abc"[n % 3]} if n % 7 else {}
    outcome, said = ("failed", "") if n % 11 == 0 else ("ok", "12" if n % 2 else "")
    more: dict[str, Any] = {"numbers": numbers, "labels": labels, "said": said, "gaps": {n % 4: 1}}
    if n % 13 == 0:
        more |= {"heard": str(n), "intended_s": 9.0 + n / 100}
    return job(n, n / 100, 1.0, outcome, error_class="x" if outcome == "failed" else "", **more)


def taken_of(records: list[RequestRecord]) -> Taken:
    taken = Taken("generate")
    taken.add(rows_of(records))
    return taken


@given(st.integers(0, 60), st.integers(0, 60))
def test_what_two_have_taken_is_what_one_would_have_taken(first: int, second: int) -> None:
    records = [unlike(n) for n in range(first + second)]
    whole, before, after = map(taken_of, (records, records[:first], records[first:]))
    after.settle()
    before.join(pickle.loads(pickle.dumps(after)))  # noqa: S301  as it comes from the other process
    for name in ("gaps", "remarks", "last_end_s"):
        assert getattr(before, name) == getattr(whole, name)
    assert before.failures.by_class == whole.failures.by_class
    one, two = table_of(whole.measured), table_of(before.measured)
    assert {*one.numbers} == {*two.numbers} and {*one.labels} == {*two.labels}
    for name, column in one.numbers.items():
        np.testing.assert_array_equal(column, two.numbers[name])
    for label, (codes, values) in {**one.labels, "": one.error_class}.items():
        other_codes, other_values = two.labels[label] if label else two.error_class
        assert [values[code] for code in codes] == [other_values[code] for code in other_codes]
    for name in ("start_s", "end_s", "duration_s", "outcome", "drained"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    assert one.heard == two.heard and [*(one.said if one.said is not None else [])] == [
        *(two.said if two.said is not None else [])
    ]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return write(sound_run([unlike(n) for n in range(COUNT)]), tmp_path / "suite" / "normal")


def judged(
    folder: Path, monkeypatch: pytest.MonkeyPatch, least_bytes: int, *, ended: bool = False
) -> tuple[Any, list[bool]]:
    """All that is judged of it; and of each process that read a half, whether what it read was used.

    Args:
        ended: the process has ended, by whatever, before it is asked.
    """
    used: list[bool] = []

    class Watched(later.LaterHalf):
        def noted(self) -> Noted | None:
            if ended:
                self._process.kill()
                self._process.wait()
            return super().noted()

        def __exit__(self, *raised: Any) -> None:
            used.append(self.taken is not None)
            super().__exit__(*raised)

    monkeypatch.setattr(later, "LaterHalf", Watched)
    monkeypatch.setattr(later, "LEAST_BYTES", least_bytes)
    monkeypatch.setattr(later, "cores_there", lambda: 2)
    [path] = write_reports(suite_of([judge(folder)]), folder, ["results_json"])
    return json.loads(path.read_text()), used


@pytest.mark.processes
def test_two_processes_judge_as_one_does(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone, used = judged(run, monkeypatch, 1 << 40)
    assert used == [] and alone["total_requests"] == COUNT
    assert judged(run, monkeypatch, 0) == (alone, [True])
    monkeypatch.setattr("genload.runlog.packing.LEAST_BYTES", 0)
    monkeypatch.setattr("genload.runlog.packing._MEMBER_BYTES", 1 << 17)
    pack(run)
    assert judged(run, monkeypatch, 0) == (alone, [True])


@pytest.mark.processes
def test_a_process_that_was_begun_ahead_is_the_one_that_is_used(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(later, "LEAST_BYTES", 0)
    with later.reading_ahead(run.parent), later.reading_ahead(run):
        assert judged(run, monkeypatch, 0)[1] == [] and not later._ahead  # the one from before was
        assert judged(run, monkeypatch, 0)[1] == [True]  # which is used up
    with later.reading_ahead(run / "nothing"):
        pass


@pytest.mark.processes
def test_a_process_ends_whether_anybody_reads_or_not(run: Path) -> None:
    cut = middle(run / "requests.jsonl")
    assert cut is not None
    with later.LaterHalf(run, cut) as half:
        assert half._process.wait(60) == 0
        noted = half.noted()
    assert noted is not None and half.taken is not None
    assert noted.findings.lines == len(half.taken[0].measured.start_s) > COUNT // 3


@pytest.mark.parametrize("ready", [True, False])
def test_who_begins_first_reads_more(run: Path, monkeypatch: pytest.MonkeyPatch, ready: bool) -> None:
    begun: list[int] = []
    monkeypatch.setattr(later, "LEAST_BYTES", 0)
    monkeypatch.setattr(later, "cores_there", lambda: 2)
    monkeypatch.setattr(later, "LaterHalf", lambda folder, cut: begun.append(cut.offset))
    monkeypatch.setattr(later, "sys", SimpleNamespace(modules={"numpy": None} if ready else {}))
    later._started(run)
    [offset] = begun
    half = (run / "requests.jsonl").stat().st_size / 2
    assert half < offset < 2 * half if ready else 0 < offset < half


@pytest.mark.processes
def test_what_a_process_was_to_read_that_has_ended_is_read_by_who_judges(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone, _ = judged(run, monkeypatch, 1 << 40)
    assert judged(run, monkeypatch, 0, ended=True) == (alone, [False])


@pytest.mark.processes
@pytest.mark.parametrize("wrong", ["damaged", "there twice"])
def test_a_later_half_that_is_not_sound_is_read_by_who_judges(
    run: Path, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    path = run / "requests.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    lines[-10] = lines[-10][:20] if wrong == "damaged" else lines[10]
    path.write_bytes(b"".join(lines))
    alone, _ = judged(run, monkeypatch, 1 << 40)
    assert judged(run, monkeypatch, 0) == (alone, [False])
    assert [reason["code"] for reason in alone["verdict"]["reasons"]] == ["records_missing"]
    log = open_run(run)
    assert middle(path) is not None and len(log.problems) == 1
