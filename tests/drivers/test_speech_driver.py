"""The driver of one speech request against a scripted client, by a simulated clock."""

from __future__ import annotations

import gc
from typing import Any

import gevent
import pytest
from gevent import GreenletExit

from genload.artifacts.audio.listener import Heard
from genload.drivers.speech_driver import SpeechDriver, SpeechResult, labels_of
from genload.orders import note_kill
from genload.service import (
    Artifact,
    CannotInspectError,
    NotInspectedError,
    ServiceError,
    Speech,
    SpeechClient,
    Utterance,
)
from genload.settings.service import Retry, Service

from ..clock import Clock

HELLO = Utterance(7, "Hello.", "af_heart", length="short", repeat=False)
SERVICE = Service(
    api="scripted", timeout_s=60.0, retry=Retry(max_retries=2, default_wait_s=5.0, max_wait_s=30.0)
)


class Scripted(SpeechClient):
    """Answers each call with the next entry of its script, (seconds, what it returns or raises)."""

    def __init__(self, clock: Clock, *script: tuple[float, Any]) -> None:
        super().__init__(SERVICE)
        self.clock, self.script = clock, list(script)
        self.ids: list[str] = []
        self.deadlines_s: list[float] = []

    def ready(self) -> None:
        raise AssertionError("the driver does not ask")

    def speak(self, utterance: Utterance) -> Speech:
        self.ids.append(self.request_id)
        self.deadlines_s.append(self.deadline_s)
        seconds, answer = self.script.pop(0)
        sent_s = self.clock.now_s
        with self.step("speech", "POST", recorded=False) as step:
            step.bytes_sent, step.bytes_received, step.status = 10, 100, 200
            self.clock.now_s += seconds
            if isinstance(answer, BaseException):
                raise answer
        end_s = self.clock.now_s
        self.clock.now_s += 0.25  # what comes after the last byte is not the service's time
        arrivals = ((end_s, len(answer)),)
        return Speech(answer, "audio/wav", sent_s, end_s, end_s, arrivals, streamed=False, cached=True)


class Ear:
    """Hears what it is told to, or fails."""

    def __init__(
        self,
        error: BaseException | None = None,
        *,
        inspecting: bool = True,
        unread: NotInspectedError | None = None,
    ) -> None:
        self.error, self.inspecting, self.unread = error, inspecting, unread

    def inspects(self, utterance: Utterance) -> bool:
        return self.inspecting

    def listen(self, speech: Speech, utterance: Utterance) -> Heard:
        if self.error is not None:
            raise self.error
        numbers = {"ttfa_s": 0.5} if self.unread else {"ttfa_s": 0.5, "valid": 1.0}
        return Heard(numbers, {3: 1}, self.unread)


def driver(
    client: Scripted, listener: Ear | None = None, service: Service = SERVICE, **options: Any
) -> SpeechDriver:
    clock = client.clock
    return SpeechDriver(
        client,
        HELLO,
        service=service,
        listener=listener or Ear(),
        request_id="r-1",
        clock=clock,
        sleep=clock.sleep,
        **options,
    )


def drive(
    *script: tuple[float, Any], listener: Ear | None = None, **options: Any
) -> tuple[SpeechResult, Scripted]:
    client = Scripted(Clock(), *script)
    return driver(client, listener, **options).run(), client


def busy(retry_after_s: float | None = None) -> ServiceError:
    return ServiceError("busy", "come back", rejected=True, retry_after_s=retry_after_s, status=503)


def test_a_success_has_what_was_heard_and_ends_with_the_last_byte() -> None:
    result, client = drive((2.0, b"audio"))
    assert (result.outcome, result.error_class, result.status) == ("ok", "", 200)
    assert result.duration_s == pytest.approx(2.0)
    assert result.labels == {"voice": "af_heart", "length": "short", "text": "new", "cache": "hit"}
    assert result.numbers == {
        "attempts": 1.0,
        "rejections": 0.0,
        "characters": 6.0,
        "ttfa_s": 0.5,
        "valid": 1.0,
    }
    assert result.gaps == {3: 1}
    assert (result.bytes_sent, result.bytes_received, result.failed_output) == (10, 100, None)
    assert client.ids == ["r-1"]
    assert client.deadlines_s == [1060.0]


def test_a_request_leaves_nothing_to_the_garbage_collector() -> None:
    many = [driver(Scripted(Clock(), (2.0, b"audio"))) for _ in range(100)]
    many.pop().run()  # what is made once is no part of a request
    gc.collect()
    gc.disable()
    try:
        while many:
            many.pop().run()
        assert gc.collect() < 50, "a few may be of whoever ran before"
    finally:
        gc.enable()


def test_a_failure_has_a_class_and_nothing_that_was_heard() -> None:
    result, _ = drive((1.0, ServiceError("server", "out of memory", status=500)))
    assert (result.outcome, result.error_class, result.error, result.status) == (
        "failed",
        "server",
        "out of memory",
        500,
    )
    assert result.duration_s == pytest.approx(1.0)
    assert set(result.numbers) == {"attempts", "rejections", "characters"}
    assert "cache" not in result.labels


def test_who_leaves_hangs_up_then_and_has_neither_succeeded_nor_failed() -> None:
    late = ServiceError("timeout", "not done after 3 s")
    result, client = drive((3.0, late), leaves_at_s=1003.0)
    assert client.deadlines_s == [1003.0]
    assert (result.outcome, result.error_class, result.error) == ("left", "", "")
    assert (result.duration_s, result.bytes_received) == (pytest.approx(3.0), 100)
    assert set(result.numbers) == {"attempts", "rejections", "characters"}
    # Whose answer is late by the clock was gone, too; while it waits to ask again it may leave as well.
    assert drive((4.0, b"audio"), leaves_at_s=1003.0)[0].outcome == "left"
    assert drive((1.0, busy(9.0)), leaves_at_s=1003.0)[0].outcome == "left"


