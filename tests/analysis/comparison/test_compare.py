"""Two builds compared: verdicts whose answer is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from genload.analysis.comparison import CompareSettings, Comparison, MetricShift, compare, floor_of

from .builds import rounds, side


def metric(comparison: Comparison, name: str) -> MetricShift:
    return next(each for each in comparison.metrics if each.metric == name)


def test_a_slower_build_is_a_regression(tmp_path: Path) -> None:
    found = compare(*rounds(tmp_path, 1.1))
    assert (found.verdict, found.exit_code) == ("regression", 1)
    p95 = metric(found, "generate.duration.p95")
    assert p95.result == "regression"
    assert p95.shift is not None
    assert p95.shift.value == pytest.approx(0.1, abs=0.001)  # the noise of both sides is the same
    assert p95.base == pytest.approx([2.0, 2.024, 1.98, 2.012, 1.97])
    assert p95.p is not None
    assert p95.p < 0.001
    assert [m.metric for m in found.judged][:3] == [f"generate.duration.{s}" for s in ("mean", "p50", "p95")]
    assert found.rounds


def test_equal_builds_are_none(tmp_path: Path) -> None:
    found = compare(*rounds(tmp_path))
    assert (found.verdict, found.exit_code) == ("no_regression", 0)
    assert {m.result for m in found.judged} == {"no_regression"}


def test_a_slower_build_within_the_tolerance_is_none(tmp_path: Path) -> None:
    found = compare(*rounds(tmp_path, 1.1), CompareSettings(tolerance=0.2))
    assert found.verdict == "no_regression"


def test_worse_by_about_the_tolerance_is_inconclusive(tmp_path: Path) -> None:
    found = compare(*rounds(tmp_path, 1.045))
    assert (found.verdict, found.exit_code) == ("inconclusive", 3)
    assert "may be by" in metric(found, "generate.duration.mean").reason


def test_a_faster_build_is_no_regression(tmp_path: Path) -> None:
    found = compare(*rounds(tmp_path, 0.8))
    assert found.verdict == "no_regression"
    assert metric(found, "generate.duration.p50").reason.startswith("better by at least")


@pytest.mark.parametrize("count", [1, 2])
def test_too_few_runs_never_pass(tmp_path: Path, count: int) -> None:
    found = compare(*rounds(tmp_path, count=count))
    assert (found.verdict, found.exit_code) == ("descriptive", 3)
    duration = metric(found, "generate.duration.mean")
    assert duration.shift is not None
    assert duration.shift.low is None


def test_a_noise_floor_gives_one_run_a_verdict(tmp_path: Path) -> None:
    floor = floor_of(compare(*rounds(tmp_path / "equal")), "2026-11-20T10:00:00Z")
    assert floor.runs == 10
    assert floor.metrics["generate.duration.p95"].spread == pytest.approx(0.0105, abs=0.001)
    settings = CompareSettings(floor=floor)
    assert compare(*rounds(tmp_path / "slower", 1.1, count=1), settings).verdict == "regression"
    same = compare(*rounds(tmp_path / "same", count=1, requests=100), settings)
    assert metric(same, "generate.duration.p95").result == "no_regression"
    assert any("noise floor of 2026-11-20" in notice for notice in same.notices)


def test_a_floor_below_the_spread_of_these_runs_is_set_aside(tmp_path: Path) -> None:
    floor = floor_of(compare(*rounds(tmp_path / "quiet")), "2026-11-20T10:00:00Z")
    loud = [1.0, 1.3, 0.8, 1.2, 0.75]
    base = side(tmp_path / "base", loud, minutes=range(0, 10, 2))
    new = side(tmp_path / "new", loud, minutes=range(1, 10, 2))
    found = metric(compare(base, new, CompareSettings(floor=floor)), "generate.duration.p95")
    assert found.shift is not None
    assert found.shift.floor_refused
    assert "set aside" in found.reason


def test_errors_are_compared_by_class(tmp_path: Path) -> None:
    found = compare(*rounds(tmp_path, new={"failed": ["oom"] * 4 + ["timeout"]}))
    assert metric(found, "generate.error_rate").result == "regression"
    oom = metric(found, "generate.error_rate{error_class=oom}")
    assert oom.base == [0.0] * 5
    assert oom.new == pytest.approx([0.04] * 5)
    assert oom.result is None  # shown, and not judged


def test_no_failure_among_few_requests_proves_little(tmp_path: Path) -> None:
    few = metric(compare(*rounds(tmp_path / "few", count=3, requests=20)), "generate.error_rate")
    assert (few.result, few.base, few.new) == ("inconclusive", [0.0] * 3, [0.0] * 3)
    many = metric(compare(*rounds(tmp_path / "many", count=3, requests=100)), "generate.error_rate")
    assert many.result == "no_regression"


def test_equal_throughput_of_a_few_requests_is_not_known_exactly(tmp_path: Path) -> None:
    few, many = (
        metric(compare(*rounds(tmp_path / f"{count}", count=3, requests=count)), "generate.throughput")
        for count in (5, 100)
    )
    assert (few.base, few.new) == ([5 / 60] * 3, [5 / 60] * 3)  # of a load of a minute
    assert few.shift is not None and few.shift.low is not None and few.shift.low < -0.05
    assert (few.result, many.result) == ("inconclusive", "no_regression")


def test_outputs_that_change_either_way_are_a_regression(tmp_path: Path) -> None:
    for faces in (4000.0, 6000.0):
        settings = CompareSettings(judge=("generate.faces.mean", "generate.valid_rate"))
        found = compare(*rounds(tmp_path / f"{faces}", new={"faces": faces}), settings)
        assert metric(found, "generate.faces.mean").result == "regression"
        assert metric(found, "generate.valid_rate").result == "no_regression"


def test_memory_is_compared_as_latencies_are(tmp_path: Path) -> None:
    settings = CompareSettings(judge=("server.memory.max",))
    found = compare(*rounds(tmp_path, new={"memory": 1.2e9}), settings)
    shift = metric(found, "server.memory.max").shift
    assert found.verdict == "regression"
    assert shift is not None
    assert shift.value == pytest.approx(0.2)


def test_what_only_one_side_has_never_passes(tmp_path: Path) -> None:
    settings = CompareSettings(judge=("generate.duration.mean", "server.memory.mean"))
    found = compare(*rounds(tmp_path, new={"memory": None}), settings)
    assert found.verdict == "inconclusive"
    assert metric(found, "server.memory.mean").reason.startswith("only BASE has it")


def test_what_the_criteria_name_is_judged(tmp_path: Path) -> None:
    criteria = {
        "memory": "server.memory.growth < 5%",
        "gpu": "gpu.memory_used.max < 20GiB",
        "many": "generate.completed >= 5",
    }
    found = compare(*rounds(tmp_path, criteria=criteria))
    assert "server.memory.growth" in [m.metric for m in found.judged]
    assert "generate.completed" not in [m.metric for m in found.judged]
    assert any(n.startswith("gpu.memory_used.max, which a criterion names") for n in found.notices)


def test_a_percentile_among_failed_requests_is_not_compared(tmp_path: Path) -> None:
    found = compare(*rounds(tmp_path, new={"failed": ["oom"] * 10}))
    assert "infinite" in metric(found, "generate.duration.p95").reason
    assert found.verdict == "regression"  # of the error rate


def test_runs_that_did_not_come_in_rounds_are_told(tmp_path: Path) -> None:
    base = side(tmp_path / "base", (1.0, 1.01, 0.99), minutes=(0, 1, 2))
    new = side(tmp_path / "new", (1.0, 1.01, 0.99), minutes=(3, 4, 5))
    found = compare(base, new)
    assert not found.rounds
    assert any("did not come in rounds" in notice for notice in found.notices)


def test_builds_that_both_fail_do_not_pass(tmp_path: Path) -> None:
    found = compare(*rounds(tmp_path, failed=["oom"] * 100))
    assert metric(found, "generate.error_rate").result == "no_regression"
    assert metric(found, "generate.duration.p95").reason.startswith("neither side has it")
    assert found.verdict == "inconclusive"
