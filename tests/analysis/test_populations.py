"""Several populations of one run, each judged by itself on what it left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from genload.analysis.intake import intake_of
from genload.analysis.judge import judge_all, judge_log
from genload.analysis.judged import JudgedRun
from genload.analysis.pool import judge_pool
from genload.analysis.populations import PopulationLog, parts_of
from genload.commands.report.rejudging import rejudge
from genload.errors import ConfigError, UsageError
from genload.runlog.reader import Later
from genload.runlog.records import (
    GIVEN_UP,
    Event,
    Identified,
    Notice,
    PhaseStarted,
    PopulationHeader,
    RequestRecord,
    Users,
)
from genload.runlog.rows import Row

from .memory_log import LOAD_START_S, MemoryLog, codes, job, sound_run, write

PHASES = [
    {"name": "alone", "duration_s": 20.0, "users": 2},
    {"name": "together", "duration_s": 40.0, "users": 3},
]


def requests(population: str, duration_s: float, phase: str, count: int, at_s: float) -> list[RequestRecord]:
    return [
        job(0, at_s + n / 10, duration_s, phase=phase, population=population, request_id=f"{population}{n}")
        for n in range(count)
    ]


def population(users: list[int], **more: Any) -> PopulationHeader:
    phases = [{**phase, "users": count} for phase, count in zip(PHASES, users, strict=True)]
    return PopulationHeader(phases=phases, operation="generate", stages=[], **more)


def two_populations() -> MemoryLog:
    """Users `quick` in both phases, users `slow` in the second one."""
    service = {"api": "orfeas", "host": "http://other:1"}
    load = {"shape": {"kind": "phases", "phases": []}, "locustfile": "generation3d"}
    scenario = {
        "shape": {"kind": "phases", "phases": []},
        "purpose": "Both at once",
        "populations": {
            "quick": {
                **load,
                "service": {"api": "orfeas"},
                "criteria": {
                    "fast": "generate.duration.max < 2s",
                    "as_before": "generate.duration.mean{phase=together} <= 150% of "
                    "generate.duration.mean{phase=alone}",
                },
            },
            "slow": {
                **load,
                "service": service,
                "purpose": "In the way",
                "criteria": {"fast": "generate.duration.max < 2s", "up": "server.up.min == 1"},
            },
        },
    }
    records = [
        *requests("quick", 1.0, "alone", 10, 1.0),
        *requests("quick", 1.8, "together", 20, 21.0),
        *requests("slow", 5.0, "together", 30, 21.0),
    ]
    for n, record in enumerate(records):
        record.n = n
    log = sound_run(records, scenarios={"normal": scenario}, gpu_hour_cost={"amount": 2.0})
    log.header.phases, log.header.operation, log.header.stages = PHASES, "", []
    log.header.populations = {"quick": population([2, 2]), "slow": population([0, 1])}
    log.header.requested = log.header.suite
    events: list[Event] = []
    for event in log.happened:
        if isinstance(event, PhaseStarted):
            events.append(PhaseStarted(t_s=LOAD_START_S, phase="alone"))
            events.append(PhaseStarted(t_s=LOAD_START_S + 20, phase="together"))
        elif isinstance(event, Users):
            for name, target in (("quick", 2), ("slow", int(event.t_s > LOAD_START_S + 20))):
                events.append(msgspec.structs.replace(event, target=target, working=target, population=name))
        else:
            events.append(event)
    log.happened = events
    return log


def judged(log: MemoryLog) -> dict[str, JudgedRun]:
    return {run.population: run for run in map(judge_log, parts_of(log))}


def test_each_population_is_judged_on_its_own_requests() -> None:
    runs = judged(two_populations())
    assert {name: run.name for name, run in runs.items()} == {
        "quick": "normal/quick",
        "slow": "normal/slow",
    }
    assert [run.overall.total_requests for run in runs.values()] == [30, 30]
    assert [run.overall.max_duration for run in runs.values()] == pytest.approx([1.8, 5.0])
    results = {
        f"{name}/{each.name}": (each.result, each.value)
        for name, run in runs.items()
        for each in run.verdict.criteria
    }
    assert results == {
        "quick/fast": ("pass", pytest.approx(1.8)),
        "quick/as_before": ("fail", pytest.approx(1.8)),
        "slow/fast": ("fail", pytest.approx(5.0)),
        "slow/up": ("pass", 1.0),  # the monitors saw it for all
    }
    assert [run.purpose for run in runs.values()] == ["Both at once", "In the way"]
    assert [[phase.target_users for phase in run.phases] for run in runs.values()] == [[2, 2], [0, 1]]


def test_each_population_has_the_users_that_it_was_to_have() -> None:
    runs = judged(two_populations())
    assert all(run.verdict.valid for run in runs.values()), [codes(run) for run in runs.values()]
    assert runs["quick"].client.user_seconds_target == pytest.approx(120.0)
    assert runs["slow"].client.user_seconds_target == pytest.approx(40.0)
    log = two_populations()
    log.happened = [
        msgspec.structs.replace(event, working=0)
        if isinstance(event, Users) and event.population == "slow"
        else event
        for event in log.happened
    ]
    assert [codes(run) for run in judged(log).values()] == [[], ["user_seconds"]]


def test_what_is_about_one_is_said_of_it_alone_and_what_is_about_the_run_of_all() -> None:
    log = two_populations()
    log.happened += [
        Notice(t_s=1.0, code="identity", text="no model", population="slow"),
        Notice(t_s=2.0, code="late_worker", text="a worker came late"),
        Identified(t_s=1.0, facts={}, population="slow"),
    ]
    runs = judged(log)
    assert runs["quick"].notices == ["a worker came late"]
    assert runs["slow"].notices == ["no model", "a worker came late"]
    log.happened.append(Notice(t_s=3.0, code=GIVEN_UP, text="the service of slow was given up: gone"))
    assert [run.verdict.exit_code for run in judged(log).values()] == [4, 4]


def test_the_cost_of_a_shared_gpu_is_not_dealt_out() -> None:
    assert [run.efficiency for run in judged(two_populations()).values()] == [None, None]


def test_a_run_of_one_kind_of_users_is_its_own_part() -> None:
    log = sound_run([job(0, 0.0)])
    assert parts_of(log) == [log]
    assert (judge_log(log).population, judge_log(log).name) == ("", "normal")


class Counted(MemoryLog):
    """Counts how often its requests are read."""

    readings = 0

    def rows(self, later: Later | None = None) -> Iterator[list[Row]]:
        self.readings += 1
        return super().rows(later)


def test_the_requests_of_all_populations_are_read_once() -> None:
    log = Counted(**vars(two_populations()))
    alone = {part.header.population: [*part.rows()] for part in parts_of(log)}
    assert log.readings == 2
    parts = parts_of(log)
    runs = {part.header.population: judge_log(part) for part in parts}
    assert log.readings == 3
    found = {name: run.recorded.requests for name, run in runs.items()}
    starts = {name: [row.start_s for block in rows for row in block] for name, rows in alone.items()}
    assert {name: [*table.start_s] for name, table in found.items()} == starts
    # Read again, as when there was no room for them, it is the same.
    again = [intake_of(part.taken()).measured for part in parts if isinstance(part, PopulationLog)]
    assert [[*table.start_s] for table in again] == [*starts.values()] and log.readings == 5


def test_from_a_run_directory_to_its_reports(tmp_path: Path) -> None:
    folder = write(two_populations(), tmp_path / "suite" / "normal")
    assert [run.name for run in judge_all(folder)] == ["normal/quick", "normal/slow"]
    suite, files = rejudge(tmp_path / "suite", None)
    assert suite.exit_code == 1 and suite.missing == []
    names = {path.name for path in files}
    assert {"results_normal.quick.json", "results_normal.slow.json"} <= names
    page = (tmp_path / "suite" / "report.html").read_text(encoding="utf-8")
    assert "normal/quick" in page and "normal/slow" in page
    assert page.count("requests of the others") >= 2 and "slow in flight" in page
    assert 'name="probe.normal/slow"' in (tmp_path / "suite" / "junit.xml").read_text(encoding="utf-8")


def test_other_criteria_are_said_by_population(tmp_path: Path) -> None:
    folder = write(two_populations(), tmp_path / "suite" / "normal")
    rules = tmp_path / "rules.yaml"
    rules.write_text("normal/slow: {slow_enough: generate.duration.max < 6s}\n", encoding="utf-8")
    suite, _ = rejudge(folder, rules)
    assert [[each.name for each in run.verdict.criteria] for run in suite.runs] == [
        ["fast", "as_before"],
        ["slow_enough"],
    ]
    rules.write_text("normal/slwo: {slow_enough: generate.duration.max < 6s}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="no scenario 'normal/slwo'") as caught:
        rejudge(folder, rules)
    assert "normal/slow" in caught.value.remedy


def test_runs_with_populations_are_not_pooled(tmp_path: Path) -> None:
    folders = [write(two_populations(), tmp_path / name) for name in ("one", "two")]
    with pytest.raises(UsageError, match="several populations"):
        judge_pool(folders)
