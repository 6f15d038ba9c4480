"""What polls leave open of a job's times, and what can be said all the same."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genload.analysis.evidence.between import Between
from genload.analysis.evidence.means import Mean
from genload.analysis.judge import judge_log
from genload.analysis.judged import CriterionVerdict
from genload.settings.criteria.criterion import Criterion
from genload.settings.service import Poll

from .memory_log import job, jobs, sound_run
from .polled_jobs import ROUND_TRIP_S, Truth, polled

Judge = Callable[..., CriterionVerdict]

FIXED = Poll(adaptive=False)
FINE = Poll(interval_s=0.04)
HALF_TRIP_S = ROUND_TRIP_S / 2


def short_jobs(count: int = 120) -> list[Truth]:
    """Jobs without a queue: 1.67 s on average, 1.82 s at p95."""
    rng = Random(3)
    return [Truth(0.0, 1.67 * rng.lognormvariate(0, 0.055)) for _ in range(count)]


def queued_jobs(count: int = 120) -> list[Truth]:
    """Jobs of 2 s on three slots for six users: most of them wait for one that is busy."""
    rng = Random(4)
    return [
        Truth(rng.choice([0.0, 2.0, 2.0, 2.0, 2.0, 2.0]) * rng.uniform(0.95, 1.05), 2.0) for _ in range(count)
    ]


# --- the ends


@pytest.mark.parametrize("poll", [Poll(), FIXED, FINE, Poll(interval_s=10.0, adaptive=False)])
def test_jobs_faster_than_the_threshold_never_fail_for_their_polls(judge_one: Judge, poll: Poll) -> None:
    records = polled(short_jobs(), poll)
    for expression in ("generate.duration.mean < 2s", "generate.duration.p95 < 2s"):
        found = judge_one(records, expression)
        assert found.result != "fail"
        assert found.low < 1.83 < 2 or found.result == "pass"
        if poll is FINE:
            assert (found.result, found.evidence) == ("pass", "proven")
            assert found.value - found.low == pytest.approx(0.044, abs=0.01)


def test_by_default_the_mean_of_short_jobs_is_proven_and_a_close_percentile_open(judge_one: Judge) -> None:
    records = polled(short_jobs(), Poll())
    mean = judge_one(records, "generate.duration.mean < 2s")
    assert (mean.result, mean.evidence, mean.needs) == ("pass", "proven", None)
    assert mean.low < 1.68 < mean.value == mean.high < mean.bound < 2
    p95 = judge_one(records, "generate.duration.p95 < 2s")
    assert (p95.result, p95.evidence, p95.bound) == ("inconclusive", None, None)
    assert p95.low < 1.83 < 2 < p95.value == p95.high
    assert p95.needs == (
        "more polls, for they leave open on which side it is: service.poll.interval: 50ms should decide"
    )
    assert (
        judge_one(polled(short_jobs(), Poll(interval_s=0.05)), "generate.duration.p95 < 2s").result == "pass"
    )


def test_queue_and_run_are_as_open_as_the_polls_between_them(judge_one: Judge) -> None:
    waited_s = np.mean([truth.queue_s for truth in queued_jobs()])
    for poll in (Poll(), FIXED, FINE):
        records = polled(queued_jobs(), poll)
        queue = judge_one(records, "generate.stage.queue.mean < 10s")
        run = judge_one(records, "generate.stage.run.mean < 10s")
        assert queue.low == queue.value < waited_s < queue.high
        assert run.low < 2.0 < run.value == run.high
        assert queue.result == run.result == "pass"
    assert judge_one(polled(queued_jobs(), FIXED), "generate.stage.run.mean < 3s").result == "inconclusive"
    assert judge_one(polled(queued_jobs(), FINE), "generate.stage.run.mean < 3s").evidence == "proven"


def test_proven_is_what_is_proven_at_the_end_that_speaks_against_it(judge_one: Judge) -> None:
    """What was seen is 1 s to 1.1 s long, and may have been 0.3 s shorter."""
    records = jobs(["ok"] * 200, 1.0, numbers={"poll_bound_s": 0.3})
    cases = {
        "generate.duration.mean < 1.2s": ("pass", "proven", "above"),
        "generate.duration.mean > 0.6s": ("pass", "proven", "below"),
        "generate.duration.mean > 0.699s": ("pass", "unproven", "below"),
        "generate.duration.mean > 0.9s": ("inconclusive", None, ""),
        "generate.duration.mean < 0.6s": ("fail", "proven", "below"),
        "generate.duration.mean < 0.9s": ("inconclusive", None, ""),
        "generate.duration.mean in 0.6s..1.2s": ("pass", "proven", ""),
        "generate.duration.mean in 0.6s..0.9s": ("inconclusive", None, ""),
        "generate.duration.max < 1.1s": ("pass", "exact", ""),
        "generate.duration.max < 1s": ("inconclusive", None, ""),
        "generate.duration.min > 0.64s": ("pass", "exact", ""),
        "ok.generate.duration.p95 < 1.2s": ("pass", "proven", "above"),
        "generate.duration.count == 200": ("pass", "exact", ""),
        "generate.duration.mean{first(30s)} <= 150% of generate.duration.mean{last(10s)}": (
            "pass",
            "proven",
            "",
        ),
        "generate.duration.mean{first(30s)} <= 120% of generate.duration.mean{last(10s)}": (
            "inconclusive",
            None,
            "",
        ),
    }
    for expression, (result, evidence, side) in cases.items():
        found = judge_one(records, expression.replace("last(10s)", "first(10s)"))
        assert (found.result, found.evidence) == (result, evidence), expression
        if side == "above":
            assert found.bound > found.high
        if side == "below":
            assert found.bound < found.low


def test_a_share_of_two_open_means_lies_between_the_least_and_the_greatest(judge_one: Judge) -> None:
    records = jobs(["ok"] * 100, 1.0, numbers={"poll_bound_s": 0.5})
    found = judge_one(records, "generate.duration.mean <= 300% of generate.duration.mean")
    assert found.value == pytest.approx(1.0)
    mean = judge_one(records, "generate.duration.mean < 9s")
    assert found.low == pytest.approx(mean.low / mean.high) and found.high == pytest.approx(
        mean.high / mean.low
    )
    never = judge_one(
        jobs(["ok"] * 100, 1.0, numbers={"poll_bound_s": 5.0}),
        "generate.duration.mean <= 300% of generate.duration.mean",
    )
    assert (never.result, never.low, never.high) == ("inconclusive", 0.0, None)


def test_failed_jobs_are_infinitely_slow_at_both_ends(judge_one: Judge) -> None:
    records = jobs(["ok"] * 90 + ["failed"] * 10, 1.0, numbers={"poll_bound_s": 0.5})
    found = judge_one(records, "generate.duration.p95 < 100s")
    assert (found.result, found.value, found.low, found.high) == ("fail", np.inf, None, None)


def test_jobs_without_polls_are_known_to_the_millisecond(judge_one: Judge) -> None:
    for records in (jobs(["ok"] * 60), jobs(["ok"] * 60, numbers={"poll_bound_s": 0.0})):
        found = judge_one(records, "generate.duration.mean < 2s")
        assert (found.result, found.low, found.high) == ("pass", None, None)
        assert judge_log(sound_run(records)).overall.shortest is None


@given(
    st.lists(st.tuples(st.floats(0, 20), st.floats(0.01, 90)), min_size=1, max_size=12),
    st.sampled_from([Poll(), FIXED, FINE, Poll(interval_s=10.0, adaptive=False), Poll(first_s=1.0)]),
    st.integers(0, 999),
)
@settings(max_examples=60)
def test_the_truth_lies_between_the_ends(times: list[tuple[float, float]], poll: Poll, seed: int) -> None:
    truths = [Truth(*each) for each in times]
    queue = np.array([max(truth.queue_s - HALF_TRIP_S, 0.0) for truth in truths])
    served = np.array([max(truth.queue_s + truth.run_s - HALF_TRIP_S, 0.0) for truth in truths])
    true = {
        "stage.queue": queue,
        "stage.run": served - queue,
        "server_duration": served,
        # Upload, the order's way to the service, and the download.
        "duration": np.array([truth.queue_s + truth.run_s for truth in truths]) + 2.5 * ROUND_TRIP_S,
    }
    log = sound_run(polled(truths, poll, seed))
    statistics = {
        "mean": lambda values: values.mean(),
        "p50": lambda values: np.percentile(values, 50, method="inverted_cdf"),
        "p95": lambda values: np.percentile(values, 95, method="inverted_cdf"),
        "min": lambda values: values.min(),
        "max": lambda values: values.max(),
    }
    wanted = {(name, stat): of(true[name]) for name in true for stat, of in statistics.items()}
    criteria = {
        f"c{n}": Criterion(holds=f"generate.{name}.{stat} < 1s") for n, (name, stat) in enumerate(wanted)
    }
    for found, truth in zip(judge_log(log, criteria=criteria).verdict.criteria, wanted.values(), strict=True):
        assert found.low is not None and found.high is not None
        assert found.low - 1e-9 <= truth <= found.high + 1e-9, found.expression


# --- what more would decide


@pytest.mark.parametrize(
    ("threshold", "words"),
    [
        (1.9, "service.poll.interval: 200ms should decide"),  # 0.9 of the way, the middle being 1.5
        (1.55, "service.poll.interval: 50ms should decide"),
        (1.5, "a wider margin"),
        (1.51, "a wider margin"),
    ],
)
def test_polls_that_would_decide_are_named(threshold: float, words: str) -> None:
    between = Between(Mean(np.full(50, 1.0)), Mean(np.full(50, 2.0)), Mean(np.full(50, 2.0)), bound_s=1.0)
    assert words in between.needs("upper", threshold)


def test_a_poll_interval_that_is_named_does_decide(judge_one: Judge) -> None:
    truths, expression = short_jobs(), "generate.duration.mean < 1.9s"
    found = judge_one(polled(truths, Poll(interval_s=5.0, adaptive=False)), expression)
    assert found.result == "inconclusive"
    named = found.needs.partition("service.poll.interval: ")[2].partition(" ")[0]
    assert named == "500ms"
    finer = judge_one(polled(truths, Poll(interval_s=0.5, adaptive=False)), "generate.duration.mean < 2.2s")
    assert finer.result == "pass"


def test_refused_polls_are_not_advised_to_come_more_often(judge_one: Judge) -> None:
    refused = {"poll_bound_s": 9.0, "waited_out_poll": 2.0, "waited_out_poll_s": 8.0}
    found = judge_one(jobs(["ok"] * 60, 10.0, numbers=refused), "generate.duration.mean < 8s")
    assert found.result == "inconclusive"
    assert found.needs.startswith("polls that are not refused")


# --- the numbers of the reports


def test_summaries_show_how_short_jobs_may_have_been() -> None:
    waited_s = np.mean([truth.queue_s for truth in queued_jobs()])
    run = judge_log(sound_run(polled(queued_jobs(), FIXED)))
    overall, stages = run.overall, run.stages
    assert overall.shortest is not None and overall.avg_duration is not None
    assert overall.shortest.avg_duration < waited_s + 2.0 < overall.avg_duration
    assert stages["queue"].longest is not None and stages["run"].shortest is not None
    assert stages["queue"].mean < waited_s < stages["queue"].longest.mean
    assert stages["run"].shortest.mean < 2.0 < stages["run"].mean
    assert run.phases[0].summary.shortest == overall.shortest


def test_a_slower_last_part_is_one_whatever_the_polls_left_open() -> None:
    def change(bound_s: float) -> dict[str, float | None]:
        slower = [
            job(n, n / 10, 1.0 + (n >= 500) + n % 7 / 100, numbers={"poll_bound_s": bound_s})
            for n in range(600)
        ]
        windows = {"it": "generate.duration.mean{last(10s)} < 9s"}
        found = judge_log(sound_run(slower, windows)).degradation
        assert found is not None
        return found

    assert change(0.01)["change_low_percent"] > 90
    assert change(0.6)["change_percent"] == change(0.01)["change_percent"]
    assert 30 < change(0.6)["change_low_percent"] < 40  # 1.43 ÷ 1.03
    assert change(0.9)["change_low_percent"] < 10
