"""What was tested, of a finished run: the suite's facts and those of monitors."""

from __future__ import annotations

from genload.analysis.judge import judge_log
from genload.runlog.records import Identified, Sample

from .memory_log import MemoryLog, jobs, sound_run

SOURCES = {
    "driver": {"monitor": "gpu", "field": "gpu.driver"},
    "image": {"env": "IMAGE_DIGEST"},
    "gpu": {"monitor": "gpu"},
}
FACTS = {"gpu.model{gpu=0}": "NVIDIA L4", "gpu.driver": "550.1"}


def run_with(facts: dict[str, str]) -> MemoryLog:
    service = {"api": "orfeas", "identity": SOURCES}
    log = sound_run(jobs(["ok"] * 20), load_s=20.0, service=service)
    log.happened.append(Identified(t_s=1.0, facts={"image": "sha256:9f2c"}))
    log.ticks.insert(0, Sample(t_s=2.0, monitor="gpu", facts=facts))
    return log


def test_the_suites_names_come_first_and_a_named_fact_is_not_said_twice() -> None:
    run = judge_log(run_with(FACTS))
    assert list(run.identity.items()) == [
        ("driver", "550.1"),
        ("image", "sha256:9f2c"),
        ("gpu.model{gpu=0}", "NVIDIA L4"),
    ]
    assert run.notices == []


def test_a_monitor_that_said_nothing_is_a_notice() -> None:
    run = judge_log(run_with({}))
    assert run.identity == {"driver": "unknown", "image": "sha256:9f2c", "gpu": "unknown"}
    assert run.notices == [
        "what was tested: no driver: the monitor gpu did not say gpu.driver",
        "what was tested: no gpu: the monitor gpu did not say what it measures",
    ]


def test_monitors_facts_are_there_without_the_suite_asking() -> None:
    log = sound_run(jobs(["ok"] * 20), load_s=20.0)
    log.ticks.insert(0, Sample(t_s=2.0, monitor="gpu", facts=FACTS))
    assert judge_log(log).identity == FACTS


def test_a_fact_that_the_run_did_not_read_is_unknown_and_the_suites_word_stands() -> None:
    log = run_with(FACTS | {"image": "the monitor's"})
    assert judge_log(log).identity["image"] == "sha256:9f2c"
    log.happened.pop()
    assert judge_log(log).identity["image"] == "unknown"


def test_what_a_monitor_learned_later_counts() -> None:
    log = sound_run(jobs(["ok"] * 20), load_s=20.0)
    log.ticks.insert(0, Sample(t_s=2.0, monitor="exposition", facts={"replicas": "1 of 2 answered"}))
    log.ticks.append(Sample(t_s=40.0, monitor="exposition", facts={"replicas": "2"}))
    assert judge_log(log).identity == {"replicas": "2"}
