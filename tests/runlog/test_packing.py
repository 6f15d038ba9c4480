"""Packed request records: read as before, and never lost while they are packed."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genload.errors import RunDirectoryError
from genload.runlog import packing
from genload.runlog.packing import pack
from genload.runlog.reader import open_run
from genload.runlog.records import RequestRecord, RunEnded, RunHeader
from genload.runlog.writer import RunWriter

COUNT = 20_000


def record(n: int) -> RequestRecord:
    identifier = f"{n * 2654435761 % 2**64:016x}"
    numbers = {"ttfa_s": n / 7, "rtf": 1 / (n + 3)}
    return RequestRecord(
        source="local", n=n, name="speech", operation="speech", request_id=identifier, numbers=numbers
    )


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run of some MB that has ended."""
    folder = tmp_path / "run"
    writer = RunWriter(folder)
    writer.header(
        RunHeader(
            format=1,
            suite={},
            requested={},
            scenario="x",
            phases=[],
            operation="speech",
            stages=[],
            started_at="2026-11-21T10:00:00+00:00",
            seed=1,
        )
    )
    for n in range(COUNT):
        writer.requests([record(n)])
    writer.event(RunEnded(t_s=1.0, records={"local": COUNT}))
    writer.close()
    return folder


def numbers_of(folder: Path) -> list[int]:
    return [record.n for record in open_run(folder).requests()]


def test_packed_records_are_read_as_before_and_take_less_room(run: Path) -> None:
    plain = (run / "requests.jsonl").stat().st_size
    pack(run)
    assert sorted(path.name for path in run.iterdir()) == ["events.jsonl", "requests.jsonl.gz", "run.json"]
    assert (run / "requests.jsonl.gz").stat().st_size < plain / 2
    log = open_run(run)
    assert list(log.requests()) == [record(n) for n in range(COUNT)]
    assert (log.problems, log.missing_records()) == ([], {})
    pack(run)  # it has been done
    assert numbers_of(run) == list(range(COUNT))


@pytest.mark.processes
def test_one_command_shows_plain_and_packed_records(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "_MEMBER_BYTES", 1 << 20)  # several members
    plain = (run / "requests.jsonl").read_bytes()
    command = "zcat -f requests.jsonl*"
    assert command in (Path(__file__).parents[2] / "docs" / "run-directory.md").read_text()
    for _ in range(2):
        shown = subprocess.run(["sh", "-c", command], cwd=run, capture_output=True, check=True).stdout
        assert shown == plain
        pack(run)
    assert (run / "requests.jsonl.gz").read_bytes().count(b"\x1f\x8b\x08") >= 3


def test_a_small_run_stays_as_it_is(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "LEAST_BYTES", 1 << 30)
    pack(run)
    assert (run / "requests.jsonl").is_file() and not (run / "requests.jsonl.gz").exists()


@pytest.mark.parametrize("ended", ["while it packed", "before it removed the lines"])
def test_whatever_ends_it_the_records_are_there(run: Path, ended: str) -> None:
    if ended == "while it packed":
        (run / "requests.jsonl.gz.part").write_bytes(b"\x1f\x8b\x08 half")
    else:
        before = run.with_name("before")
        shutil.copytree(run, before)
        pack(before)
        shutil.copy(before / "requests.jsonl.gz", run)
    assert numbers_of(run) == list(range(COUNT))
    pack(run)
    assert sorted(path.name for path in run.iterdir()) == ["events.jsonl", "requests.jsonl.gz", "run.json"]
    assert numbers_of(run) == list(range(COUNT))


def test_a_full_disk_leaves_the_plain_lines(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunDirectoryError, match=r"stays as it is: No space left on device"):
        pack(run)
    assert sorted(path.name for path in run.iterdir()) == ["events.jsonl", "requests.jsonl", "run.json"]


def test_what_cannot_be_unpacked_is_told_and_the_rest_is_read(run: Path) -> None:
    pack(run)
    path = run / "requests.jsonl.gz"
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 64] = bytes(64)
    path.write_bytes(content)
    log = open_run(run)
    read = [record.n for record in log.requests()]
    assert 0 < len(read) < COUNT and read == list(range(len(read)))
    assert log.missing_records() == {"local": COUNT - len(read)}
    assert log.problems[0].startswith("requests.jsonl: cannot be unpacked from byte ")


