"""What was tried again within requests, and a warm-up that failed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from genload.analysis.judge import judge_log
from genload.analysis.judged import CriterionVerdict, Retries, WaitedOut

from .memory_log import job, jobs, sound_run

POLLS = {"waited_out_poll": 2.0, "waited_out_poll_s": 4.0, "rejections": 2.0}
UPLOAD = {"waited_out_upload": 1.0, "waited_out_upload_s": 5.0, "lost_polls": 3.0}


def test_refusals_that_were_waited_out_are_counted_by_their_call() -> None:
    records = [
        job(0, 1.0, 10.0, numbers=POLLS),
        job(1, 2.0, 10.0, numbers=POLLS | UPLOAD),
        job(2, 3.0, 10.0),
        job(3, 4.0, 30.0, "failed", numbers=UPLOAD),
        job(4, -5.0, 9.0, phase="warmup", warmup=True, numbers=UPLOAD),
    ]
    assert judge_log(sound_run(records)).retries == Retries(
        waited_out=[
            WaitedOut(call="poll", count=4, seconds=8.0),
            WaitedOut(call="upload", count=2, seconds=10.0),
        ],
        lost_polls=6,
        share_of_mean=pytest.approx(13 / 30),  # of the three that have a duration
    )


def test_where_nothing_was_tried_again_nothing_is_said() -> None:
    assert (
        judge_log(sound_run(jobs(["ok"] * 3, numbers={"rejections": 1.0, "attempts": 1.0}))).retries is None
    )


def test_a_mean_that_is_mostly_pauses_says_so(judge_one: Callable[..., CriterionVerdict]) -> None:
    for waited_s, words in ((6.0, "60 % of it are genload's own pauses after refusals"), (4.0, "")):
        waited = {"waited_out_submit": 1.0, "waited_out_submit_s": waited_s}
        records = [job(n, n / 10, 10.0, numbers=waited) for n in range(50)]
        assumption = judge_one(records, "generate.duration.mean < 20s").assumption or ""
        assert assumption.endswith(words) and ("pauses" in assumption) == bool(words)
        assert "pauses" not in (judge_one(records, "generate.duration.p95 < 20s").assumption or "")


def test_a_warm_up_that_failed_is_a_notice() -> None:
    warmup = {"phase": "warmup", "warmup": True}
    records = [
        job(0, -9.0, 1.0, **warmup),
        job(1, -5.0, 1.0, "failed", error_class="http_500", error="out of memory", **warmup),
        job(2, 1.0),
    ]
    (notice,) = judge_log(sound_run(records)).notices
    assert notice == (
        "of the warm-up's 2 requests 1 failed (http_500: out of memory): "
        "the load may have begun on a service that was not warm"
    )
    assert judge_log(sound_run([records[0], records[2]])).notices == []
