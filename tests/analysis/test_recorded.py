"""Records and samples as columns: what reports find of a run beside its numbers."""

from __future__ import annotations

import gc
import json
import shutil
import tracemalloc
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from genload.analysis import recorded
from genload.analysis.judge import judge, judge_log
from genload.analysis.judged import JudgedRun
from genload.analysis.table import OUTCOMES
from genload.errors import RunDirectoryError
from genload.reporting import judge_suite_folder, write_reports
from genload.runlog.records import MonitorPlan, Sample, Users

from .memory_log import LOAD_START_S, job, jobs, sound_run, write

READ = ("requests.jsonl", "samples.jsonl")

ASKS_FOR_EVERYTHING = """
def render(suite, folder):
    for run in suite.runs:
        found = run.recorded
        assert len(found.requests) and found.series and found.events and len(found.warmup) == 0
    return []
"""
ASKS_FOR_NOTHING = "def render(suite, folder):\n    return []\n"


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that were opened for reading, in order."""
    names, really_open = list[str](), Path.open

    def noted(path: Path, *args: Any, **options: Any) -> Any:
        names.append(path.name)
        return really_open(path, *args, **options)

    monkeypatch.setattr(Path, "open", noted)
    return names


@pytest.fixture
def three_runs(tmp_path: Path) -> Path:
    """A suite folder with three runs of 60, 70 and 80 jobs."""
    for count in (60, 70, 80):
        write(sound_run(jobs(["ok"] * count), {"all": "generate.attempted >= 50"}), tmp_path / f"run{count}")
    return tmp_path


@pytest.fixture
def report_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Makes a report of one's own from its text; its name."""
    (tmp_path / "reports").mkdir()
    monkeypatch.chdir(tmp_path)

    def make(name: str, text: str) -> str:
        (tmp_path / "reports" / f"{name}.py").write_text(text)
        return name

    return make


def test_a_requests_outcome_phase_labels_stages_and_error_class_are_columns() -> None:
    records = [
        job(0, 2.0, 1.5, labels={"voice": "bella"}, stages={"queue": 0.5, "run": 1.0}),
        job(1, 1.0, 9.0, "failed", error_class="timeout", labels={"voice": "adam"}, phase="peak"),
        job(2, 3.0, 57.0, "unfinished", drained=True, numbers={"faces": 12.0}),
        job(3, -5.0, 1.0, phase="warmup", warmup=True),
    ]
    found = judge_log(sound_run(records)).recorded
    requests = found.requests
    begun_s = LOAD_START_S + np.array([1.0, 2.0, 3.0])
    assert requests.start_s.tolist() == begun_s.tolist()
    assert requests.duration_s.tolist() == [9.0, 1.5, 57.0]
    assert requests.end_s.tolist() == (begun_s + requests.duration_s).tolist()
    assert requests.outcome.tolist() == [OUTCOMES["failed"], OUTCOMES["ok"], OUTCOMES["unfinished"]]
    assert requests.ok.tolist() == [False, True, False]
    assert requests.drained.tolist() == [False, False, True]
    assert requests.failed_with({"timeout"}).tolist() == [True, False, False]
    assert requests.where("phase", "peak").tolist() == [True, False, False]
    assert requests.where("voice", "bella").tolist() == [False, True, False]
    assert requests.values_of("voice") == ("bella", "adam")
    np.testing.assert_array_equal(requests.numbers["stage.run"], [np.nan, 1.0, np.nan])
    np.testing.assert_array_equal(requests.numbers["faces"], [np.nan, np.nan, 12.0])
    assert found.warmup.start_s.tolist() == [LOAD_START_S - 5]


