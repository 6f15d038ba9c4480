"""A job that is one blocking call, against a scripted client, by a simulated clock."""

from __future__ import annotations

from typing import Any

import pytest

from genload.drivers.job_result import JobResult
from genload.service import ONE_CALL_STAGES, Artifact, JobInput, JobPhase, JobState, ServiceError, Step

from ..clock import Clock
from .scripted_job import PENDING, RUNNING, SERVICE, Scripted, job_of, refusal

UPLOAD_S, RUN_S, DOWNLOAD_S = 0.5, 80.0, 3.0


class OneCall(Scripted):
    """Its order is answered when its work is done, unless the script has it say otherwise."""

    def __init__(self, clock: Clock, *, one_call: bool = True, connect_s: float = 0.0, **script: Any) -> None:
        super().__init__(SERVICE, clock, **{"upload": [""], **script})
        self.one_call, self.connect_s = one_call, connect_s

    def submit(self, job: JobInput, job_id: str) -> str | JobState:
        entries = self.script["submit"]
        entry = entries.pop(0) if len(entries) > 1 else entries[0]
        self.calls.append("submit")
        with self.step("submit") as step:
            self._wire(step, entry)
            if isinstance(entry, BaseException):
                raise entry
            if isinstance(entry, str):
                return entry
        return JobState(JobPhase.COMPLETED, output_since_s=step.first_byte_s)

    def _wire(self, step: Step, entry: Any) -> None:
        """Connect, send, wait, receive."""
        clock = self.clock
        step.connect_s = self.connect_s
        clock.now_s += self.connect_s + UPLOAD_S
        if isinstance(entry, ServiceError) and entry.error_class == "reset":
            return  # before the request was out
        step.sent_s = clock.now_s
        clock.now_s += 0.1 if isinstance(entry, ServiceError) and entry.rejected else RUN_S
        step.first_byte_s = clock.now_s
        clock.now_s += DOWNLOAD_S
        step.end_s, step.status = clock.now_s, 200

    def fetch(self, job_id: str, state: JobState) -> Artifact:
        self.clock.now_s += 1.5  # decoding what has come: no time of the service's
        return Artifact(b"mesh", "out.glb", "")


def drive(**options: Any) -> tuple[JobResult, OneCall]:
    client = OneCall(Clock(), **options)
    result = job_of(client, inspect=lambda artifact: {"faces": 12.0}).run()
    assert sum(result.stages.values()) == pytest.approx(result.duration_s, abs=1e-9)
    return result, client


def test_one_call_has_its_work_between_the_request_and_the_first_byte_of_the_answer() -> None:
    result, client = drive(submit=[None], connect_s=0.25)

    assert (result.outcome, result.error_class) == ("ok", "")
    assert result.stages == pytest.approx(
        {"connect": 0.5, "upload": UPLOAD_S, "run": RUN_S, "download": DOWNLOAD_S}
    )
    assert tuple(result.stages) == ONE_CALL_STAGES
    assert result.numbers["server_duration_s"] == pytest.approx(RUN_S)
    assert result.numbers["polls"] == 0 and "poll_bound_s" not in result.numbers
    assert client.calls == ["upload", "submit"] and client.clock.slept == []


def test_what_is_done_with_the_output_is_no_time_of_the_job() -> None:
    result, client = drive(submit=[None])

    assert result.duration_s == pytest.approx(UPLOAD_S + RUN_S + DOWNLOAD_S)
    assert client.clock.now_s == pytest.approx(1000.0 + result.duration_s + 1.5)


def test_refusals_that_are_waited_out_come_before_the_work() -> None:
    result, client = drive(submit=[refusal(9.0), None])

    assert result.stages["upload"] == pytest.approx(UPLOAD_S + 0.1 + DOWNLOAD_S + 9.0 + UPLOAD_S)
    assert result.stages["run"] == pytest.approx(RUN_S)
    assert client.clock.slept == [9.0]


def test_a_call_that_fails_after_its_work_has_the_time_of_it() -> None:
    result, _ = drive(submit=[ServiceError("http_500", "out of memory", status=500)])

    assert (result.outcome, result.error_class) == ("failed", "http_500")
    assert result.stages["run"] == pytest.approx(RUN_S)
    assert "server_duration_s" not in result.numbers


def test_a_call_that_never_got_out_was_still_on_its_way() -> None:
    result, _ = drive(submit=[ServiceError("reset", "gone")])

    assert result.stages == pytest.approx({"connect": 0.0, "upload": UPLOAD_S})


def test_an_order_that_may_be_answered_either_way_has_the_stages_of_the_way_it_took() -> None:
    at_once, _ = drive(one_call=False, submit=[None], connect_s=0.25)
    polled, client = drive(one_call=False, submit=["job-7"])

    assert at_once.stages == pytest.approx(
        {"upload": UPLOAD_S, "connect": 0.5, "run": RUN_S, "download": DOWNLOAD_S}
    )
    assert set(polled.stages) == {"connect", "upload", "accept", "queue", "run", "download"}
    assert polled.job_id == "job-7" and client.calls == ["upload", "submit", "poll", "poll"]


def test_a_service_that_does_not_tell_waiting_from_work_has_no_queue() -> None:
    client = Scripted(SERVICE, Clock(), poll=[RUNNING, RUNNING, JobState(JobPhase.COMPLETED)])
    client.queue_told = False
    result = job_of(client).run()

    assert "queue" not in result.stages and "begin_bound_s" not in result.numbers
    assert result.stages["run"] == pytest.approx(6.0)


def test_a_pause_that_the_service_wants_is_kept_within_the_longest() -> None:
    soon, late = JobState(JobPhase.RUNNING, pause_s=7.0), JobState(JobPhase.RUNNING, pause_s=900.0)
    client = Scripted(SERVICE, Clock(), poll=[PENDING, soon, late, RUNNING, JobState(JobPhase.COMPLETED)])
    job_of(client).run()

    assert client.clock.slept == [2.0, 2.0, 7.0, 30.0, 2.0]


def test_an_output_inside_the_last_poll_is_downloaded_from_its_first_byte_on() -> None:
    clock = Clock()
    client = Scripted(
        SERVICE, clock, poll=[RUNNING, (5.0, JobState(JobPhase.COMPLETED, output_since_s=1004.5))]
    )
    result = job_of(client).run()

    assert result.stages["run"] == pytest.approx(4.5)
    assert result.stages["download"] == pytest.approx(4.5)
    assert result.numbers["poll_bound_s"] == pytest.approx(2.5)  # from the send of the poll before


def test_a_download_that_makes_no_call_takes_no_time() -> None:
    class Inside(Scripted):
        def poll(self, job_id: str) -> JobState:
            with self.step("poll") as step:
                step.sent_s, step.end_s = self.clock.now_s, self.clock.now_s + 0.1
                self.clock.now_s += 0.5  # reading the answer
            return JobState(JobPhase.COMPLETED)

        def fetch(self, job_id: str, state: JobState) -> Artifact:
            return Artifact(b"mesh", "out.glb", "")

    result = job_of(Inside(SERVICE, Clock())).run()

    assert result.stages["download"] == 0 and sum(result.stages.values()) == pytest.approx(result.duration_s)


def test_numbers_that_the_client_notes_are_in_the_record_of_its_job() -> None:
    class Noting(OneCall):
        def submit(self, job: JobInput, job_id: str) -> str | JobState:
            self.noted["inference_s"] = 41.0
            return super().submit(job, job_id)

    client = Noting(Clock(), submit=[ServiceError("http_500", "late")])
    assert job_of(client).run().numbers["inference_s"] == 41.0
