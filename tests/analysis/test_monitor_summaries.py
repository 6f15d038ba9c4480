"""How the monitors did: ticks owed and come, what went wrong, and when the service was down."""

from __future__ import annotations

import pytest

from genload.analysis.judge import judge_log
from genload.analysis.judged import JudgedRun
from genload.analysis.monitors import Downtime, MonitorSummary
from genload.runlog.records import HANGS, MonitorPlan, Sample

from .memory_log import LOAD_START_S, jobs, sound_run

LOAD_S = 20.0


def judged(*samples: Sample, interval_s: float = 1.0) -> JudgedRun:
    """A run with one monitor, "readiness", that wrote these; times count from the load's begin."""
    log = sound_run(jobs(["ok"] * 20), load_s=LOAD_S)
    log.header.monitors = [MonitorPlan(name="readiness", interval_s=interval_s, metrics=["service.up"])]
    log.ticks = [
        Sample(
            t_s=LOAD_START_S + sample.t_s,
            monitor="readiness",
            values=sample.values,
            took_s=sample.took_s,
            interval_s=sample.interval_s,
            live=sample.live,
            error=sample.error,
        )
        for sample in samples
    ]
    return judge_log(log)


def tick(at_s: float, up: float | None = 1.0, error: str = "", live: bool = False) -> Sample:
    return Sample(
        t_s=at_s, monitor="", values={} if up is None else {"service.up": up}, live=live, error=error
    )


def ticks(up: str) -> list[Sample]:
    """A tick a second: 1, 0, or - for one without a number."""
    return [
        tick(second + 0.5, None if state == "-" else float(state), "" if state == "1" else "refused")
        for second, state in enumerate(up)
    ]


def test_a_monitor_that_delivers_everything_is_not_failing() -> None:
    run = judged(*ticks("1" * 20))
    assert run.monitors == [
        MonitorSummary(
            monitor="readiness",
            expected=20,
            came=20,
            errors=0,
            last_error="",
            hung=False,
            interval_s=1.0,
            tick_s=0.0,
        )
    ]
    assert not run.monitors[0].failing
    assert run.notices == []


def test_a_monitor_that_was_slowed_down_owes_the_ticks_of_its_longer_interval() -> None:
    every_other = ticks("1" * 20)[::2]
    assert judged(*every_other).monitors[0].failing
    every_other[0].interval_s = 2.0
    found = judged(*every_other).monitors[0]
    assert (found.expected, found.came, found.interval_s, found.failing) == (10, 10, 2.0, False)


def test_ticks_before_and_after_the_load_do_not_count() -> None:
    run = judged(tick(-3.0, None, "early"), *ticks("1" * 20), tick(21.0, None, "late"))
    assert (run.monitors[0].came, run.monitors[0].errors) == (20, 0)


def test_errors_are_counted_and_the_last_is_told() -> None:
    samples = [*ticks("1" * 10), tick(11.0, None, "first"), tick(12.0, None, "second")]
    found = judged(*samples).monitors[0]
    assert (found.expected, found.came, found.errors, found.last_error) == (20, 10, 2, "second")
    assert found.failing and not found.silent


def test_a_hang_is_no_tick_and_is_told_also_when_it_shows_after_the_load() -> None:
    found = judged(*ticks("1" * 10), tick(25.0, None, f"{HANGS}the tick 15 s ago has not ended")).monitors[0]
    assert (found.errors, found.hung, found.came) == (0, True, 10)


def test_one_that_never_delivered_is_a_notice() -> None:
    assert judged(tick(0.5, None, "no driver here")).notices == [
        "the monitor readiness delivered nothing during the load: no driver here"
    ]
    assert judged().notices == ["the monitor readiness delivered nothing during the load: it gave no sign"]


def test_a_load_shorter_than_the_interval_owes_nothing() -> None:
    run = judged(interval_s=60.0)
    assert run.monitors[0].expected == 0
    assert not run.monitors[0].failing
    assert run.notices == []