def test_what_ends_before_its_listener_would_have_left_is_what_it_is() -> None:
    assert drive((2.0, b"audio"), leaves_at_s=1003.0)[0].outcome == "ok"
    broken = ServiceError("server", "out of memory", status=500)
    assert drive((2.0, broken), leaves_at_s=1003.0)[0].error_class == "server"
    assert drive((60.0, ServiceError("timeout", "")), leaves_at_s=1090.0)[0].error_class == "timeout"


@pytest.mark.parametrize("inspecting", [True, False])
def test_broken_audio_is_a_failure_with_what_came(inspecting: bool) -> None:
    error = ServiceError("silent_audio", "not a sound", status=200)
    error.output = Artifact(b"audio", "speech-7.wav", "audio/wav")
    result, _ = drive((1.0, b"audio"), listener=Ear(error, inspecting=inspecting))
    assert (result.outcome, result.error_class, result.failed_output) == (
        "failed",
        "silent_audio",
        error.output,
    )
    assert result.duration_s == pytest.approx(1.0)
    # Of an answer that is not in the sample nothing is said about its validity, either way.
    assert result.numbers.get("valid") == (0.0 if inspecting else None)


def test_what_nothing_here_can_inspect_is_a_success_that_says_so() -> None:
    unread = CannotInspectError("AAC: install something")
    result, _ = drive((1.0, b"audio"), listener=Ear(unread=unread))
    assert (result.outcome, result.error_class, result.remark) == ("ok", "", "AAC: install something")
    assert result.numbers["cannot_inspect"] == 1.0
    assert "valid" not in result.numbers and result.numbers["ttfa_s"] == 0.5


def test_what_nobody_wants_inspected_is_not_counted_with_what_cannot_be() -> None:
    result, _ = drive((1.0, b"audio"), listener=Ear(unread=NotInspectedError("validate: off")))
    assert (result.outcome, result.remark) == ("ok", "validate: off")
    assert not {"valid", "cannot_inspect"} & set(result.numbers)


def test_refusals_are_tried_again_and_counted() -> None:
    result, client = drive((0.1, busy()), (0.1, busy(retry_after_s=90.0)), (1.0, b"audio"))
    assert result.outcome == "ok"
    assert (result.numbers["attempts"], result.numbers["rejections"]) == (3.0, 2.0)
    assert client.clock.slept == [5.0, 30.0]
    assert result.duration_s == pytest.approx(0.1 + 5 + 0.1 + 30 + 1.0)
    assert result.bytes_received == 300
    assert client.ids == ["r-1"] * 3


def test_the_last_refusal_is_one_failure() -> None:
    result, _ = drive(*[(0.1, busy(0.0))] * 3)
    assert (result.outcome, result.error_class, result.status) == ("failed", "rejected", 503)
    assert (result.numbers["attempts"], result.numbers["rejections"]) == (3.0, 3.0)


def test_without_retries_every_answer_counts() -> None:
    client = Scripted(Clock(), (0.1, busy()))
    service = SERVICE.model_copy(update={"retry": Retry(max_retries=0)})
    result = driver(client, service=service).run()
    assert (result.error_class, result.numbers["rejections"], client.clock.slept) == ("rejected", 1.0, [])


def test_no_pause_goes_beyond_the_requests_time() -> None:
    result, client = drive((50.0, busy(20.0)), (1.0, b"never asked for"))
    assert (result.outcome, result.error_class) == ("failed", "timeout")
    assert client.clock.slept == [pytest.approx(10.0)]
    assert result.duration_s == pytest.approx(60.0)
    assert len(client.script) == 1


def test_an_answer_after_the_requests_time_is_none() -> None:
    result, _ = drive((60.5, b"audio"))
    assert (result.outcome, result.error_class) == ("failed", "timeout")


@pytest.mark.parametrize("listening", [True, False])
def test_one_that_is_killed_tells_how_far_it_got(listening: bool) -> None:
    script = (1.0, b"audio") if listening else (3.0, GreenletExit())
    client = Scripted(Clock(), script)
    one = driver(client, Ear(GreenletExit()) if listening else None)
    greenlet = gevent.spawn(one.run)
    note_kill(greenlet)
    assert isinstance(greenlet.get(), GreenletExit)
    result = one.result("unfinished")
    assert result.outcome == "unfinished"
    assert result.duration_s == pytest.approx(1.0 if listening else 3.0)
    assert result.numbers["characters"] == 6.0
    assert client.deadline_s > 1e9  # the client is as it was


def test_labels_are_those_that_the_utterance_has() -> None:
    assert labels_of(Utterance(0, "a", "anna")) == {"voice": "anna"}
    assert labels_of(Utterance(0, "a", "anna", repeat=True)) == {"voice": "anna", "text": "repeat"}


@pytest.mark.parametrize(
    ("error_class", "inspecting", "valid"),
    [
        ("empty_audio", True, 0.0),
        ("wrong_content", True, 0.0),
        ("empty_audio", False, None),
        ("server", True, None),
    ],
)
def test_an_answer_that_the_client_takes_for_no_audio_is_an_output_that_is_not_valid(
    error_class: str, inspecting: bool, valid: float | None
) -> None:
    failure = ServiceError(error_class, "no audio", status=200)
    result, _ = drive((1.0, failure), listener=Ear(inspecting=inspecting))
    assert (result.outcome, result.numbers.get("valid")) == ("failed", valid)
