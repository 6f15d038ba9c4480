"""The driver of one job against a scripted client, by a simulated clock."""

from __future__ import annotations

from typing import Any

import gevent
import pytest
from gevent import GreenletExit
from hypothesis import given, settings
from hypothesis import strategies as st

from genload.artifacts.duplicates import OutputRegistry
from genload.drivers.job_driver import JobDriver
from genload.orders import note_kill
from genload.service import Artifact, CannotInspectError, JobInput, JobPhase, JobState, ServiceError, Step
from genload.settings.service import Poll

from ..clock import Clock
from .scripted_job import DONE, PENDING, RUNNING, SERVICE, Scripted, drive, job_of, refusal

LOST = ServiceError("reset", "the connection was reset")

# --- the way of a good job


def test_a_good_job_has_known_stages_and_numbers() -> None:
    result, client = drive(
        upload=[(1.0, "up")],
        submit=[(0.5, "job-7")],
        poll=[(0.1, PENDING), (0.1, RUNNING), (0.1, RUNNING), (0.1, DONE)],
        fetch=[(3.0, Artifact(b"mesh", "out.stl", ""))],
    )

    assert (result.outcome, result.error_class, result.job_id) == ("ok", "", "job-7")
    assert result.stages == pytest.approx(
        {"connect": 0.0, "upload": 1.0, "accept": 0.5, "queue": 2.0, "run": 6.4, "download": 3.0}
    )
    # It began between the send of the poll that said "pending" and the answer of the next one.
    assert result.numbers["begin_bound_s"] == pytest.approx(2.2)
    assert result.numbers["server_duration_s"] == pytest.approx(8.4)
    # The last poll that said "running" was sent 2 + 0.1 + 0.1 s before the answer that said "completed".
    assert result.numbers["poll_bound_s"] == pytest.approx(2.2)
    assert (result.numbers["attempts"], result.numbers["rejections"], result.numbers["polls"]) == (1, 0, 4)
    assert (result.numbers["faces"], result.numbers["valid"]) == (12, 1)
    assert (result.bytes_sent, result.bytes_received, result.status) == (70, 700, 200)
    assert client.calls == ["upload", "submit", "poll", "poll", "poll", "poll", "fetch"]


def test_connecting_is_a_stage_of_its_own_but_for_the_polls() -> None:
    result, _ = drive(connect_s=0.25, upload=[(1.0, "up")])

    assert result.stages["connect"] == pytest.approx(0.75)  # upload, order, download
    assert result.stages["upload"] == pytest.approx(1.0)
    assert result.stages["accept"] == pytest.approx(0.0)
    assert result.stages["run"] == pytest.approx(2 * 2.25)


def test_a_job_never_seen_waiting_has_no_queue() -> None:
    result, _ = drive(poll=[RUNNING, DONE])

    assert result.stages["queue"] == 0.0
    assert result.stages["run"] == pytest.approx(4.0)


def test_a_job_found_finished_at_the_first_poll_may_have_ended_before_its_order_was_answered() -> None:
    result, _ = drive(submit=[refusal(9.0), (4.0, "job-7")], poll=[(0.5, DONE)])

    assert result.numbers["server_duration_s"] == pytest.approx(2.5)
    assert result.numbers["begin_bound_s"] == pytest.approx(2.5)  # what begins earlier was never queued
    assert result.numbers["poll_bound_s"] == pytest.approx(6.5)  # from the send of the order that was taken


def test_a_poll_without_an_answer_tells_neither_begin_nor_end() -> None:
    lost = ServiceError("receive_timeout", "no answer within 1 s")
    result, _ = drive(poll=[PENDING, (1.0, lost), RUNNING, (1.0, lost), DONE])

    assert result.outcome == "ok" and result.numbers["lost_polls"] == 2
    assert result.numbers["begin_bound_s"] == result.numbers["poll_bound_s"] == pytest.approx(5.0)
    assert (result.stages["queue"], result.stages["run"]) == pytest.approx((2.0, 10.0))


def test_inspection_counts_in_no_time() -> None:
    clock = Clock()
    client = Scripted(SERVICE, clock)

    def slow(artifact: Artifact) -> dict[str, float]:
        clock.now_s += 50.0
        return {}

    result = job_of(client, inspect=slow).run()

    assert result.duration_s == pytest.approx(4.0)


