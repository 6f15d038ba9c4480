"""`genload show`: the slowest, the failed, one request whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from genload.cli import main
from genload.runlog.records import RequestRecord

from ..analysis.memory_log import LOAD_START_S, MemoryLog, job, sound_run, write

IDS = [f"{n:08x}-0000-4000-8000-000000000000" for n in range(40)]


def requests() -> list[RequestRecord]:
    """Forty jobs, each slower than the one before; every tenth fails; the first has a call inside."""
    found = [
        job(
            n,
            n / 2,
            1.0 + n / 100,
            "failed" if n % 10 == 9 else "ok",
            request_id=IDS[n],
            job_id=f"svc-{n}",
            error_class="placeholder" if n % 10 == 9 else "",
            error="a box \x1b[31m[bold]of nothing" if n % 10 == 9 else "",
            stages={"queue": 0.25, "run": 0.75},
            numbers={"polls": 3.0, "poll_bound_s": 0.2},
            labels={"grade": "fine" if n % 2 else "coarse"},
            said="182736",
            heard="18273" if n == 0 else "",
        )
        for n in range(40)
    ]
    call = RequestRecord(
        source="local", n=40, name="upload", type="POST", request_id=IDS[0], start_s=LOAD_START_S, status=200
    )
    return [*found, call]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return write(log(), tmp_path / "probe" / "normal")


def log() -> MemoryLog:
    return sound_run(requests())


def told(capsys: pytest.CaptureFixture[str], *words: object, code: int = 0) -> str:
    assert main(["show", *map(str, words)]) == code
    printed = capsys.readouterr()
    return printed.out + printed.err


def listed(text: str) -> list[int]:
    """Which requests are listed, in their order."""
    return [int(line[:8], 16) for line in text.splitlines() if line[8:9] == "-" and line[:8].isalnum()]


def test_the_slowest_come_first(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = told(capsys, run)
    assert "probe/normal: 40 requests, 4 failed; the slowest:" in text
    assert listed(text) == list(range(39, 29, -1))
    assert "1.39 s" in text and "fine" in text
    assert listed(told(capsys, run, "--most", 2)) == [39, 38]


def test_the_failed_come_in_their_order(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert listed(told(capsys, run, "--failed", "--most", 3)) == [9, 19, 29]


def test_a_suite_folder_with_one_run_will_do(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert listed(told(capsys, run.parent, "--most", 1)) == [39]
    write(log(), run.parent / "other")
    text = told(capsys, run.parent, code=2)
    assert "several runs: normal, other" in text and str(run) in text


@pytest.mark.parametrize("name", [IDS[0], "00000000", "svc-0"])
def test_one_request_is_shown_whole(run: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    text = " ".join(told(capsys, run, name).split())
    assert f"generate {IDS[0]} ok" in text
    for words in (
        "began 10 s after the run did",
        "service's id svc-0",
        "grade coarse",
        "code said 182736",
        "code heard 18273",
        "queue 250 ms ━",
        "run 750 ms ━",
        "POST upload after 0 s",
        "polls 3",
        "poll_bound_s 200 ms",
    ):
        assert words in text


def test_a_failed_one_says_why_and_where_its_output_lies(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = run / "failures" / "placeholder" / f"1-{IDS[9]}.stl"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"solid")
    (kept.parent / f"2-{IDS[19]}.stl").write_bytes(b"solid")
    text = told(capsys, run, IDS[9])
    assert "a box [bold]of nothing" in text and "\x1b" not in text
    assert str(kept) in text.replace("\n", "") and IDS[19] not in text


@pytest.mark.parametrize(
    ("name", "words"),
    [("zzz", "no request of this run begins with 'zzz'"), ("svc-", "40 requests begin with")],
)
def test_a_name_of_none_or_many_is_a_line(
    run: Path, capsys: pytest.CaptureFixture[str], name: str, words: str
) -> None:
    assert words in told(capsys, run, name, code=2)


def test_a_folder_without_a_run_is_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no run in" in told(capsys, tmp_path, code=2)