def test_first_looks_do_not_count_beside_a_history() -> None:
    looks = [tick(second + 0.5, live=True) for second in range(20)]
    assert judged(*looks).monitors[0].came == 20
    assert judged(*looks, *ticks("1" * 5)).monitors[0].came == 5


@pytest.mark.parametrize(
    ("up", "share", "down"),
    [
        ("1" * 20, 1.0, []),
        ("1111100011" * 2, 0.7, [(5.5, 8.5), (15.5, 18.5)]),
        # A second after the last tick nothing is known; before the first it was as that found it.
        ("0011", 2 / 4.5, [(0.5, 2.5)]),
        ("1100", 2.5 / 4.5, [(2.5, 4.5)]),
        ("1" * 18 + "00", 0.925, [(18.5, None)]),
        ("0000", 0.0, [(0.5, 4.5)]),
        ("11--00-1", 3.5 / 5.5, [(4.5, 6.5)]),
    ],
)
def test_uptime_names_the_moments_when_the_service_was_down(
    up: str, share: float, down: list[tuple[float, float | None]]
) -> None:
    found = judged(*ticks(up)).uptime
    assert found is not None
    assert found.share == pytest.approx(share)
    assert found.down == [
        Downtime(
            start_s=LOAD_START_S + start_s,
            end_s=None if end_s is None else pytest.approx(LOAD_START_S + end_s),
            served=each.served,
        )
        for (start_s, end_s), each in zip(down, found.down, strict=True)
    ]


def slow_while_down() -> list[Sample]:
    """A tick each 120 ms for 20 s, with 7 s in the middle in which each waits a second in vain."""
    found, at_s = list[Sample](), 0.06
    while at_s < LOAD_S:
        down = 6.0 <= at_s < 13.0
        found.append(tick(at_s, 0.0 if down else 1.0, "no answer" if down else ""))
        found[-1].took_s = 1.0 if down else 0.01
        at_s += 1.08 if down else 0.12
    return found


def test_uptime_is_a_share_of_time_not_of_the_ticks_that_came() -> None:
    run = judged(*slow_while_down(), interval_s=0.12)
    assert run.uptime is not None
    ticks = [sample.values["service.up"] for sample in slow_while_down()]
    assert sum(ticks) / len(ticks) > 0.93, "what the ticks alone would say"
    assert run.uptime.share == pytest.approx(0.65, abs=0.03)
    assert run.uptime.unknown_s == 0
    (down,) = run.uptime.down
    assert (down.end_s or 0.0) - down.start_s == pytest.approx(7.0, abs=0.6)


def test_requests_that_succeed_while_the_probe_has_no_answer_are_counted() -> None:
    run = judged(*ticks("1" * 10 + "0" * 10))
    assert run.uptime is not None
    assert [each.served for each in run.uptime.down] == [0], "all 20 jobs were over by then"
    busy = judged(*ticks("0" * 20))
    assert busy.uptime is not None
    assert busy.uptime.down[0].served == 15, "begun from the first probe on"
    assert busy.uptime.reason == "refused"


def test_without_a_probe_there_is_no_uptime() -> None:
    assert judged(*ticks("----")).uptime is None


def test_a_monitor_that_had_nothing_to_sample_owes_nothing_and_says_why() -> None:
    log = sound_run(jobs(["ok"] * 20), {"cool": "gpu.temperature.max < 80"}, load_s=LOAD_S)
    why = "not measured: no NVIDIA driver on this machine"
    log.header.monitors.append(
        MonitorPlan(name="gpu", interval_s=1.0, metrics=["gpu.temperature"], source="NVML", nothing_here=why)
    )
    run = judge_log(log)
    summary = run.monitors[-1]
    assert (summary.monitor, summary.expected, summary.failing) == ("gpu", 0, False)
    assert run.notices == []
    assert run.identity == {"gpu": why}
    (judged,) = run.verdict.criteria
    assert (judged.result, judged.needs) == (
        "inconclusive",
        f"samples of gpu.temperature: {why}",
    )