def test_an_output_that_nothing_here_can_inspect_is_a_success_that_says_so() -> None:
    def unread(artifact: Artifact) -> dict[str, float]:
        raise CannotInspectError("Draco: install something", {"faces": 12.0})

    result, client = drive(inspect=unread)

    assert (result.outcome, result.error_class, result.remark) == ("ok", "", "Draco: install something")
    assert (result.numbers["cannot_inspect"], result.numbers["faces"]) == (1.0, 12.0)
    assert "valid" not in result.numbers
    assert result.failed_output is None and "cancel" not in client.calls


def test_the_same_uninspected_output_for_another_input_still_fails() -> None:
    def unread(artifact: Artifact) -> dict[str, float]:
        raise CannotInspectError("Draco")

    registry = OutputRegistry()
    registry.admit("another.png", b"mesh")
    client = Scripted(SERVICE, Clock(), fetch=[Artifact(b"mesh", "out.stl", "")])

    assert job_of(client, inspect=unread, registry=registry).run().error_class == "duplicate_output"


def test_stages_are_told_as_they_begin() -> None:
    clock, told = Clock(), []
    client = Scripted(SERVICE, clock, poll=[PENDING, PENDING, RUNNING, RUNNING, DONE])
    job_of(client, on_stage=told.append).run()

    assert told == ["upload", "accept", "queue", "run", "download"]


def test_calls_carry_the_job_s_identifier_and_deadline_and_reach_the_recorder() -> None:
    clock, steps = Clock(), []
    client = Scripted(SERVICE, clock)
    client.on_step = steps.append
    seen: list[tuple[str, float]] = []
    real = client.upload
    client.upload = lambda job: seen.append((client.request_id, client.deadline_s)) or real(job)  # type: ignore
    result = job_of(client, request_id="id-1").run()

    assert seen == [("id-1", 1100.0)] and result.request_id == "id-1"
    assert [step.name for step in steps] == ["upload", "submit", "poll", "poll", "fetch"]
    assert client.on_step == steps.append and client.deadline_s == float("inf")


# --- failures


@pytest.mark.parametrize("error_class", ["reset", "refused", "receive_timeout", "truncated"])
def test_polls_without_an_answer_fail_a_job_when_there_are_too_many_in_a_row(error_class: str) -> None:
    lost = ServiceError(error_class, "gone")
    result, client = drive(poll=[lost, lost, lost, RUNNING, lost, lost, lost, lost])

    assert (result.error_class, result.numbers["lost_polls"]) == (error_class, 6)
    assert client.calls.count("poll") == 8 and result.numbers["polls"] == 1


@pytest.mark.parametrize("error_class", ["tls", "protocol", "bad_answer", "too_large", "timeout"])
def test_a_poll_whose_like_would_fail_again_is_not_asked_again(error_class: str) -> None:
    result, client = drive(poll=[ServiceError(error_class, "no"), DONE])

    assert result.error_class == error_class and client.calls.count("poll") == 1


@pytest.mark.parametrize("call", ["upload", "submit", "poll", "fetch"])
def test_a_failure_of_any_call_fails_the_job_with_its_class_and_words(call: str) -> None:
    error = ServiceError("http_500", "out of memory", status=500)
    result, client = drive(**{call: [(2.5, error)]})

    assert (result.outcome, result.error_class, result.error) == ("failed", "http_500", "out of memory")
    assert result.status == 500 and client.calls[-1] == call


def test_a_failed_job_keeps_the_service_s_words() -> None:
    failed = JobState(JobPhase.FAILED, error="Cannot allocate job 7", error_class="no_capacity")
    result, client = drive(poll=[RUNNING, failed])

    assert (result.outcome, result.error_class) == ("failed", "no_capacity")
    assert result.error == "Cannot allocate job 7"
    assert "fetch" not in client.calls and "cancel" not in client.calls
    assert result.stages["run"] == pytest.approx(4.0)


def test_a_job_that_failed_without_words_says_so() -> None:
    result, _ = drive(poll=[JobState(JobPhase.FAILED)])

    assert result.error_class == "job_failed" and "without a reason" in result.error


def test_an_output_that_is_no_good_fails_after_the_clock_stopped() -> None:
    def refuse(artifact: Artifact) -> dict[str, float]:
        raise ServiceError("empty_mesh", "no triangle")

    result, _ = drive(inspect=refuse)

    assert (result.outcome, result.error_class) == ("failed", "empty_mesh")
    assert result.duration_s == pytest.approx(4.0) and "download" in result.stages


