"""Locust confirms no custom message and drops those for unknown peers: no record may depend on one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import gevent
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genload.code_errors import CodeFailure
from genload.harness.crew import Workers
from genload.harness.gate_status import GateStatus
from genload.harness.remote_crew import RemoteCrew, late_words
from genload.harness.worker_link import WorkerLink
from genload.harness.worker_messages import ACK, OUTPUT, PREPARE, REPORT_S, RESEND_S, STAGE
from genload.runlog.failures import MAX_SENT_BYTES, FailedOutput
from genload.runlog.records import RequestRecord

from ..clock import Clock


class Runner:
    """Collects what is sent instead of sending it."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Any]] = []
        self.clients = SimpleNamespace(
            ready=[SimpleNamespace(id="one")], get=lambda _: SimpleNamespace(state="ready")
        )

    def register_message(self, name: str, listener: Any) -> None:
        pass

    def handle_message(self, client_id: str, msg: Any) -> None:
        self.sent.append(("handled", client_id))

    def send_message(self, name: str, data: Any = None, client_id: str | None = None) -> None:
        self.sent.append((name, data))


ALONE = SimpleNamespace(timeline=SimpleNamespace(max_users=3))
PLAN: Any = SimpleNamespace(to_message=dict, populations=(ALONE,))
EMPTY = {"first": 0, "records": b"", "sent_s": 0.0, "users": []}
"""The report of a worker that has done nothing yet."""


class Pair:
    """A worker's link and its master, with the network in the test's hand."""

    def __init__(self) -> None:
        self.clock = Clock(100.0)
        self.arrived: list[int] = []
        self.kept: list[FailedOutput] = []
        self.notices: list[tuple[str, str]] = []
        self.lost: list[tuple[str, float | None]] = []
        self.blamed: list[CodeFailure] = []
        self.of_worker, self.of_master = Runner(), Runner()
        self.link = WorkerLink(self.of_worker, clock=self.clock)  # type: ignore[arg-type]
        self.crew = RemoteCrew(
            self.of_master,  # type: ignore[arg-type]
            lambda records: self.arrived.extend(record.n for record in records),
            lambda source, heard_s: self.lost.append((source, heard_s)),
            self.kept.append,
            lambda code, text: self.notices.append((code, text)),
            self.blamed.append,
            clock=self.clock,
        )
        self.crew._on_report(None, SimpleNamespace(data=EMPTY, node_id="one"))
        self.crew.prepare(PLAN, t0_s=100.0)
        self.link.process.recorder.reset("w0", 0.0)
        self.link._run = 1
        self.of_master.sent.clear()

    def request(self) -> None:
        self.link.process.recorder.on_request("JOB", "generate", 1.0, 0)
        self.link.process.recorder.hand_on()

    def report(self, *, lost: bool = False, ack_lost: bool = False) -> None:
        self.link._report()
        for name, data in self.take(self.of_worker):
            if not lost:
                listener = self.crew._on_output if name == OUTPUT else self.crew._on_report
                listener(None, SimpleNamespace(data=data, node_id="one"))
        self.hear(lost=ack_lost)

    def hear(self, *, lost: bool = False) -> None:
        """The worker hears what the master has sent, or it is lost."""
        for name, data in self.take(self.of_master):
            listener = {ACK: self.link._ack, STAGE: self.link._stage}.get(name)
            if listener is not None and not lost:
                listener(None, SimpleNamespace(data=data))

    @staticmethod
    def take(runner: Runner) -> list[tuple[str, Any]]:
        sent, runner.sent = runner.sent, []
        return sent


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans(), st.booleans()), max_size=20))
def test_whatever_is_lost_every_record_arrives_once_and_in_order(
    steps: list[tuple[int, bool, bool]],
) -> None:
    pair = Pair()
    for made, lost, ack_lost in steps:
        for _ in range(made):
            pair.request()
        pair.report(lost=lost, ack_lost=ack_lost)
        pair.clock.now_s += RESEND_S / 3
    pair.clock.now_s += RESEND_S + 1
    pair.report()
    assert pair.arrived == list(range(sum(made for made, _, _ in steps)))
    assert pair.link._kept == []


@given(
    st.lists(st.tuples(st.sampled_from(["", "warm_up", "start_cold", "begin"]), st.booleans(), st.booleans()))
)
def test_whatever_is_lost_a_worker_does_what_it_is_told_once_and_in_order(
    steps: list[tuple[str, bool, bool]],
) -> None:
    pair, done = Pair(), list[str]()
    gate = SimpleNamespace(
        warm_up=lambda: done.append("warm_up"),
        start_cold=lambda: done.append("start_cold"),
        begin=lambda origin_s: done.append("begin"),
        status=GateStatus,
    )
    pair.link.process.populations = (SimpleNamespace(gate=gate, kit=SimpleNamespace(updates=None)),)  # type: ignore[assignment]
    for stage, lost, report_lost in steps:
        if stage:
            getattr(pair.crew, stage)(*[0.0] * (stage == "begin"))
        pair.hear(lost=lost)
        pair.report(lost=report_lost)
    pair.report()
    assert done == [stage for stage, _, _ in steps if stage]
    pair.report()
    assert pair.crew.status().heard


