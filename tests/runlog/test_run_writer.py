"""The writer: what it promises about order, whole lines and disks that refuse."""

from __future__ import annotations

import errno
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from genload.errors import RunDirectoryError
from genload.runlog.lines import LineFile
from genload.runlog.reader import open_run
from genload.runlog.records import LoadStarted, Notice, RequestRecord, RunEnded, RunHeader
from genload.runlog.writer import BLOCK, MOST_WAITING_BYTES, RunWriter

Make = Callable[..., RequestRecord]


@pytest.fixture
def writer(tmp_path: Path, header: RunHeader) -> RunWriter:
    writer = RunWriter(tmp_path / "run")
    writer.header(header)
    return writer


def lines_of(folder: Path, name: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / name).read_text(encoding="utf-8").splitlines()]


def test_records_are_one_json_object_a_line_without_defaults(writer: RunWriter, record: Make) -> None:
    writer.requests([record(0, start_s=1.5, duration_s=0.25)])
    writer.event(LoadStarted(t_s=0.5))
    writer.close()
    assert lines_of(writer.folder, "requests.jsonl") == [
        {"source": "local", "n": 0, "name": "generate", "start_s": 1.5, "duration_s": 0.25}
    ]
    assert lines_of(writer.folder, "events.jsonl") == [{"event": "load_started", "t_s": 0.5}]


def test_nothing_is_in_a_file_before_the_flush_and_everything_after_it(
    writer: RunWriter, record: Make
) -> None:
    writer.requests([record(0)])
    assert (writer.folder / "requests.jsonl").read_bytes() == b""
    assert writer.unwritten == 1
    writer.flush()
    assert len(lines_of(writer.folder, "requests.jsonl")) == 1
    assert writer.unwritten == 0


def test_what_came_before_the_header_is_written_after_it(tmp_path: Path, header: RunHeader) -> None:
    writer = RunWriter(tmp_path / "run")
    writer.event(Notice(t_s=0.0, code="not_ready", text="waiting"))
    writer.flush()
    assert list(writer.folder.iterdir()) == []
    writer.header(header)
    writer.close()
    assert len(lines_of(writer.folder, "events.jsonl")) == 1


def test_records_without_a_header_are_not_lost_in_silence(tmp_path: Path, record: Make) -> None:
    writer = RunWriter(tmp_path / "run")
    writer.requests([record(0)])
    with pytest.raises(RunDirectoryError, match="1 records waiting"):
        writer.close()


def test_an_error_text_is_bounded_and_stays_on_its_line(writer: RunWriter, record: Make) -> None:
    writer.requests([record(0, error="line\nline\x00\u2028" + "x" * 5000)])
    writer.requests([record(1, error="x" * 500)])
    writer.close()
    first, second = open_run(writer.folder).requests()
    assert len(first.error) == 500
    assert first.error.startswith("line\nline\x00\u2028x")
    assert first.error.endswith("x…")
    assert second.error == "x" * 500


def test_text_that_is_no_unicode_and_numbers_that_are_none_can_be_read_back(
    writer: RunWriter, record: Make
) -> None:
    writer.requests([record(0, error="bad \ud800 byte", labels={"voice\udcff": "a"})])
    writer.requests([record(1, error="null", numbers={"faces": math.nan, "polls": 3.0, "rtf": math.inf})])
    writer.requests([record(2, start_s=math.nan)])
    writer.close()
    log = open_run(writer.folder)
    first, second = log.requests()
    assert (first.error, first.labels) == ("bad ? byte", {"voice?": "a"})
    assert (second.error, second.numbers) == ("null", {"polls": 3.0})
    assert log.problems == ["requests.jsonl: line 3 cannot be read", "samples.jsonl: missing"]


def test_records_of_several_blocks_come_in_order_with_one_that_cannot_be_written_as_it_is(
    writer: RunWriter, record: Make
) -> None:
    odd = BLOCK + 3
    for n in range(2 * BLOCK + 5):
        writer.requests([record(n, error="bad \ud800 byte" if n == odd else "", numbers={"polls": float(n)})])
    assert writer.unwritten == 2 * BLOCK + 5
    writer.flush()
    assert writer.unwritten == 0
    writer.close()
    found = list(open_run(writer.folder).requests())
    assert [(one.n, one.numbers["polls"]) for one in found] == [(n, n) for n in range(2 * BLOCK + 5)]
    assert {one.n: one.error for one in found if one.error} == {odd: "bad ? byte"}


@pytest.mark.parametrize("name", ["run.json", "requests.jsonl", "events.jsonl", "samples.jsonl"])
def test_a_directory_with_a_run_in_it_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("{}")
    with pytest.raises(RunDirectoryError, match="holds a run already") as raised:
        RunWriter(tmp_path)
    assert "another folder" in raised.value.remedy
    assert (tmp_path / name).read_text() == "{}"


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunDirectoryError, match="Not a directory") as raised:
        RunWriter(tmp_path / "file" / "run")
    assert "--results" in raised.value.remedy


def test_the_header_is_written_once_and_leaves_no_part_behind(writer: RunWriter, header: RunHeader) -> None:
    assert sorted(path.name for path in writer.folder.iterdir()) == [
        "events.jsonl",
        "requests.jsonl",
        "run.json",
    ]
    with pytest.raises(RunDirectoryError, match="written once"):
        writer.header(header)


