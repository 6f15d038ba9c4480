"""What a user does between its turns, and which users fit which service."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import gevent
import pytest
from gevent import GreenletExit
from gevent.pool import Group
from locust import task
from locust.exception import StopUser

from genload.errors import UsageError
from genload.harness import users
from genload.harness.gate import Gate
from genload.harness.job_user import JobUser
from genload.harness.speech_user import SpeechUser
from genload.harness.tickets import Share
from genload.harness.user_classes import check_users
from genload.harness.users import LoadUser
from genload.runlog.records import RequestRecord
from genload.service import JobClient, SpeechClient
from genload.settings.arrivals import evenly
from genload.settings.phases import Phase, Timeline
from genload.settings.scenario import Scenario

from ..clock import Clock

STEADY = Timeline((Phase("steady", 60.0, users=1),))
PACED = Timeline((evenly("paced", 60.0, users=1, every_s=10.0),))


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What a user would have slept."""
    slept: list[float] = []
    monkeypatch.setattr(users.gevent, "sleep", slept.append)
    return slept


def user_of(timeline: Timeline, clock: Clock, **pauses: str) -> LoadUser:
    """A user at an open gate, its scenario with pauses."""
    gate = Gate(clock)
    gate.reset(timeline, Share())
    scenario = Scenario.model_validate({"shape": {"kind": "normal"}, "think": "3s", **pauses})
    plan = SimpleNamespace(scenario=scenario, service=None, client_class=JobClient)
    load = SimpleNamespace(
        plan=plan,
        gate=gate,
        rng=lambda index: SimpleNamespace(uniform=lambda low, high: high),
        kit=SimpleNamespace(request_type="POST"),
        blank=RequestRecord(source="", n=0, name="speech", operation="speech", type="POST"),
        recorder=SimpleNamespace(since_start=lambda at_s: at_s - 100.0),
    )
    process = SimpleNamespace(wait_for_plan=lambda: plan, population=lambda name: load)
    user = LoadUser(SimpleNamespace(genload=process))
    user.on_start()
    gate.begin(clock.now_s)
    return user


def result_of(start_s: float, end_s: float) -> Any:
    return SimpleNamespace(
        request_id="r", start_s=start_s, end_s=end_s, outcome="failed", status=500, error_class="server",
        error="no", bytes_sent=1, bytes_received=2, numbers={"attempts": 1.0}, failed_output=None, remark="",
    )  # fmt: skip


def test_a_user_thinks_before_a_request_and_rests_after_a_failure(pauses: list[float]) -> None:
    user = user_of(STEADY, Clock(100.0), failure_pause="7s")
    assert user.next_number() == 0
    with user.turn() as turn:
        assert (turn.phase, turn.number) == ("steady", 0)
    user.pause_after(result_of(100.0, 101.0))
    assert pauses == [3.0, 7.0]


def test_nobody_thinks_in_the_warm_up(pauses: list[float]) -> None:
    user = user_of(STEADY, Clock(100.0))
    gate = user.load.gate
    gate.reset(STEADY, Share(), 1)
    gate.warm_up()
    with user.turn() as turn:
        assert turn.warmup
    assert pauses == []


def test_who_is_not_asked_to_rests_only_as_long_as_its_locustfile_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock(100.0)
    monkeypatch.setattr(users.gevent, "sleep", clock.sleep)
    silent, asked = user_of(STEADY, clock), user_of(STEADY, clock, failure_pause="7s")
    silent.pause_after(result_of(100.0, 101.0))
    assert (clock.slept, silent.load.gate.asleep_s) == ([], 0.0)
    silent.pause_after(result_of(100.0, 101.0), 5.0)
    asked.pause_after(result_of(100.0, 101.0), 5.0)
    assert clock.slept == [5.0, 7.0]
    assert (silent.load.gate.asleep_s, asked.load.gate.asleep_s) == (5.0, 7.0)


def test_a_user_who_listens_first_hears_what_there_is_and_then_thinks(pauses: list[float]) -> None:
    user = user_of(STEADY, Clock(100.0))
    user.busy_until_s = time.monotonic() + 4.0
    with user.turn():
        pass
    assert pauses == [pytest.approx(4.0, abs=0.5), 3.0]


def test_the_hands_of_an_open_schedule_do_neither(pauses: list[float]) -> None:
    clock = Clock(100.0)
    user = user_of(PACED, clock, failure_pause="7s")
    for number in range(2):
        assert user.next_number() == number
        with user.turn() as turn:
            assert turn.intended_s == 100.0 + 10 * number
        user.pause_after(result_of(100.0, 101.0))
        clock.now_s += 10.0
    assert pauses == []