def test_a_plan_that_did_not_arrive_is_sent_again_and_one_that_did_is_not_prepared_twice() -> None:
    pair = Pair()
    pair.link._run = 0
    pair.clock.now_s += RESEND_S
    pair.report()
    assert pair.take(pair.of_master) == []
    pair.clock.now_s += 0.1
    pair.link._report()
    [(_, report)] = pair.take(pair.of_worker)
    pair.crew._on_report(None, SimpleNamespace(data=report, node_id="one"))
    (name, again), (answer, _) = pair.take(pair.of_master)
    assert (name, again["source"], again["run"], answer) == (PREPARE, "w0", 1, ACK)
    pair.link._run = 1
    pair.request()
    pair.link._prepare(None, SimpleNamespace(data=again))
    assert len(pair.link._kept) == 1, "what it has done since then stands"


def test_a_worker_that_does_not_hand_over_everything_is_lost() -> None:
    pair = Pair()

    def pass_time(timeout: float) -> None:
        pair.clock.now_s += timeout

    pair.report()
    pair.request()
    pair.crew._was_heard = SimpleNamespace(wait=pass_time, clear=lambda: None)  # type: ignore[assignment]
    pair.crew.finish()
    assert pair.lost == [("w0", 0.0)]
    assert pair.crew.status().workers == Workers(connected=0, lost=1)


def test_what_has_waited_long_comes_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genload.harness.worker_link.MOST_RECORDS", 3)
    pair = Pair()
    for _ in range(7):
        pair.request()
    pair.link._report()
    reports = pair.take(pair.of_worker)
    assert [report["first"] for _, report in reports] == [0, 3, 6]
    for _, report in (reports[0], reports[2], reports[1]):  # one is lost, or late
        pair.crew._on_report(None, SimpleNamespace(data=report, node_id="one"))
    assert pair.arrived == [0, 1, 2, 3, 4, 5]
    pair.hear()
    pair.clock.now_s += RESEND_S + 1
    pair.report()
    assert pair.arrived == list(range(7))


@pytest.mark.parametrize(("workers", "pause_s"), [(1, 0.5), (8, 0.5), (16, 1.0), (24, 1.5), (100, 2.0)])
def test_while_a_load_runs_many_workers_report_more_rarely(workers: int, pause_s: float) -> None:
    """Sixteen reports a second of all together; when somebody waits for them as often as one alone."""
    pair, pauses = Pair(), list[float]()
    pair.link._workers = workers
    gate = SimpleNamespace(
        warm_up=list, begin=lambda origin_s: None, close=list, changes=list, status=GateStatus
    )
    pair.link.process.populations = (SimpleNamespace(gate=gate, kit=SimpleNamespace(updates=None)),)  # type: ignore[assignment]
    for tell in (pair.crew.warm_up, lambda: pair.crew.begin(0.0), pair.crew.close):
        tell()
        pair.hear()
        pauses.append(pair.link._report_s)
    assert pauses == [REPORT_S, pause_s, REPORT_S]
    assert pair.link._was_told.is_set(), "a longer pause that has begun is cut short"


def test_the_clock_of_another_machine_is_known_to_half_a_round_trip() -> None:
    pair = Pair()
    for there_s, back_s in ((0.050, 0.001), (0.004, 0.002), (0.001, 0.050)):
        sent_s = pair.clock.now_s
        pair.clock.now_s += there_s + back_s
        answer = {"source": "w0", "upto": 0, "missed": []}
        answer |= {"sent_s": sent_s, "master_s": sent_s + there_s + 9.0}
        pair.link._ack(None, SimpleNamespace(data=answer))
    bound_s, offset_s = pair.link._clock_offset()
    assert bound_s == pytest.approx(0.003)  # of the fastest
    assert offset_s == pytest.approx(9.001) and abs(offset_s - 9.0) <= bound_s