def test_a_packed_file_that_is_cut_off_is_read_up_to_there(run: Path) -> None:
    pack(run)
    path = run / "requests.jsonl.gz"
    path.write_bytes(path.read_bytes()[:50_000])
    log = open_run(run)
    read = [record.n for record in log.requests()]
    assert read == list(range(len(read))) and 0 < len(read) < COUNT
    assert log.problems == ["requests.jsonl: is not whole: its end is not there"]


@given(st.binary(min_size=1, max_size=40), st.integers(1, 6000), st.integers(1, 4), st.data())
def test_whatever_is_packed_is_read_as_it_was_or_its_damage_is_told(
    pattern: bytes, times: int, members: int, data: st.DataObject
) -> None:
    content = pattern * times
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        path = Path(folder) / "requests.jsonl"
        path.write_bytes(content)
        patch.setattr(packing, "LEAST_BYTES", 0)
        patch.setattr(packing, "_MEMBER_BYTES", max(1, len(content) // members))
        patch.setattr(packing, "_BLOCK_BYTES", 4096)
        pack(path.parent)
        there = path.with_name("requests.jsonl.gz")
        whole = there.read_bytes()
        assert b"".join(packing.blocks(path)) == content == gzip.decompress(whole)
        there.write_bytes(gzip.compress(content, mtime=0))  # as zlib packs
        assert b"".join(packing.blocks(path)) == content
        wrong = bytearray(whole)
        wrong[data.draw(st.integers(10, len(wrong) - 5))] ^= 1 << data.draw(st.integers(0, 7))
        there.write_bytes(wrong)
        with suppress(packing.DamagedError):  # some bits of a member's head say nothing
            assert b"".join(packing.blocks(path)) == content
        there.write_bytes(whole[: -data.draw(st.integers(1, 8))])
        with pytest.raises(packing.DamagedError):
            [*packing.blocks(path)]


def test_a_packed_run_is_never_added_to(run: Path) -> None:
    pack(run)
    for name in ("run.json", "events.jsonl"):
        (run / name).unlink()
    with pytest.raises(RunDirectoryError, match="holds a run already"):
        RunWriter(run)


def test_the_parts_before_and_after_a_place_are_the_whole(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "_MEMBER_BYTES", 1 << 18)
    path = run / "requests.jsonl"
    whole = path.read_bytes()
    for _ in range(2):
        near = packing.middle(path)
        assert near is not None
        for further in (0, 1, 70_000, 150_000):
            cut = packing.Cut(near.member, near.offset + further)
            before, after = b"".join(packing.blocks(path, end=cut)), b"".join(packing.blocks(path, cut))
            assert before and after and before + after == whole
        pack(run)
    assert near.member > 0


def test_the_place_in_the_middle_is_between_two_lines(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "_MEMBER_BYTES", 1 << 18)
    path = run / "requests.jsonl"
    size = path.stat().st_size
    for _ in range(2):
        cut = packing.middle(path)
        assert cut is not None
        before = b"".join(packing.blocks(path, end=cut))
        assert before.endswith(b"}\n") and abs(len(before) - size / 2) < size / 4
        pack(run)


@pytest.mark.parametrize("further", [-(1 << 17), 0, 1 << 17, 1 << 30])
def test_the_place_near_the_middle_is_as_far_from_it_as_asked_for(
    run: Path, monkeypatch: pytest.MonkeyPatch, further: int
) -> None:
    monkeypatch.setattr(packing, "_MEMBER_BYTES", 1 << 16)
    path = run / "requests.jsonl"
    size = path.stat().st_size
    wanted = size / 2 + min(further, size // 4)
    for _ in range(2):
        cut = packing.middle(path, further)
        assert cut is not None
        before = b"".join(packing.blocks(path, end=cut))
        assert before.endswith(b"}\n") and abs(len(before) - wanted) < size / 8
        pack(run)


def test_a_file_of_one_member_has_no_place_in_the_middle(run: Path) -> None:
    pack(run)
    assert packing.middle(run / "requests.jsonl") is None
