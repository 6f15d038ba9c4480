"""A verdict that one process has made and another goes on with: the same, once, and never half of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from genload import reporting
from genload.analysis.handed import hand_over, handed
from genload.analysis.judged import JudgedSuite

WriteRun = Callable[..., Path]
REPORTS = "results_json", "html", "markdown", "junit"


@pytest.mark.parametrize("failed", [0, 3])
def test_every_report_says_of_it_what_it_says_of_the_run(
    write_run: WriteRun, tmp_path: Path, failed: int
) -> None:
    run = write_run(tmp_path / "suite", "one", failed=failed)
    judged = reporting.judge_run(run)
    hand_over(judged, run)
    taken = handed(run)
    assert taken is not None
    texts = []
    for name, runs in (("own", judged), ("taken", taken)):
        suite = JudgedSuite(suite="probe", runs=runs, missing=[], exit_code=0)
        texts.append([path.read_text() for path in reporting.write_reports(suite, tmp_path / name, REPORTS)])
    assert texts[0] == texts[1]
    assert len(taken[0].recorded.requests) == len(judged[0].recorded.requests) == 10
    assert [path.name for path in run.parent.iterdir()] == ["one"]
    assert handed(run) is None


def test_where_it_cannot_be_written_there_is_nothing(write_run: WriteRun, tmp_path: Path) -> None:
    run = write_run(tmp_path / "suite", "one")
    (run.parent / f".{run.name}.judged").mkdir()
    hand_over(reporting.judge_run(run), run)
    assert handed(run) is None
    assert len(list(run.parent.iterdir())) == 2


def test_what_cannot_be_read_is_not_there(write_run: WriteRun, tmp_path: Path) -> None:
    run = write_run(tmp_path / "suite", "one")
    hand_over(reporting.judge_run(run), run)
    [file] = [path for path in run.parent.iterdir() if path.is_file()]
    whole = file.read_bytes()
    for content in (whole[: len(whole) // 2], b"", b"\x90x", b"[]"):
        file.write_bytes(content)
        assert handed(run) is None
        assert not file.exists()
