"""What is drawn over the time of a run, against what was recorded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from genload.analysis.judged import JudgedRun
from genload.reporting.page import path
from genload.reporting.page.against import against_length
from genload.reporting.page.panel import MOST_IN_A_CLOUD, Panel, Trace
from genload.reporting.page.timeline import Timeline, timeline

from ...analysis.memory_log import job
from .recorded_runs import job_records, recorded, spoken
from .test_path import Point, read


def drawn(run: JudgedRun) -> Timeline:
    found = timeline(run)
    assert found is not None
    return found


def panel(line: Timeline, title: str) -> Panel:
    return next(each for each in (*line.panels, *line.folded) if each.title == title)


def trace(of: Panel, name: str) -> Trace:
    return next(each for each in of.traces if each.name == name)


def values(of: Panel, name: str) -> list[list[float]]:
    """What a reader of the picture reads off it, in the unit of the axis, piece by piece."""
    height = of.axis.high - of.axis.low
    return [
        [of.axis.high - y / path.HEIGHT * height for _, y in piece] for piece in read(trace(of, name).path)
    ]


def starts(pieces: list[list[Point]], line: Timeline) -> list[float]:
    return [piece[0][0] / path.WIDTH * line.length_s for piece in pieces]


def test_every_request_is_a_point_at_its_start_and_failures_are_marked(tmp_path: Path) -> None:
    line = drawn(recorded(tmp_path, job_records(100, failed_every=10)))
    duration = panel(line, "duration")
    completed, failed = (read(trace(duration, name).path) for name in ("completed", "failed"))
    assert (len(completed), len(failed)) == (90, 10)
    assert starts(failed, line) == pytest.approx([n / 2 for n in range(1, 100, 10)], abs=0.01)
    assert {value for piece in values(duration, "completed") for value in piece} == {1.0}
    assert {value for piece in values(duration, "failed") for value in piece} == {3.0}


def test_percentiles_are_over_every_attempt_and_leave_the_picture_where_failures_reach_them(
    tmp_path: Path,
) -> None:
    duration = panel(drawn(recorded(tmp_path, job_records(100, failed_every=10))), "duration")
    assert {value for piece in values(duration, "p50") for value in piece} == {1.0}
    assert max(value for piece in values(duration, "p95") for value in piece) > duration.axis.high


def test_throughput_adds_up_to_the_requests(tmp_path: Path) -> None:
    line = drawn(recorded(tmp_path, job_records(100, failed_every=10)))
    throughput = panel(line, "throughput")
    for name, ended in (("completed", 90), ("failed", 10)):
        [piece] = read(trace(throughput, name).path)
        [heights] = values(throughput, name)
        areas = [
            (after[0] - before[0]) / path.WIDTH * line.length_s * height
            for before, after, height in zip(piece, piece[1:], heights, strict=False)
        ]
        assert sum(areas) == pytest.approx(ended, rel=0.03)


def test_stages_lie_one_upon_the_other(tmp_path: Path) -> None:
    stages = panel(drawn(recorded(tmp_path, job_records(120))), "stages, mean")
    assert [each.name for each in stages.traces] == ["queue", "run"]
    [queue], [run] = values(stages, "queue"), values(stages, "run")
    half = len(queue) // 2
    assert (queue[:half], queue[half:]) == (
        pytest.approx([0.2] * half, abs=0.01),
        pytest.approx([0.0] * half),
    )
    assert (run[:half], run[half:]) == (
        pytest.approx([1.0] * half, abs=0.01),
        pytest.approx([0.2] * half, abs=0.01),
    )


def test_machines_are_told_apart_and_a_hole_is_no_line(tmp_path: Path) -> None:
    line = drawn(recorded(tmp_path))
    utilisation = panel(line, "gpu.utilisation")
    assert [each.name for each in utilisation.traces] == ["gpu 0, exposition", "gpu 1, exposition"]
    pieces = values(utilisation, "gpu 0, exposition")
    assert len(pieces) == 2
    assert {round(value) for piece in pieces for value in piece} == {90}
    assert [each.title for each in line.folded] == ["server.restarts"]


def test_what_happened_is_marked_where_it_was(tmp_path: Path) -> None:
    marks = drawn(recorded(tmp_path)).marks
    assert [(mark.time, mark.text) for mark in marks] == [
        ("21 s", "the service restarted"),
        ("30 s", "the disk is slow"),
    ]


def test_phases_and_time_begin_with_the_load(tmp_path: Path) -> None:
    line = drawn(recorded(tmp_path))
    assert line.length_s == 60.0
    assert [(each.name, each.left, each.right) for each in line.phases] == [("steady", 0, path.WIDTH)]
    assert [tick.text for tick in line.ticks] == ["10 s", "20 s", "30 s", "40 s", "50 s", "60 s"]


def test_of_many_requests_a_bounded_number_is_drawn_and_it_says_so(tmp_path: Path) -> None:
    records = [job(n, n / 200, 1.0 + (n == 7000)) for n in range(12_000)]
    duration = panel(drawn(recorded(tmp_path, records)), "duration")
    points = read(trace(duration, "completed").path)
    assert 0.8 * MOST_IN_A_CLOUD < len(points) <= MOST_IN_A_CLOUD
    assert max(value for piece in values(duration, "completed") for value in piece) == 2.0
    assert duration.note.startswith("of 12,000 requests about 3,000 are drawn")


def test_duration_against_length_has_its_own_axis(tmp_path: Path) -> None:
    found = against_length(spoken(tmp_path))
    assert found is not None
    assert found.across.ticks == ("200", "100", "0")
    assert {piece[0][0] for piece in read(found.panel.traces[0].path)} == {1000, 3000, 5000, 7000, 9000}


def test_without_records_there_is_no_picture(any_run: JudgedRun, tmp_path: Path) -> None:
    assert timeline(any_run) is None
    assert against_length(any_run) is None
    assert timeline(recorded(tmp_path, [])) is None


def test_texts_of_one_length_are_not_drawn_against_it(
    make_run: Callable[..., JudgedRun], tmp_path: Path
) -> None:
    assert against_length(recorded(tmp_path)) is None
