"""A criterion is lost only when nothing that can still happen would make it hold: known answers."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genload.harness.hope import Bounds, Hope, bounds_of
from genload.harness.live import LiveStats
from genload.runlog.records import RequestRecord
from genload.settings.arrivals import evenly
from genload.settings.metrics.metric import Tally
from genload.settings.metrics.requests import request_metrics
from genload.settings.phases import Phase, Timeline
from genload.settings.scenario import Scenario

# 10 users for 100 s; a request of 20 s, and twice as fast is as fast as can be hoped for: 10 s.
STEADY = Timeline((Phase("steady", 100.0, 10),))
SPIKE = Timeline((Phase("baseline", 100.0, 2), Phase("spike", 50.0, 20), Phase("recovery", 100.0, 2)))
COUNTED = Timeline((Phase("steady", None, users=1, iterations=5),))


def record(phase: str, outcome: str, duration_s: float = 20.0) -> RequestRecord:
    return RequestRecord(
        source="local", n=0, name="generate", operation="generate", phase=phase, outcome=outcome,
        duration_s=duration_s,
    )  # fmt: skip


def lost(
    rule: str | dict[str, object],
    *,
    timeline: Timeline = STEADY,
    into_s: float,
    ok: int = 0,
    failed: int = 0,
    in_flight: int = 0,
    phase: str = "steady",
    think: str | None = None,
    tmp_path_name: str = "nowhere",
) -> str:
    live = LiveStats("generate", __import__("pathlib").Path(tmp_path_name))
    for _ in range(ok):
        live.add([record(phase, "ok")])
    for _ in range(failed):
        live.add([record(phase, "failed")])
    scenario = Scenario.model_validate(
        {"shape": {"kind": "normal"}, "criteria": {"rule": rule}, **({"think": think} if think else {})}
    )
    metrics = {metric.name: metric for metric in request_metrics("generate")}
    return Hope(timeline, scenario, metrics).lost(live, into_s, in_flight)


@pytest.mark.parametrize(
    "rule",
    [
        "generate.failed == 0",
        "generate.failed <= 0",
        "generate.failed < 1",
        "generate.completed == 100% of generate.attempted",
        "generate.completed >= 100% of generate.attempted",
        "generate.failed == 0% of generate.attempted",
        "generate.error_rate == 0%",
        "generate.success_rate == 100%",
        "generate.duration.p95 < 1h and generate.failed == 0",
        "generate.failed in 0..0",
    ],
)
def test_one_failure_is_too_many_where_none_is_allowed(rule: str) -> None:
    assert lost(rule, into_s=1, ok=5) == ""
    assert lost(rule, into_s=1, ok=5, failed=1).startswith("rule can no longer hold")


@pytest.mark.parametrize(
    ("rule", "ok", "failed", "into_s", "in_flight", "is_lost"),
    [
        # 20 s left, 10 users: 2 requests of 10 s each and one more that is begun at the end.
        ("generate.completed >= 31", 1, 0, 80, 0, False),
        ("generate.completed >= 32", 1, 0, 80, 0, True),
        ("generate.completed >= 32", 1, 0, 80, 1, False),
        ("generate.attempted >= 32", 1, 0, 80, 0, True),
        ("generate.attempted >= 32", 0, 2, 80, 0, False),
        ("generate.attempted == 3", 2, 1, 80, 0, False),
        ("generate.attempted == 2", 2, 1, 80, 0, True),
        ("generate.attempted <= 2", 2, 1, 80, 0, True),
        ("generate.completed == 50", 10, 0, 80, 0, True),
        # 3 of 10 failed; 30 good ones to come make it 3 of 40.
        ("generate.error_rate <= 7.5%", 7, 3, 80, 0, False),
        ("generate.error_rate < 7.5%", 7, 3, 80, 0, True),
        ("generate.error_rate < 7.5%", 7, 3, 80, 1, False),
        ("generate.success_rate >= 92.5%", 7, 3, 80, 0, False),
        ("generate.success_rate > 92.5%", 7, 3, 80, 0, True),
        # After the end only what is in flight.
        ("generate.error_rate < 25%", 7, 3, 100, 2, True),
        ("generate.error_rate <= 25%", 7, 3, 100, 2, False),
        ("generate.failed != 3", 7, 3, 100, 0, True),
        ("generate.failed != 3", 7, 3, 100, 1, False),
    ],
)
def test_what_is_left_is_counted_to_the_request(
    rule: str, ok: int, failed: int, into_s: float, in_flight: int, is_lost: bool
) -> None:
    assert bool(lost(rule, ok=ok, failed=failed, into_s=into_s, in_flight=in_flight)) is is_lost


def test_nothing_is_lost_while_the_speed_of_the_service_is_unknown() -> None:
    assert lost("generate.completed >= 100000", into_s=99) == ""
    assert lost("generate.error_rate < 1%", into_s=0) == ""


def test_thinking_leaves_time_for_less() -> None:
    assert lost("generate.completed >= 31", into_s=80, ok=1, think="1s") != ""
    assert lost("generate.completed >= 21", into_s=80, ok=1, think="1s") == ""


@pytest.mark.parametrize(("into_s", "is_lost"), [(10, False), (149, False), (150, True), (200, True)])
def test_a_phase_is_over_when_its_time_is(into_s: float, is_lost: bool) -> None:
    rule = "generate.error_rate{phase=spike} < 10%"
    found = lost(rule, timeline=SPIKE, into_s=into_s, ok=8, failed=2, phase="spike")
    assert bool(found) is is_lost
    # Another phase's failures are none of its own, and later phases are still to come.
    assert (
        lost("generate.failed{phase=recovery} == 0", timeline=SPIKE, into_s=into_s, failed=2, phase="spike")
        == ""
    )


def test_counted_iterations_leave_an_exact_number() -> None:
    assert lost("generate.completed >= 5", timeline=COUNTED, into_s=1e6, ok=4, in_flight=1) == ""
    assert lost("generate.completed >= 5", timeline=COUNTED, into_s=1, ok=3, failed=1, in_flight=1) != ""


def test_a_schedule_leaves_the_arrivals_that_have_no_record() -> None:
    # 50 arrivals, whatever the speed; those in flight are among them.
    paced = Timeline((evenly("paced", 10.0, users=50, every_s=0.2),))
    common = {"timeline": paced, "phase": "paced"}
    assert lost("generate.completed >= 40", **common, into_s=9, ok=30, failed=10, in_flight=5) == ""
    assert lost("generate.completed >= 41", **common, into_s=9, ok=30, failed=10, in_flight=5) != ""
    assert lost("generate.attempted == 51", **common, into_s=1, ok=1) != ""


@pytest.mark.parametrize(
    "rule",
    [
        {"must": False, "holds": "generate.failed == 0"},
        "generate.duration.p95 < 1ms",
        "generate.duration.mean < 1ms",
        "generate.throughput > 1000/s",
        "generate.rejections == 7",
        "generate.unfinished == 7",
        "gpu.memory_used.growth < 0%",
        "generate.failed{first(10s)} == 0",
        "generate.failed{voice=anna} == 0",
        "each(voice): generate.failed == 0",
        "generate.completed{phase=steady} >= 200% of generate.attempted{first(10s)}",
        "speech.failed == 0",
    ],
)
def test_what_is_unknown_or_only_reported_ends_nothing(rule: str | dict[str, object]) -> None:
    assert lost(rule, into_s=100, ok=1, failed=20) == ""


@given(
    attempted=st.integers(0, 50),
    completed=st.integers(0, 50),
    still=st.integers(0, 30),
    more=st.integers(0, 30),
    good=st.integers(0, 30),
)
def test_whatever_still_happens_stays_within_the_bounds(
    attempted: int, completed: int, still: int, more: int, good: int
) -> None:
    completed, more = min(completed, attempted), min(more, still)
    good = min(good, more)
    total, succeeded = attempted + more, completed + good
    ends = {Tally.ATTEMPTED: total, Tally.COMPLETED: succeeded, Tally.FAILED: total - succeeded}
    for counts, value in ends.items():
        bounds = bounds_of(counts, None, attempted, completed, still)
        assert bounds is not None and bounds.low <= value <= bounds.high
        share = bounds_of(counts, Tally.ATTEMPTED, attempted, completed, still)
        assert (share is None) == (attempted + still == 0)
        assert share is None or not total or share.low <= value / total <= share.high


def test_without_an_end_in_sight_a_rate_can_become_anything() -> None:
    assert bounds_of(Tally.FAILED, Tally.ATTEMPTED, 100, 0, inf) == Bounds(0.0, 1.0)
    assert bounds_of(Tally.FAILED, Tally.ATTEMPTED, 0, 0, 0) is None
