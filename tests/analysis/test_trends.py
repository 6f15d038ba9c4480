"""Trends of whole runs: levels, growth, room left, and what coincides with a change."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from genload.analysis.judge import judge_log
from genload.analysis.judged import JudgedRun
from genload.analysis.judged.trends import MemoryTrend
from genload.analysis.trends import level_change
from genload.runlog.records import LoadEnded, MonitorPlan, Sample

from .memory_log import LOAD_START_S, MemoryLog, job, sound_run

LOAD_S = 600.0
GIB = float(2**30)


def run_of(
    memory: Callable[[float], float], *, jobs: int = 120, **values: Callable[[float], float]
) -> MemoryLog:
    """A run of 600 s whose samples follow functions of the time since the load began; ``__`` is a dot."""
    log = sound_run([job(n, n * LOAD_S / jobs, 4.0) for n in range(jobs)], load_s=LOAD_S)
    series = {"server.memory": memory, **{name.replace("__", "."): of for name, of in values.items()}}
    log.header.monitors = [
        MonitorPlan(name="exposition", interval_s=1.0, metrics=list(series), source="page")
    ]
    log.ticks = [
        Sample(
            t_s=LOAD_START_S + tick + 0.5,
            monitor="exposition",
            values={name: of(tick + 0.5) for name, of in series.items()},
        )
        for tick in range(-8, int(LOAD_S) + 12)
    ]
    return log


def first_of(log: MemoryLog) -> MemoryTrend:
    run = judge_log(log)
    assert run.trends is not None
    return run.trends.memory[0]


def test_a_run_without_samples_has_no_trends() -> None:
    log = sound_run([job(n, n) for n in range(20)])
    log.ticks = []
    assert judge_log(log).trends is None


def test_the_level_is_compared_before_and_after_while_nothing_ran() -> None:
    log = run_of(lambda t: GIB if t < 0 else 3 * GIB if t <= 600 else 1.5 * GIB)
    level = first_of(log).level
    assert (level.before, level.after, level.change, level.missing) == (GIB, 1.5 * GIB, 0.5, "")


def test_the_level_before_is_that_of_a_warm_service() -> None:
    # Cold until the warm-up loads the model: that is no leak.
    log = run_of(lambda t: GIB if t < -7 else 9 * GIB if t <= -4 else 2 * GIB)
    log.records.insert(0, job(999, -7.0, 3.0, phase="warmup", warmup=True))
    level = first_of(log).level
    assert (level.before, level.before_samples, level.change) == (2 * GIB, 4, 0.0)


def test_what_ends_after_the_load_is_not_idle_yet() -> None:
    log = run_of(lambda t: 9 * GIB if 0 <= t <= 606 else GIB)
    log.records.append(job(998, 598.0, 8.0, drained=True))
    level = first_of(log).level
    assert (level.after, level.after_samples, level.change) == (GIB, 6, 0.0)


def test_too_few_idle_samples_are_no_level() -> None:
    level = level_change(np.array([1.0, 2.0]), np.array([1.0, 2.0, 3.0]))
    assert (level.before, level.after, level.change) == (None, 2.0, None)
    assert level.missing == "at least 3 idle samples are needed; 2 before the load"


def test_a_leak_says_when_the_gpu_is_full() -> None:
    log = run_of(
        lambda _: GIB,
        gpu__memory_used=lambda t: 10 * GIB + max(0.0, t) * GIB / 600,
        gpu__memory_total=lambda _: 12 * GIB,
    )
    run = judge_log(log)
    assert run.trends is not None
    server, gpu = run.trends.memory
    assert (server.kind, server.exhausted_after_s, server.limit) == ("none", None, "")
    assert (gpu.kind, gpu.limit) == ("leak", "gpu.memory_total")
    assert gpu.slope == pytest.approx(GIB / 600)
    assert gpu.growth == pytest.approx(0.1, abs=0.01)
    assert gpu.exhausted_after_s == pytest.approx(
        600, abs=15
    )  # 1 GiB left, the last sample 12 s after the load


@pytest.mark.parametrize(
    ("share", "rule", "kind"),
    [
        (0.0005, None, "slight"),
        (0.009, None, "slight"),
        (0.02, None, "leak"),
        (0.02, "server.memory.growth < 5%", "slight"),
        (0.06, "server.memory.growth < 5%", "leak"),
        (0.006, "server.memory.growth < 0.5%", "leak"),
    ],
)
def test_a_leak_is_called_one_from_what_matters_on(share: float, rule: str | None, kind: str) -> None:
    log = run_of(lambda t: GIB * (1 + share * max(t, 0) / LOAD_S))
    if rule:
        log.header.suite["scenarios"]["normal"]["criteria"] = {"memory_stable": rule}
    found = first_of(log)
    assert found.growth == pytest.approx(share, rel=0.05)
    assert found.kind == kind


def test_a_step_too_small_to_matter_is_none_to_speak_of() -> None:
    found = first_of(run_of(lambda t: GIB if t < 420 else 1.004 * GIB))
    assert (found.kind, found.step, found.incidents) == ("slight", None, None)


def test_a_load_under_ten_minutes_shows_no_leak() -> None:
    log = run_of(lambda t: GIB * (1 + 0.1 * max(t, 0) / LOAD_S))
    log.header.phases[0]["duration_s"] = 500.0
    log.happened = [e for e in log.happened if not isinstance(e, LoadEnded)]
    log.happened.append(LoadEnded(t_s=LOAD_START_S + 500))
    found = first_of(log)
    assert (found.kind, found.exhausted_after_s) == ("short", None)
    assert found.growth == pytest.approx(0.08, abs=0.01)


def test_what_is_left_is_told_up_to_ten_times_what_was_watched() -> None:
    def left_s(share: float) -> float | None:
        log = run_of(
            lambda _: GIB,
            gpu__memory_used=lambda t: 10 * GIB * (1 + share * max(0.0, t) / LOAD_S),
            gpu__memory_total=lambda _: 20 * GIB,
        )
        found = judge_log(log).trends
        assert found is not None
        assert found.memory[1].kind == "leak"
        return found.memory[1].exhausted_after_s

    assert left_s(0.12) == pytest.approx(LOAD_S * (1 / 0.12 - 1), rel=0.03)
    assert left_s(0.05) is None, "19 times as long"


def test_memory_of_a_host_that_may_be_another_is_no_limit() -> None:
    grows = run_of(lambda t: GIB * (1 + max(t, 0) / 6000), host__memory_available=lambda _: GIB)
    assert first_of(grows).exhausted_after_s is not None
    monitor = grows.header.monitors[0]
    monitor.metrics.remove("host.memory_available")
    grows.header.monitors.append(
        MonitorPlan(name="host", interval_s=1.0, metrics=["host.memory_available"], source="psutil")
    )
    for tick in list(grows.ticks):
        available = tick.values.pop("host.memory_available")
        grows.ticks.append(Sample(t_s=tick.t_s, monitor="host", values={"host.memory_available": available}))
    assert (first_of(grows).kind, first_of(grows).exhausted_after_s) == ("leak", None)


def test_fewer_than_ten_blocks_decide_nothing_and_say_so() -> None:
    few = first_of(run_of(lambda t: GIB * (1 + t / 600), jobs=9))
    assert (few.kind, few.growth, few.blocks) == (None, None, 9)
    assert (
        few.missing
        == "at least 10 blocks of completed jobs with a sample in each are needed, and there are 9"
    )


def test_holes_decide_nothing() -> None:
    log = run_of(lambda t: GIB)
    log.ticks = log.ticks[::2]
    assert first_of(log).missing == "300 of 600 samples came"


def test_a_step_has_its_moment_and_what_coincided() -> None:
    log = run_of(
        lambda t: GIB if t < 420 else 1.2 * GIB,
        server__restarts=lambda t: float(t >= 420),
        gpu__throttled=lambda t: float(300 < t < 350),
    )
    found = first_of(log)
    assert (found.kind, found.exhausted_after_s) == ("step", None)
    assert found.step_at_s == pytest.approx(425, abs=15)
    assert found.step == pytest.approx(0.2 * GIB)
    assert found.incidents is not None
    assert (found.incidents.restarts, found.incidents.throttled, found.incidents.errors) == (1, 0.0, 0)
    assert found.incidents.coinciding == ["a restart"]


@pytest.mark.parametrize(
    ("at_s", "words"), [((100,), "restarted once"), ((100, 300), "restarted 2 times"), ((-3,), ""), ((), "")]
)
def test_restarts_under_load_are_a_notice(at_s: tuple[float, ...], words: str) -> None:
    run = judge_log(run_of(lambda _: GIB, server__restarts=lambda t: float(sum(t >= at for at in at_s))))
    told = [text for text in run.notices if "restarted" in text]
    assert len(told) == bool(words)
    assert not words or words in told[0]


def test_errors_and_throttling_coincide_where_there_are_more_of_them() -> None:
    log = run_of(lambda t: GIB if t < 420 else 1.2 * GIB, gpu__throttled=lambda t: float(400 < t < 440))
    for record in log.records:
        if 400 <= record.start_s - LOAD_START_S <= 440:
            record.outcome = "failed"
    # Completions are what blocks are made of, so the step's own block is the longer one.
    found = first_of(log)
    assert found.incidents is not None
    assert found.incidents.coinciding == ["throttling", "errors"]
    assert found.incidents.restarts is None


@pytest.fixture
def sustained() -> Callable[..., JudgedRun]:
    """A run judged by parts of its load, whose jobs take longer and longer: by this share in the end."""

    def judged(slower: float, ticks: Sequence[Sample] = ()) -> JudgedRun:
        records = [
            job(n, n * 0.5, (1 + (n * 37 % 101 - 50) / 500) * (1 + slower * n / 1200)) for n in range(1200)
        ]
        rule = "generate.duration.mean{last(1min)} <= 110% of generate.duration.mean{first(1min)}"
        log = sound_run(records, {"steady": rule}, load_s=LOAD_S)
        log.ticks = list(ticks)
        log.header.monitors = [MonitorPlan(name="gpu", interval_s=1.0, metrics=["gpu.throttled"])]
        return judge_log(log)

    return judged


def test_becoming_slower_is_shown_by_its_lower_bound(sustained: Callable[..., JudgedRun]) -> None:
    run = sustained(0.6)
    assert run.degradation is not None
    low, high = run.degradation["change_low_percent"], run.degradation["change_high_percent"]
    assert low is not None
    assert high is not None
    assert 0 < low < (run.degradation["change_percent"] or 0) < high
    assert run.degradation["change_percent"] == pytest.approx(48, abs=3)
    assert run.trends is not None
    assert run.trends.slower is not None
    assert run.trends.slower.begin_s == LOAD_START_S + 500


def test_what_slowed_the_last_part_down_is_told_with_it(sustained: Callable[..., JudgedRun]) -> None:
    hot = [
        Sample(t_s=LOAD_START_S + t, monitor="gpu", values={"gpu.throttled": float(t > 450)})
        for t in range(int(LOAD_S))
    ]
    run = sustained(0.6, hot)
    assert run.trends is not None
    assert run.trends.slower is not None
    assert run.trends.slower.throttled == 1.0
    assert run.trends.slower.throttled_otherwise == pytest.approx(0.1, abs=0.02)
    assert run.trends.slower.coinciding == ["throttling"]


def test_speed_that_stays_is_no_trend(sustained: Callable[..., JudgedRun]) -> None:
    run = sustained(0.0)
    assert run.degradation is not None
    assert (run.degradation["change_low_percent"] or 0) < 0 < (run.degradation["change_high_percent"] or 0)
    assert run.trends is None