def test_samples_are_series_by_metric_machine_and_monitor() -> None:
    log = sound_run([job(0, 0.0)])
    log.header.monitors = [
        MonitorPlan(name="gpu", interval_s=1.0, metrics=["gpu.power"], source="NVML"),
        MonitorPlan(name="page", interval_s=2.0, metrics=["gpu.power"], source="http://m/metrics"),
    ]
    log.ticks = [
        Sample(t_s=2.0, monitor="gpu", values={"gpu.power{gpu=0}": 70.0, "gpu.power": 110.0}, took_s=0.25),
        Sample(t_s=1.0, monitor="gpu", values={"gpu.power{gpu=1}": 40.0}),
        Sample(t_s=3.0, monitor="gpu", values={"gpu.power{gpu=1}": 41.0}),
        Sample(t_s=2.0, monitor="page", values={"gpu.power": 109.0}),
        Sample(t_s=4.0, monitor="page", error="refused"),
    ]
    found = {
        (each.monitor, each.source, each.name, *each.labels.items()): (each.times_s, each.values)
        for each in judge_log(log).recorded.series
    }
    columns = {key: tuple(column.tolist() for column in both) for key, both in found.items()}
    assert columns == {
        ("gpu", "NVML", "gpu.power"): ([2.0], [110.0]),
        ("gpu", "NVML", "gpu.power", ("gpu", "0")): ([2.0], [70.0]),
        ("gpu", "NVML", "gpu.power", ("gpu", "1")): ([1.0, 3.0], [40.0, 41.0]),
        ("page", "http://m/metrics", "gpu.power"): ([2.0], [109.0]),
    }


def test_what_happened_is_there_in_its_order() -> None:
    log = sound_run([job(0, 0.0)])
    events = judge_log(log).recorded.events
    assert events == log.happened
    assert [event.working for event in events if isinstance(event, Users)] == [2] * 60


def test_a_run_that_never_began_has_columns_without_rows() -> None:
    found = judge_log(sound_run([])).recorded
    assert len(found.requests) == len(found.warmup) == 0
    assert found.requests.duration_s.max(initial=1) == 1


def test_reports_share_what_judging_has_read(
    three_runs: Path, opened: list[str], report_with: Callable[..., str]
) -> None:
    suite = judge_suite_folder(three_runs)
    assert {name: opened.count(name) for name in READ} == dict.fromkeys(READ, 3)
    names = [report_with("charts", ASKS_FOR_EVERYTHING), report_with("tables", ASKS_FOR_EVERYTHING)]
    write_reports(suite, three_runs, names)
    assert {name: opened.count(name) for name in READ} == dict.fromkeys(READ, 3)
    assert suite.runs[0].recorded.requests is suite.runs[0].recorded.requests
    assert suite.runs[0].recorded.series is suite.runs[0].recorded.series


def test_columns_that_do_not_fit_into_memory_are_read_again_when_they_are_asked_for(
    three_runs: Path,
    opened: list[str],
    report_with: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recorded, "KEPT_BYTES", 1)
    suite = judge_suite_folder(three_runs)
    names = [report_with("nothing", ASKS_FOR_NOTHING), "suite_json", "markdown"]
    write_reports(suite, three_runs, names)
    assert {name: opened.count(name) for name in READ} == dict.fromkeys(READ, 3)

    sizes = [len(run.recorded.requests) for run in suite.runs]
    assert sizes == [60, 70, 80]
    assert {name: opened.count(name) for name in READ} == dict.fromkeys(READ, 3 + len(sizes))
    last = suite.runs[-1].recorded
    assert last.series and last.events and len(last.requests) == 80  # that of the run in use is kept
    assert {name: opened.count(name) for name in READ} == dict.fromkeys(READ, 3 + len(sizes))