def test_when_nobody_may_start_any_more_the_user_ends() -> None:
    user = user_of(STEADY, Clock(100.0))
    user.load.gate.close()
    with pytest.raises(StopUser):
        user.next_number()
    with pytest.raises(StopUser), user.turn():
        pass


def test_a_turn_in_which_nothing_was_sent_has_no_record() -> None:
    user, records = recording()
    with user.turn():
        assert user.load.gate.in_flight == 1
    assert records == [] and user.load.gate.in_flight == 0
    assert user.next_number() == 1


def raising() -> None:
    raise GreenletExit


@pytest.mark.parametrize(
    ("work", "outcome", "error"),
    [
        (raising, "failed", "test_users.py:{line} in raising: GreenletExit"),
        (lambda: gevent.sleep(60), "unfinished", ""),
    ],
    ids=["raised by the locustfile", "killed"],
)
def test_a_turn_that_is_broken_off_is_recorded(work: Any, outcome: str, error: str) -> None:
    user, records = recording()

    def turn() -> None:
        with user.turn():
            work()

    user._greenlet = gevent.spawn(turn)
    user._group = Group([user._greenlet])
    gevent.sleep(0.01)
    if not user._greenlet.dead:
        user.stop(force=True)

    (record,) = records
    expected = error.format(line=raising.__code__.co_firstlineno + 1)
    assert record.outcome == outcome and record.error.endswith(expected)
    assert record.error_class == ("client_error" if error else "")
    blamed: Any = user.load.blame
    assert blamed.call_count == bool(error)


def recording() -> tuple[LoadUser, list[RequestRecord]]:
    """A user that may start at once, and the records that it makes."""
    user, records = user_of(STEADY, Clock(100.0), think="0s"), list[RequestRecord]()
    user.load.blame = Mock()  # type: ignore[method-assign]
    user.environment.genload.event = SimpleNamespace(fire=records.append)
    return user, records


def test_a_late_start_is_told_beside_the_intended_one() -> None:
    clock = Clock(100.0)
    user = user_of(PACED, clock)
    clock.now_s = 104.0
    with user.turn() as turn:
        record = user._request_record(turn, result_of(104.5, 106.0))
    assert (record.intended_s, record.start_s, record.duration_s) == (0.0, 4.5, 1.5)
    assert record.latency_s == 6.0
    assert record.numbers == {"attempts": 1.0, "start_delay_s": 4.5}
    assert (record.name, record.operation, record.type, record.phase) == (
        "speech",
        "speech",
        "POST",
        "paced",
    )


def test_in_a_load_of_users_latency_is_the_duration() -> None:
    record = RequestRecord(source="", n=0, name="speech", start_s=4.0, duration_s=1.5)
    assert record.latency_s == 1.5


class Bare(LoadUser):
    @task
    def work(self) -> None: ...


class Jobs(JobUser):
    @task
    def work(self) -> None: ...


class Speaking(SpeechUser):
    @task
    def work(self) -> None: ...


class Mixin:
    @task
    def work(self) -> None: ...


class Idle(Mixin, JobUser):
    """Whose task Locust does not find: it only looks into users."""


@pytest.mark.parametrize(
    ("user_class", "client_class", "fits"),
    [
        (Jobs, JobClient, True),
        (Speaking, SpeechClient, True),
        (Bare, JobClient, True),
        (Bare, SpeechClient, True),
        (Jobs, SpeechClient, False),
        (Speaking, JobClient, False),
    ],
)
def test_users_talk_to_services_of_their_kind(user_class: Any, client_class: Any, fits: bool) -> None:
    plan: Any = SimpleNamespace(
        client_class=client_class,
        service=SimpleNamespace(api="some"),
        suite=SimpleNamespace(name="mine", locustfile="theirs"),
    )
    if fits:
        check_users([user_class], plan)
    else:
        with pytest.raises(UsageError, match="'some' of suite mine has none") as refusal:
            check_users([Bare, user_class], plan)
        assert "theirs" in refusal.value.remedy


def test_users_without_a_task_are_refused() -> None:
    plan: Any = SimpleNamespace(client_class=JobClient)

    with pytest.raises(UsageError, match=r"\(Idle\) have no task") as refusal:
        check_users([Jobs, Idle], plan)
    assert "@task" in refusal.value.remedy