class FullDisk:
    """`os.write` on a disk with room for some bytes."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.write = os.write

    def __call__(self, fd: int, data: bytes | bytearray) -> int:
        if self.room == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        taken = self.write(fd, bytes(data[: self.room]))
        self.room -= taken
        return taken


@pytest.mark.parametrize("room", [0, 1, 60, 100])
def test_a_full_disk_raises_and_loses_nothing(
    writer: RunWriter, monkeypatch: pytest.MonkeyPatch, room: int, record: Make
) -> None:
    disk = FullDisk(room)
    monkeypatch.setattr("genload.runlog.lines.os.write", disk)
    for n in range(5):
        writer.requests([record(n)])
    with pytest.raises(RunDirectoryError, match=r"No space left on device; \d lines wait") as raised:
        writer.flush()
    assert "make room" in raised.value.remedy
    whole = (writer.folder / "requests.jsonl").read_bytes().count(b"\n")
    assert writer.unwritten == 5 - whole
    writer.requests([record(5)])
    with pytest.raises(RunDirectoryError):
        writer.flush()
    disk.room = 10_000
    writer.close()
    assert writer.unwritten == 0
    assert [record.n for record in open_run(writer.folder).requests()] == list(range(6))


@pytest.mark.parametrize("room", [0, 1000, 2**30])
def test_of_very_many_records_few_wait_and_a_full_disk_is_told_by_the_flush(
    writer: RunWriter, monkeypatch: pytest.MonkeyPatch, record: Make, room: int
) -> None:
    disk = FullDisk(room)
    monkeypatch.setattr("genload.runlog.lines.os.write", disk)
    count = 3 * MOST_WAITING_BYTES // 400
    for n in range(count):
        writer.requests([record(n, error="x" * 400)])
    if room > count * 1000:
        assert 0 < writer.unwritten < MOST_WAITING_BYTES // 400 + BLOCK
        assert size(writer.folder / "requests.jsonl") > MOST_WAITING_BYTES
    else:
        assert size(writer.folder / "requests.jsonl") == room
        with pytest.raises(RunDirectoryError, match="No space left on device"):
            writer.flush()
    disk.room = 2**30
    writer.close()
    assert [record.n for record in open_run(writer.folder).requests()] == list(range(count))


def test_a_really_full_device_is_told_at_the_latest_by_close() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    file = LineFile(Path("/dev/full"))
    file.open()
    file.add(b"{}\n")
    with pytest.raises(RunDirectoryError, match="No space left on device; 1 lines wait"):
        file.close()
    assert file.waiting == 1


def test_a_folder_deleted_during_the_run_is_told(writer: RunWriter, record: Make) -> None:
    writer.requests([record(0)])
    shutil.rmtree(writer.folder)
    with pytest.raises(RunDirectoryError, match="was deleted during the run; 1 lines wait"):
        writer.flush()
    with pytest.raises(RunDirectoryError):
        writer.close()
    assert writer.unwritten == 1


def test_a_folder_renamed_during_the_run_keeps_its_records(writer: RunWriter, record: Make) -> None:
    moved = writer.folder.rename(writer.folder.with_name("moved"))
    writer.requests([record(0)])
    writer.close()
    assert [record.n for record in open_run(moved).requests()] == [0]


def test_close_closes_both_files_even_when_one_refuses(
    writer: RunWriter, monkeypatch: pytest.MonkeyPatch, record: Make
) -> None:
    writer.requests([record(0)])
    monkeypatch.setattr("genload.runlog.lines.os.write", FullDisk(0))
    with pytest.raises(RunDirectoryError):
        writer.close()
    monkeypatch.undo()
    writer.close()
    assert writer.unwritten == 1


KILLED = """
import sys
from pathlib import Path
import msgspec
from genload.runlog.records import RequestRecord, RunHeader
from genload.runlog.writer import RunWriter
writer = RunWriter(Path(sys.argv[1]))
writer.header(msgspec.json.decode(sys.argv[2], type=RunHeader))
n = 0
while True:
    for _ in range(200):
        writer.requests([RequestRecord(source="local", n=n, name="generate", error="x" * (n % 400))])
        n += 1
    writer.flush()
"""


@pytest.mark.processes
def test_a_killed_writer_leaves_every_whole_line_and_at_most_one_cut(
    tmp_path: Path, header: RunHeader
) -> None:
    folder = tmp_path / "run"
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(folder), msgspec.json.encode(header).decode()],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    try:
        wait_for(lambda: process.poll() is not None or size(folder / "requests.jsonl") > 100_000)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    log = open_run(folder)
    numbers = [record.n for record in log.requests()]
    assert numbers == list(range(len(numbers)))
    assert len(numbers) > 200
    assert log.missing_records() == {}
    assert log.ended is None
    assert set(log.problems) <= {"requests.jsonl: last line cut off", "samples.jsonl: missing"}


def size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def wait_for(condition: Callable[[], bool], limit_s: float = 30.0) -> None:
    deadline_s = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def test_the_end_names_the_counts_that_the_reader_holds_against_the_records(
    writer: RunWriter, record: Make
) -> None:
    for n in range(3):
        writer.requests([record(n)])
    writer.event(RunEnded(t_s=1.0, records={"local": 3}))
    writer.close()
    log = open_run(writer.folder)
    assert log.ended == RunEnded(t_s=1.0, records={"local": 3})
    assert log.missing_records() == {}