def test_the_same_output_for_another_input_fails_unless_the_client_allows_it() -> None:
    clock, registry = Clock(), OutputRegistry()
    results = []
    for name, shows, distinct in (
        ("a.png", "the cat", True),
        ("b.png", "the dog", True),
        ("c.png", "", False),
        ("d.png", "the cat", True),  # another upload of the same picture
    ):
        client = Scripted(SERVICE, clock)
        client.distinct_outputs = distinct
        job = job_of(client, JobInput(name, b"image", "image/png", shows=shows), registry=registry)
        results.append(job.run().error_class)

    assert results == ["", "duplicate_output", "", ""]


# --- the deadline


def test_a_job_that_never_ends_is_given_up_at_its_deadline_and_cancelled() -> None:
    result, client = drive(poll=[RUNNING])

    assert (result.outcome, result.error_class) == ("failed", "timeout")
    assert result.duration_s == pytest.approx(100.0)
    assert "100 s" in result.error and "'run'" in result.error
    assert client.calls[-1] == "cancel"
    assert "server_duration_s" not in result.numbers


def test_a_deadline_that_passes_during_the_download_is_a_timeout() -> None:
    result, client = drive(fetch=[(500.0, Artifact(b"mesh", "out.stl", ""))])

    assert (result.error_class, client.calls[-1]) == ("timeout", "cancel")
    assert "'download'" in result.error
    assert result.numbers["server_duration_s"] == pytest.approx(4.0)


def test_a_client_that_notices_the_deadline_itself_is_believed() -> None:
    result, client = drive(fetch=[(96.0, ServiceError("timeout", "total time used up"))])

    assert (result.error_class, result.error) == ("timeout", "total time used up")
    assert client.calls[-1] == "cancel"


def test_before_the_service_named_the_job_there_is_nothing_to_cancel() -> None:
    result, client = drive(upload=[(101.0, "up")])

    assert result.error_class == "timeout"
    assert client.calls == ["upload"]


def test_a_cancel_that_fails_changes_nothing() -> None:
    result, _ = drive(poll=[RUNNING], cancel=[ServiceError("http_404", "no such job")])

    assert result.error_class == "timeout"


# --- stopped from outside


def run_killed(job: JobDriver) -> None:
    """Run it in a greenlet that is killed: its script says when it notices."""
    greenlet = gevent.spawn(job.run)
    note_kill(greenlet)
    assert isinstance(greenlet.get(), GreenletExit)


@pytest.mark.parametrize("call", ["upload", "submit", "poll", "fetch"])
def test_a_killed_job_leaves_what_it_had(call: str) -> None:
    clock = Clock()
    steps: list[Step] = []
    client = Scripted(SERVICE, clock, **{call: [(3.0, GreenletExit())]})
    client.on_step = steps.append
    job = job_of(client)
    run_killed(job)
    clock.now_s += 1.0
    result = job.result("unfinished")
    clock.now_s += 50.0
    again = job.result("unfinished")

    assert again is result and result.outcome == "unfinished"
    assert sum(result.stages.values()) == pytest.approx(result.duration_s)
    assert result.duration_s >= 4.0
    assert steps[-1].error_class == "unfinished"


def test_a_job_killed_while_its_output_is_inspected_keeps_its_duration() -> None:
    clock = Clock()

    def killed(artifact: Artifact) -> dict[str, float]:
        clock.now_s += 9.0
        raise GreenletExit

    job = job_of(Scripted(SERVICE, clock), inspect=killed)
    run_killed(job)

    assert job.result("unfinished").duration_s == pytest.approx(4.0)


# --- whatever a service does, times add up


@given(
    st.lists(
        st.tuples(st.floats(0, 30), st.sampled_from([PENDING, RUNNING, DONE, refusal(2.0), LOST])),
        max_size=12,
    ),
    st.floats(0, 5),
    st.floats(0, 9),
    st.booleans(),
)
@settings(max_examples=200)
def test_stages_add_up_whatever_happens(
    polls: list[Any], connect_s: float, submit_s: float, adaptive: bool
) -> None:
    service = SERVICE.model_copy(update={"poll": Poll(adaptive=adaptive)})
    submit = [(submit_s, "job-7")]
    result, _ = drive(service, connect_s=connect_s, submit=submit, poll=[*polls, RUNNING])

    numbers, accept_s = result.numbers, submit_s + connect_s
    assert 0 <= numbers.get("poll_bound_s", 0.0) <= numbers.get("server_duration_s", 0.0) + accept_s + 1e-9
    assert 0 <= numbers.get("begin_bound_s", 0.0) <= result.stages.get("run", 0.0) + 1e-9
    assert result.outcome in ("ok", "failed")
