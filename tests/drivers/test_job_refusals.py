"""A job's calls that are refused for now, by a simulated clock."""

from __future__ import annotations

import pytest

from genload.service import Artifact
from genload.settings.service import Retry

from .scripted_job import DONE, RUNNING, SERVICE, drive, refusal


@pytest.mark.parametrize("call", ["upload", "submit", "poll", "fetch"])
def test_a_refused_call_is_tried_again_after_the_pause_it_asked_for(call: str) -> None:
    good = {
        "upload": "up",
        "submit": "job-7",
        "poll": DONE,
        "fetch": Artifact(b"mesh", "out.stl", ""),
    }
    result, client = drive(**{call: [refusal(7.0), refusal(None), good[call]]})

    assert result.outcome == "ok"
    assert result.numbers["rejections"] == 2 and result.numbers["attempts"] == 3
    assert client.calls.count(call) == 3
    assert client.clock.slept.count(7.0) == 1 and client.clock.slept.count(5.0) == 1


def test_pauses_before_acceptance_belong_to_the_call_that_was_refused() -> None:
    result, _ = drive(upload=[refusal(7.0), "up"], submit=[refusal(3.0), "job-7"])

    assert result.stages["upload"] == pytest.approx(7.0)
    assert result.stages["accept"] == pytest.approx(3.0)


def test_the_last_refusal_is_one_failure() -> None:
    result, client = drive(submit=[refusal(1.0)])

    assert (result.outcome, result.error_class, result.status) == ("failed", "rejected", 503)
    assert result.error == "models are loading"
    assert result.numbers["rejections"] == 4 and result.numbers["attempts"] == 4
    assert client.calls.count("submit") == 4 and "poll" not in client.calls


def test_every_call_has_retries_of_its_own() -> None:
    refused = [refusal(1.0)] * 3
    result, _ = drive(
        upload=[*refused, "up"],
        submit=[*refused, "job-7"],
        poll=[*refused, RUNNING, *refused, DONE],
        fetch=[*refused, Artifact(b"mesh", "out.stl", "")],
    )

    assert result.outcome == "ok" and result.numbers["rejections"] == 15
    assert result.numbers["attempts"] == 16
    waited = {name: value for name, value in result.numbers.items() if name.startswith("waited_out")}
    counts = {"upload": 3, "submit": 3, "poll": 6, "download": 3}
    seconds = {f"waited_out_{name}_s": pytest.approx(count) for name, count in counts.items()}
    assert waited == {f"waited_out_{name}": count for name, count in counts.items()} | seconds


def test_the_refusal_that_is_final_was_not_waited_out() -> None:
    result, _ = drive(poll=[refusal(2.0)])

    assert (result.error_class, result.numbers["rejections"]) == ("rejected", 4)
    assert (result.numbers["waited_out_poll"], result.numbers["waited_out_poll_s"]) == (3, 6.0)
    assert result.error.startswith(
        "models are loading (a poll, refused to the end: a longer service.poll.interval"
    )
    assert result.status == 503


def test_refused_polls_come_at_longer_pauses_up_to_the_longest_of_a_retry() -> None:
    once = [refusal(1.0), RUNNING]
    polls = [*once, RUNNING, refusal(1.0), *once, *once * 3]
    service = SERVICE.model_copy(update={"timeout_s": 1000.0})
    _, client = drive(service, poll=[*polls, DONE])

    assert client.clock.slept == [2, 1, 4, 4, 1, 1, 16, 1, 30, 1, 30, 1, 30]


def test_without_retries_the_first_refusal_is_final() -> None:
    service = SERVICE.model_copy(update={"retry": Retry(max_retries=0)})
    result, client = drive(service, submit=[refusal(1.0)])

    assert result.error_class == "rejected" and client.clock.slept == []


def test_a_service_may_not_ask_for_more_than_the_longest_pause() -> None:
    result, client = drive(submit=[refusal(3600.0), "job-7"])

    assert result.outcome == "ok" and client.clock.slept[0] == 30.0


def test_a_pause_ends_with_the_job_s_time() -> None:
    service = SERVICE.model_copy(update={"timeout_s": 20.0})
    result, client = drive(service, submit=[refusal(25.0), "job-7"])

    assert result.error_class == "timeout" and result.duration_s == pytest.approx(20.0)
    assert client.calls.count("submit") == 1