def test_those_asked_for_last_are_kept(
    three_runs: Path, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    suite = judge_suite_folder(three_runs)
    first, second, third = (run.recorded for run in suite.runs)
    two_bytes = sum(each._there().size_bytes for each in (first, third))
    monkeypatch.setattr(recorded, "KEPT_BYTES", two_bytes)
    assert len(first.requests) == 60
    opened.clear()
    assert len(third.requests) == 80 and not opened
    assert len(second.requests) == 70 and opened.count(READ[0]) == 1


def test_a_run_directory_that_is_gone_is_a_clear_error(
    three_runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorded, "KEPT_BYTES", 1)
    suite = judge_suite_folder(three_runs)
    (three_runs / "run60" / "requests.jsonl").unlink()
    (three_runs / "run60" / "requests.jsonl").mkdir()
    with pytest.raises(RunDirectoryError, match=r"requests\.jsonl cannot be read"):
        suite.runs[0].recorded.requests  # noqa: B018
    shutil.rmtree(three_runs / "run70")
    assert len(suite.runs[2].recorded.requests) == 80


def test_no_report_can_change_what_another_one_finds() -> None:
    found = judge_log(
        sound_run(jobs(["ok", "failed"], labels={"voice": "bella"}, stages={"run": 1.0}))
    ).recorded
    columns = [*found.requests.columns, found.series[0].times_s, found.series[0].values]
    assert len(columns) == 5 + 3 + 1 + 2
    for column in columns:
        with pytest.raises(ValueError, match="read-only"):
            column[0] = 7


def test_what_nobody_holds_any_more_is_out_of_memory() -> None:
    judged = judge_log(sound_run(jobs(["ok"] * 20)))
    table = weakref.ref(judged.recorded.requests)
    del judged
    gc.collect()
    assert table() is None


def test_no_more_than_the_columns_is_kept_of_a_run(tmp_path: Path) -> None:
    count = 20_000
    records = [job(n, n / 400, labels={"voice": "bella"}, stages={"run": 1.0}) for n in range(count)]
    folder = write(sound_run(records), tmp_path / "run")
    del records
    judge(folder)  # what is made once in a process is made
    tracemalloc.start()
    try:
        judged = judge(folder)
        gc.collect()
        kept_bytes, _ = tracemalloc.get_traced_memory()
        size_bytes = judged.recorded._there().size_bytes
    finally:
        tracemalloc.stop()
    # Three times and a stage at 8 bytes, three codes at 4, two flags: of the requests.
    assert size_bytes > count * (4 * 8 + 3 * 4 + 2)
    assert kept_bytes < 1.2 * size_bytes + 500_000


OLD_HEADER: dict[str, Any] = {
    "format": 1,
    "requested": {"scenarios": {"normal": {}}},
    "scenario": "normal",
    "phases": [{"name": "steady", "duration_s": 60.0, "users": 2}],
    "operation": "generate",
    "stages": ["run"],
    "metrics": [{"name": "generate.faces", "dimension": "count", "stats": ["min"], "source": "requests"}],
    "monitors": [{"name": "host", "interval_s": 1.0, "metrics": ["host.cpu"]}],
}


def test_a_run_directory_of_an_older_version_has_the_same_columns(tmp_path: Path) -> None:
    folder = tmp_path / "old"
    folder.mkdir()
    suite = sound_run([]).header.suite
    lines = {
        "run.json": [OLD_HEADER | {"suite": suite}],
        "requests.jsonl": [
            {"source": "local", "n": 0, "name": "upload", "start_s": 10.5, "duration_s": 0.25},
            {
                "source": "local",
                "n": 1,
                "name": "generate",
                "operation": "generate",
                "phase": "steady",
                "start_s": 10.5,
                "duration_s": 2.0,
                "stages": {"run": 1.5},
                "numbers": {"faces": 12.0},
            },
        ],
        "events.jsonl": [
            {"event": "load_started", "t_s": 10.0},
            {"event": "users", "t_s": 11.0, "target": 2, "working": 2, "in_flight": 1, "leaving": 0},
        ],
        "samples.jsonl": [{"t_s": 11.0, "monitor": "host", "values": {"host.cpu": 0.5}}],
    }
    for name, decoded in lines.items():
        (folder / name).write_text("".join(f"{json.dumps(line)}\n" for line in decoded))
    judged: JudgedRun = judge(folder)
    found = judged.recorded
    assert found.folder == folder
    assert found.requests.start_s.tolist() == [10.5]
    assert found.requests.numbers["stage.run"].tolist() == [1.5]
    assert found.requests.numbers["faces"].tolist() == [12.0]
    assert [(each.metric, each.values.tolist()) for each in found.series] == [("host.cpu", [0.5])]