def test_how_many_records_there_were_does_not_depend_on_the_last_report(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pair = Pair()
    monkeypatch.setattr(pair.link, "_stop_users", lambda: None)
    monkeypatch.setattr(pair.link.process, "release", lambda: None)
    pair.request()
    pair.report()
    pair.request()
    pair.crew._tell({"stage": "finish"})
    pair.hear()
    pair.take(pair.of_worker)  # it is lost
    assert pair.crew.counts() == {"w0": 1}  # all that the master knows of
    pair.report()
    assert pair.crew.counts() == {"w0": 2}


def test_workers_have_ranks_without_holes_whatever_indices_locust_gave_them() -> None:
    runner = Runner()
    runner.clients.ready = [SimpleNamespace(id=name) for name in ("vm_9", "vm_1", "vm_5")]
    crew = RemoteCrew(runner, *[lambda _: None] * 5)  # type: ignore[arg-type]
    for client in runner.clients.ready:
        crew._on_report(None, SimpleNamespace(data=EMPTY, node_id=client.id))
    runner.sent.clear()
    crew.prepare(PLAN, t0_s=0.0)
    told = [(data["source"], data["ranks"], data["of"]) for _, data in runner.sent]
    assert told == [("w0", [0], 3), ("w1", [1], 3), ("w2", [2], 3)]


def test_a_plan_waits_for_workers_that_locust_has_counted_and_that_do_not_listen_yet() -> None:
    runner = Runner()
    runner.clients.ready = [SimpleNamespace(id=name) for name in ("one", "two")]
    crew = RemoteCrew(runner, *[lambda _: None] * 5)  # type: ignore[arg-type]
    preparing = gevent.spawn(crew.prepare, PLAN, 0.0)
    for client in runner.clients.ready:
        gevent.sleep(0)
        assert PREPARE not in [name for name, _ in runner.sent]
        crew._on_report(None, SimpleNamespace(data=EMPTY, node_id=client.id))
    preparing.get(timeout=60)
    assert [name for name, _ in runner.sent].count(PREPARE) == 2


def test_a_report_from_before_the_run_says_nothing_about_it() -> None:
    pair = Pair()
    pair.link._run = 0
    pair.report()
    assert not pair.crew.status().users.warmed_up
    pair.link._run = 1
    pair.report()
    assert pair.crew.status().users.warmed_up


def test_a_worker_is_sent_away_during_a_run_only() -> None:
    pair, ready = Pair(), SimpleNamespace(type="client_ready")
    heartbeat = SimpleNamespace(type="heartbeat")
    for message in (ready, heartbeat):
        pair.of_master.handle_message("two", message)
    # Its acknowledgement first: a worker that is told to quit before it has started everything hangs.
    assert [name for name, _ in pair.take(pair.of_master)] == ["ack", "quit"]
    pair.of_master.handle_message("one", ready)
    pair.crew.release()
    pair.of_master.handle_message("three", ready)
    pair.of_master.handle_message("two", heartbeat)
    assert pair.take(pair.of_master) == [("handled", "one"), ("handled", "three"), ("quit", None)]


def test_the_report_says_how_many_came_too_late_and_when() -> None:
    pair, ready = Pair(), SimpleNamespace(type="client_ready")
    for at_s, name in ((112.0, "two"), (115.0, "two"), (140.0, "three")):
        pair.clock.now_s = at_s
        pair.of_master.handle_message(name, ready)
    pair.crew._gone = {"w0"}  # nobody is left to wait for
    pair.crew.finish()
    assert pair.notices == [("late_worker", late_words([12.0, 40.0]))]
    assert pair.notices[0][1].startswith(
        "2 workers came during the run, the first 12 s and the last 40 s into"
    )
    pair.crew.prepare(PLAN, t0_s=200.0)
    pair.crew._gone = {"w0"}
    pair.crew.finish()
    assert len(pair.notices) == 1, "each run has its own"
    assert late_words([0.5]).startswith("1 worker came 500 ms into the run and was sent away")


def test_of_a_lost_worker_the_report_says_how_much_was_in_flight() -> None:
    pair = Pair()
    gate = SimpleNamespace(status=lambda: GateStatus(working=3, in_flight=2, warmed_up=True))
    pair.link.process.populations = (SimpleNamespace(gate=gate, kit=SimpleNamespace(updates=None)),)  # type: ignore[assignment]
    pair.report()
    heard_s = pair.clock.now_s - 100.0  # since the run began
    pair.clock.now_s += 12.0
    pair.of_master.clients.get = lambda _: None
    pair.crew.status()
    pair.crew.status()
    [(code, text)] = pair.notices
    assert code == "worker_lost"
    assert pair.lost == [("w0", heard_s)], "its last sign, not the moment when it was missed"
    assert text.endswith("2 of its requests were in flight then")


def test_a_worker_sends_the_first_few_failing_outputs_small_ones_whole() -> None:
    pair = Pair()
    for size in (10, MAX_SENT_BYTES + 1, 20, 30):
        content = b"x" * size
        pair.link._send_output(
            FailedOutput(error_class="cube", request_id="r", name="m", size_bytes=size, content=content)
        )
    pair.report()
    assert [(output.size_bytes, output.content and len(output.content)) for output in pair.kept] == [
        (10, 10),
        (MAX_SENT_BYTES + 1, None),
        (20, 20),
    ]


def test_records_are_numbered_from_zero_by_their_source() -> None:
    seen: list[RequestRecord] = []
    pair = Pair()
    pair.link.process.recorder._sink = seen.extend
    pair.request()
    pair.request()
    gevent.sleep(0)
    assert [(record.source, record.n) for record in seen] == [("w0", 0), ("w0", 1)]
