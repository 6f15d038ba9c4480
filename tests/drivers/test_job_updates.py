"""Jobs of a service that tells of them itself, by a simulated clock."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genload.drivers.job_result import JobResult
from genload.service import Artifact, JobPhase, JobState, ServiceError
from genload.service.updates import Update, Updates
from genload.settings.service import Service

from ..clock import Clock
from .scripted_job import DONE, PENDING, RUNNING, SERVICE, Scripted, job_of

STATES = {
    "waits": PENDING,
    "runs": RUNNING,
    "done": DONE,
    "failed": JobState(JobPhase.FAILED, error="no capacity", error_class="no_capacity"),
}
RARELY_S = 10 * SERVICE.poll.interval_s


class Client(Scripted):
    def told(self, job_id: str, fields: Mapping[str, Any]) -> JobState:
        assert job_id == "job-7"
        return STATES[fields["state"]]


class Script(Updates):
    """Tells of the only job by a simulated clock.

    Args:
        script: (when it arrives, what, since when it may have been sent); None for "what": the connection is
            lost then; "back": it is there again.
        since_s: since when it listens.
    """

    def __init__(self, clock: Clock, script: list[tuple[float, str | None, float]], since_s: float) -> None:
        self.clock, self.since_s = clock, since_s
        self.script = deque(script)
        self.closed = False

    def open(self, tell: Callable[[str], None]) -> None:
        raise AssertionError("the driver only follows")

    def wait_until_heard(self, seconds: float) -> None:
        raise AssertionError("the driver only follows")

    def follow(self, job_id: str) -> Script:
        assert job_id == "job-7"
        return self

    def close(self) -> None:
        self.closed = True

    def wait(self, seconds: float) -> Update | None:
        until_s = self.clock.now_s + seconds
        while self.script and self.script[0][0] <= until_s:
            when_s, state, since_s = self.script.popleft()
            self.clock.now_s = max(self.clock.now_s, when_s)
            if state is None:
                self.since_s = inf
                return None
            if state == "back":
                self.since_s = when_s
                continue
            return Update({"state": state}, when_s, since_s)
        self.clock.slept.append(seconds)
        self.clock.now_s = until_s
        return None


def follow(
    *script: tuple[float, str | None, float], since_s: float = 0.0, service: Service = SERVICE, **calls: Any
) -> tuple[JobResult, Client, Script]:
    """One job: the clock begins at 1000, the upload takes 1 s, the order 2 s."""
    clock = Clock()
    answers = {"upload": [(1.0, "up")], "submit": [(2.0, "job-7")], **calls}
    client, updates = Client(service, clock, **answers), Script(clock, list(script), since_s)
    result = job_of(client, updates=updates).run()
    assert updates.closed
    assert sum(result.stages.values()) == pytest.approx(result.duration_s, abs=1e-9)
    return result, client, updates


def test_an_end_that_is_told_is_known_to_the_moment_before_which_it_was_not_sent() -> None:
    result, client, _ = follow(
        (1004.0, "waits", 1003.5),
        (1010.0, "runs", 1009.9),
        (1020.0, "done", 1019.75),
        fetch=[(0.5, Artifact(b"mesh", "out.stl", ""))],
    )
    assert client.calls == ["upload", "submit", "fetch"]
    assert result.stages == pytest.approx(
        {"connect": 0, "upload": 1, "accept": 2, "queue": 6.9, "run": 10.1, "download": 0.5}
    )
    numbers = result.numbers
    assert numbers["begin_bound_s"] == pytest.approx(0.1)
    assert numbers["poll_bound_s"] == pytest.approx(0.25)
    assert numbers["server_duration_s"] == pytest.approx(17.0)
    assert (numbers["polls"], numbers["updates"], numbers["told_by_event"]) == (0, 3, 1)


def test_a_failure_that_is_told_is_the_job_s() -> None:
    result, client, _ = follow((1004.0, "failed", 1003.9))
    assert (result.error_class, result.error) == ("no_capacity", "no capacity")
    assert client.calls == ["upload", "submit"] and result.numbers["poll_bound_s"] == pytest.approx(0.1)


def test_what_is_told_before_the_order_is_answered_counts_from_its_answer_on() -> None:
    result, _, _ = follow((1001.5, "runs", 1001.4), (1002.0, "done", 1001.9))
    assert result.stages["run"] == 0 and result.stages["accept"] == 2
    assert result.numbers["server_duration_s"] == 0
    # The order was sent at 1001, its answer came at 1003: the job ended behind 1001.9.
    assert result.numbers["poll_bound_s"] == pytest.approx(1.1)


def test_nothing_was_sent_before_the_order_was() -> None:
    result, _, _ = follow((1004.0, "done", 900.0))
    assert result.numbers["poll_bound_s"] == pytest.approx(3.0)  # from the send of the order


def test_who_is_cut_off_asks_at_once_and_goes_on_asking() -> None:
    result, client, updates = follow((1007.0, None, 0.0), poll=[RUNNING, RUNNING, DONE])
    assert client.calls.count("poll") == 3
    assert updates.clock.slept == [2.0, 2.0]  # the first poll came with the loss
    assert (result.outcome, result.numbers["told_by_event"], result.numbers["polls"]) == ("ok", 0, 3)
    assert result.numbers["poll_bound_s"] == pytest.approx(2.0)


def test_who_is_connected_again_asks_once_and_then_listens() -> None:
    result, client, updates = follow(
        (1007.0, None, 0.0), (1008.0, "back", 0.0), (1020.0, "done", 1019.9), poll=[RUNNING]
    )
    assert client.calls.count("poll") == 2  # at the loss, and behind it
    assert updates.clock.slept == [2.0]
    assert result.numbers["told_by_event"] == 1 and result.numbers["poll_bound_s"] == pytest.approx(0.1)


def test_who_began_to_listen_behind_the_order_asks_first() -> None:
    _, client, updates = follow((1010.0, "done", 1009.9), since_s=1002.0, poll=[RUNNING])
    assert client.calls.count("poll") == 1 and updates.clock.slept == [2.0]


def test_an_update_that_was_never_sent_costs_one_rare_poll() -> None:
    result, client, updates = follow((1005.0, "runs", 1004.9), poll=[DONE])
    assert client.calls.count("poll") == 1 and updates.clock.slept == [RARELY_S]
    assert result.numbers["told_by_event"] == 0
    assert result.numbers["poll_bound_s"] == pytest.approx(RARELY_S + 0.1)


def test_a_job_that_was_told_to_run_does_not_wait_again_because_a_poll_knows_nothing_of_it() -> None:
    result, client, _ = follow(
        (1010.0, "runs", 1009.9),
        (1011.0, None, 0.0),
        poll=[PENDING, DONE],
        fetch=[(0.5, Artifact(b"m", "m.stl", ""))],
    )
    assert client.calls.count("poll") == 2
    assert result.stages["queue"] == pytest.approx(6.9) and result.stages["run"] == pytest.approx(3.1)
    assert result.numbers["begin_bound_s"] == pytest.approx(0.1)


def test_who_waits_for_an_update_waits_no_longer_than_the_deadline() -> None:
    service = SERVICE.model_copy(update={"timeout_s": 10.0})
    result, client, updates = follow(service=service)
    assert result.error_class == "timeout" and updates.clock.now_s == pytest.approx(1010.0)
    assert client.calls[-1] == "cancel" and "told_by_event" not in result.numbers


def test_a_poll_that_fails_while_nothing_is_heard_is_asked_again() -> None:
    lost = ServiceError("reset", "the connection was reset")
    result, client, _ = follow((1005.0, None, 0.0), poll=[lost, lost, DONE])
    assert result.outcome == "ok" and result.numbers["lost_polls"] == 2
    assert client.calls.count("poll") == 3


@given(
    st.floats(0.0, 20.0),
    st.floats(0.0, 20.0),
    st.lists(st.tuples(st.floats(0.0, 60.0), st.floats(0.0, 5.0)), max_size=3),
    st.floats(0.0, 1.0),
    st.floats(0.0, 1.0),
)
def test_however_connections_come_and_go_the_end_is_within_the_bound(
    queue_s: float, run_s: float, gaps: list[tuple[float, float]], late_s: float, unsure_s: float
) -> None:
    """The order is sent at 1001; the job begins and ends when it does, and every update of it is heard that
    is sent while somebody is connected."""
    begin_s, end_s = 1001.0 + queue_s, 1001.0 + queue_s + run_s
    cuts = sorted((1001.0 + at_s, 1001.0 + at_s + for_s) for at_s, for_s in gaps)

    def heard(sent_s: float) -> bool:
        return not any(lost_s <= sent_s + late_s and sent_s <= back_s for lost_s, back_s in cuts)

    script: list[tuple[float, str | None, float]] = [
        (sent_s + late_s, state, sent_s - unsure_s)
        for sent_s, state in ((1001.0, "waits"), (begin_s, "runs"), (end_s, "done"))
        if heard(sent_s)
    ]
    away_until_s = 0.0
    for lost_s, back_s in cuts:
        if lost_s > away_until_s:
            script += [(lost_s, None, 0.0), (back_s, "back", 0.0)]
            away_until_s = back_s
    clock = Clock()
    client = Client(SERVICE, clock, upload=[(1.0, "up")], submit=[(0.001, "job-7")])

    def poll(job_id: str) -> JobState:
        now_s = clock.now_s
        return DONE if now_s >= end_s else RUNNING if now_s >= begin_s else PENDING

    client.poll = poll  # type: ignore[method-assign]
    order = {"waits": 0, "runs": 1, "done": 2, "back": 3}
    script.sort(key=lambda entry: (entry[0], order.get(str(entry[1]), -1)))
    updates = Script(clock, script, 0.0)
    result = job_of(client, updates=updates).run()

    assert result.outcome == "ok"
    seen_s = result.end_s - result.stages["download"]
    assert seen_s - result.numbers["poll_bound_s"] - 1e-6 <= end_s <= seen_s + 1e-6
    earliest_s = result.start_s + sum(result.stages.get(name, 0.0) for name in ("upload", "accept", "queue"))
    assert (
        earliest_s - 1e-6 <= max(begin_s, earliest_s) <= earliest_s + result.numbers["begin_bound_s"] + 1e-6
    )
