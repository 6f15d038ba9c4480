"""The tolerant reader: every damage that a killed run, a full disk or a crashed machine can leave."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genload.errors import RunDirectoryError
from genload.runlog import reader
from genload.runlog.reader import open_run
from genload.runlog.records import (
    ClientHealth,
    LoadStarted,
    RequestRecord,
    RunEnded,
    RunHeader,
    RunStarted,
    Sample,
    Users,
)
from genload.runlog.writer import RunWriter

Make = Callable[..., RequestRecord]
REQUESTS, EVENTS, SAMPLES = "requests.jsonl", "events.jsonl", "samples.jsonl"


def numbers(folder: Path) -> list[int]:
    return [record.n for record in open_run(folder).requests()]


# --- what was written comes back ------------------------------------------------------------------


def test_a_sound_directory_reads_back_as_written(small_run: Path, header: RunHeader, record: Make) -> None:
    log = open_run(small_run)
    assert log.header == header
    assert list(log.requests()) == [
        record(n, error="gefällt nicht", stages={"run": 0.25 * n}) for n in range(3)
    ]
    assert list(log.events()) == [
        RunStarted(t_s=0.0, wall_time="2026-11-21T20:00:00Z"),
        LoadStarted(t_s=0.5),
        RunEnded(t_s=9.0, records={"local": 3}),
    ]
    assert list(log.samples()) == [
        Sample(t_s=0.0, monitor="host", values={"host.cpu": 0.5}),
        Sample(t_s=1.0, monitor="host", values={"host.cpu": 0.5}),
    ]
    assert log.problems == []
    assert log.missing_records() == {}
    assert log.ended == RunEnded(t_s=9.0, records={"local": 3})


def test_it_can_be_read_again_and_does_not_count_twice(small_run: Path) -> None:
    log = open_run(small_run)
    assert len(list(log.requests())) == len(list(log.requests())) == 3
    assert log.problems == []


texts = st.text(st.characters(exclude_categories=[]), max_size=20)
finite = st.floats(allow_nan=False, allow_infinity=False)
events = st.one_of(
    st.builds(RunStarted, t_s=finite, wall_time=texts),
    st.builds(LoadStarted, t_s=finite),
    st.builds(
        Users,
        t_s=finite,
        target=st.integers(0, 100),
        working=st.integers(0, 100),
        in_flight=st.integers(0, 100),
        leaving=st.integers(0, 100),
    ),
    st.builds(
        ClientHealth,
        t_s=finite,
        source=texts,
        lags_ms=st.lists(finite, max_size=3),
        cpu=finite,
        rss_bytes=st.integers(0, 2**60),
    ),
)


@given(
    st.lists(
        st.builds(
            RequestRecord,
            source=st.just("local"),
            n=st.just(0),
            name=texts,
            error=texts,
            start_s=finite,
            labels=st.dictionaries(texts, texts, max_size=2),
            numbers=st.dictionaries(texts, finite, max_size=2),
        ),
        max_size=4,
    ),
    st.lists(events, max_size=4),
)
def test_whatever_is_written_comes_back(
    tmp_path_factory: pytest.TempPathFactory, requests: list[RequestRecord], said: list[object]
) -> None:
    folder = tmp_path_factory.mktemp("run")
    writer = RunWriter(folder)
    writer.header(
        RunHeader(format=1, suite={}, requested={}, scenario="x", phases=[], operation="generate", stages=[])
    )
    for n, record in enumerate(requests):
        record.n = n
        writer.requests([record])
    for event in said:
        writer.event(event)  # type: ignore[arg-type]
    writer.close()
    log = open_run(folder)
    written = [without_surrogates(msgspec.to_builtins(record)) for record in requests]
    assert [msgspec.to_builtins(record) for record in log.requests()] == written
    told = [without_surrogates(msgspec.to_builtins(event)) for event in said]
    assert [msgspec.to_builtins(event) for event in log.events()] == told
    assert log.problems == []


def without_surrogates(value: object) -> object:
    """What UTF-8 cannot hold is written as a question mark."""
    return json.loads(
        json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"),
        object_pairs_hook=dict,
    )


# --- cut off --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [REQUESTS, EVENTS, SAMPLES])
def test_cut_off_at_every_byte_it_keeps_every_whole_line(small_run: Path, name: str) -> None:
    content = (small_run / name).read_bytes()
    read = {
        REQUESTS: lambda log: list(log.requests()),
        EVENTS: lambda log: list(log.events()),
        SAMPLES: lambda log: list(log.samples()),
    }[name]
    whole = read(open_run(small_run))
    ends = [at for at, byte in enumerate(content) if byte == ord("\n")]
    for length in range(len(content) + 1):
        (small_run / name).write_bytes(content[:length])
        log = open_run(small_run)
        kept = sum(1 for end in ends if end <= length)
        assert read(log) == whole[:kept], length
        at_a_line_end = length == 0 or length in ends or length - 1 in ends
        assert log.problems == ([] if at_a_line_end else [f"{name}: last line cut off"]), length


def test_cut_off_at_every_byte_the_header_is_refused_with_a_remedy(small_run: Path) -> None:
    path = small_run / "run.json"
    content = path.read_bytes().rstrip()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(RunDirectoryError, match=r"run\.json cannot be read") as raised:
            open_run(small_run)
        assert "damaged" in raised.value.remedy


@pytest.mark.parametrize("name", [REQUESTS, EVENTS, SAMPLES])
def test_a_missing_file_is_a_problem_not_an_error(small_run: Path, name: str) -> None:
    (small_run / name).unlink()
    log = open_run(small_run)
    assert log.problems == [f"{name}: missing"]
    assert len(list(log.requests())) == (0 if name == REQUESTS else 3)


def test_without_monitors_no_samples_are_missed(small_run: Path, header: RunHeader) -> None:
    header.monitors = []
    (small_run / "run.json").write_bytes(msgspec.json.encode(header))
    (small_run / SAMPLES).unlink()
    assert open_run(small_run).problems == []


# --- damaged in the middle ------------------------------------------------------------------------


@pytest.mark.parametrize("zeros", [1, 4096, 3 * 2**18])
def test_zero_bytes_at_the_end_are_told(small_run: Path, zeros: int) -> None:
    with (small_run / REQUESTS).open("ab") as file:
        file.write(b"\0" * zeros)
    log = open_run(small_run)
    assert [record.n for record in log.requests()] == [0, 1, 2]
    assert log.problems == [f"requests.jsonl: {zeros} zero bytes where lines should be"]


def test_records_after_zero_bytes_are_kept(small_run: Path, record: Make) -> None:
    with (small_run / REQUESTS).open("ab") as file:
        file.write(b"\0" * 100 + msgspec.json.encode(record(3)) + b"\n")
    assert numbers(small_run) == [0, 1, 2, 3]


def test_lines_that_do_not_parse_are_named_by_number(small_run: Path) -> None:
    lines = (small_run / REQUESTS).read_bytes().splitlines()
    lines[1:1] = [b"garbage", b'{"source": "local"}', b"\xff\xfe", b'{"n": "three"}', b"[" * 5000, b"7"]
    (small_run / REQUESTS).write_bytes(b"\n".join(lines) + b"\n")
    log = open_run(small_run)
    assert [record.n for record in log.requests()] == [0, 1, 2]
    assert log.problems == ["requests.jsonl: 6 lines cannot be read (2, 3, 4, 5, 6, …)"]


def test_a_line_torn_by_a_line_end_is_not_joined_again(small_run: Path) -> None:
    content = (small_run / REQUESTS).read_bytes()
    first = content.index(b",")
    (small_run / REQUESTS).write_bytes(content[: first + 1] + b"\n" + content[first + 1 :])
    log = open_run(small_run)
    assert [record.n for record in log.requests()] == [1, 2]
    assert log.problems == ["requests.jsonl: 2 lines cannot be read (1, 2)"]


def test_line_numbers_count_over_blocks(
    tmp_path: Path, header: RunHeader, record: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "_BLOCK_BYTES", 64)
    lines = [msgspec.json.encode(record(n)) for n in range(50)]
    lines[40] = b"garbage"
    (tmp_path / "run.json").write_bytes(msgspec.json.encode(header))
    (tmp_path / REQUESTS).write_bytes(b"\n".join(lines) + b"\n")
    log = open_run(tmp_path)
    assert [record.n for record in log.requests()] == [n for n in range(50) if n != 40]
    assert log.problems[0] == "requests.jsonl: line 41 cannot be read"
    assert log.missing_records() == {"local": 1}


def test_a_line_without_an_end_does_not_fill_the_memory(
    small_run: Path, record: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "_BLOCK_BYTES", 64)
    monkeypatch.setattr(reader, "_MAX_LINE_BYTES", 256)
    longer = b'{"x": "' + b"x" * 2000 + b'"}\n'
    with (small_run / REQUESTS).open("ab") as file:
        file.write(longer + msgspec.json.encode(record(3)) + b"\n")
    log = open_run(small_run)
    assert [record.n for record in log.requests()] == [0, 1, 2, 3]
    assert log.problems == ["requests.jsonl: line 4 cannot be read"]


@given(st.lists(st.binary(max_size=40), max_size=6), st.sampled_from([REQUESTS, EVENTS, SAMPLES]))
def test_no_bytes_can_crash_it(
    tmp_path_factory: pytest.TempPathFactory, junk: list[bytes], name: str
) -> None:
    folder = tmp_path_factory.mktemp("junk")
    good = {
        REQUESTS: b'{"source":"local","n":0,"name":"generate"}',
        EVENTS: b'{"event":"load_started","t_s":0.5}',
        SAMPLES: b'{"t_s":0.0,"monitor":"host"}',
    }[name]
    (folder / "run.json").write_bytes(
        b'{"format":1,"suite":{},"requested":{},"scenario":"x","phases":[],"operation":"","stages":[]}'
    )
    (folder / name).write_bytes(b"\n".join([*junk, good, b""]))
    log = open_run(folder)
    read = [*log.requests(), *log.events(), *log.samples()]
    assert len(read) >= 1
    lines = [line for part in junk for line in part.split(b"\n") if line.strip(b"\0").strip()]
    assert len(lines) == 0 or log.problems != []


@given(st.binary(max_size=200))
def test_no_header_can_crash_it(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.mktemp("header")
    (folder / "run.json").write_bytes(content)
    with pytest.raises(RunDirectoryError):
        open_run(folder)


# --- other versions -------------------------------------------------------------------------------


def test_fields_of_a_newer_version_are_ignored(small_run: Path) -> None:
    for name in (REQUESTS, EVENTS, SAMPLES, "run.json"):
        content = (small_run / name).read_bytes()
        (small_run / name).write_bytes(content.replace(b"{", b'{"from_the_future":[{"a":null}],', 1))
    log = open_run(small_run)
    assert len([*log.requests(), *log.events(), *log.samples()]) == 8
    assert log.problems == []


def test_events_of_a_newer_version_are_left_out_and_told(small_run: Path) -> None:
    with (small_run / EVENTS).open("ab") as file:
        file.write(b'{"event":"gpu_melted","t_s":1}\n{"event":"load_ended"}\n')
    log = open_run(small_run)
    assert len(list(log.events())) == 3
    assert log.problems == [
        "events.jsonl: line 5 cannot be read",
        "events.jsonl: 1 lines of a kind that only a newer genload knows were left out",
    ]


def test_a_newer_format_is_refused_with_a_remedy(small_run: Path) -> None:
    (small_run / "run.json").write_text('{"format": 2, "everything": "else"}')
    with pytest.raises(RunDirectoryError, match=r"format 2; .* up to 1") as raised:
        open_run(small_run)
    assert "newer genload" in raised.value.remedy


def test_a_folder_that_is_no_run_directory_is_told(tmp_path: Path) -> None:
    with pytest.raises(RunDirectoryError, match="is no run directory") as raised:
        open_run(tmp_path)
    assert "<scenario>" in raised.value.remedy
    with pytest.raises(RunDirectoryError, match="is no run directory"):
        open_run(tmp_path / "absent")


def test_a_path_that_cannot_be_read_is_told(small_run: Path) -> None:
    (small_run / REQUESTS).unlink()
    (small_run / REQUESTS).mkdir()
    with pytest.raises(RunDirectoryError, match=r"requests\.jsonl cannot be read: Is a directory"):
        list(open_run(small_run).requests())


# --- records that are missing ---------------------------------------------------------------------


def rewrite(folder: Path, records: list[RequestRecord], said: dict[str, int] | None) -> None:
    (folder / REQUESTS).write_bytes(msgspec.json.Encoder().encode_lines(records))
    events = [] if said is None else [RunEnded(t_s=9.0, records=said)]
    (folder / EVENTS).write_bytes(msgspec.json.Encoder().encode_lines(events))


def test_missing_records_are_counted_by_source(small_run: Path, record: Make) -> None:
    records = [record(n, "w0") for n in (0, 1, 4, 2)] + [record(n, "w1") for n in (2, 3)]
    rewrite(small_run, records, {"w0": 7, "w1": 4, "w2": 3, "w3": 0})
    log = open_run(small_run)
    assert log.missing_records() == {"w0": 3, "w1": 2, "w2": 3}
    assert log.problems == []


def test_of_a_killed_run_the_holes_are_counted(small_run: Path, record: Make) -> None:
    rewrite(small_run, [record(n) for n in (0, 1, 5)], None)
    log = open_run(small_run)
    assert log.ended is None
    assert log.missing_records() == {"local": 3}


def test_a_record_that_came_twice_counts_once(small_run: Path, record: Make) -> None:
    rewrite(small_run, [record(n) for n in (0, 1, 1, 0, 2)], {"local": 3})
    log = open_run(small_run)
    assert [record.n for record in log.requests()] == [0, 1, 2]
    assert log.missing_records() == {}
    assert log.problems == ["requests.jsonl: 2 records are there more than once, and were counted once"]
