"""Master and workers: what they tell each other beside Locust's own messages.

Each worker reports twice a second: its new records, numbered without holes, and how its users do. The master
answers each report with the number it has everything up to, and with its clock. Locust delivers a
worker's messages in
order but confirms none, so a worker keeps its records until they are confirmed and sends them again when that
takes too long; the master drops what it has already.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import gevent
import msgspec
from gevent.event import Event
from locust.runners import MasterRunner, WorkerRunner

from genload.beginning import check_beginning
from genload.errors import GenloadError
from genload.harness import locust_hooks
from genload.harness.crew import CrewStatus
from genload.harness.plan import RunPlan
from genload.harness.process import LoadProcess
from genload.harness.tickets import Share
from genload.harness.users import check_users
from genload.runlog.failures import FailedOutput, FirstFew
from genload.runlog.records import ClientHealth, ClockOffset, RequestRecord

logger = logging.getLogger(__name__)

REPORT_S = 0.5
RESEND_S = 5.0
LEAD_S = 0.25  # a message takes a millisecond; a worker that is busy at that moment longer
FINISH_S = 15.0
LEAVE_S = 5.0  # for what a worker that leaves still has to hand over
LEAVE_POLL_S = 0.02
SAME_INTERRUPT_S = 2.0  # within which a master that got the same Ctrl-C says that the load is over
CLOCK_PINGS = 20  # the offset is the one of the fastest of so many round trips

PREPARE, STAGE, FINISH, ACK, REPORT, OUTPUT = (
    f"genload_{name}" for name in ("prepare", "stage", "finish", "ack", "report", "output")
)

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[RequestRecord]).decode


class WorkerReport(msgspec.Struct, kw_only=True):
    """One report; `records` begins with number `first`."""

    first: int
    records: bytes
    sent_s: float  # the worker's clock
    working: int = 0
    in_flight: int = 0
    leaving: int = 0
    waiting: int = 0
    warmed_up: bool = False
    used_up: bool = False
    lags_ms: list[float] = []
    cpu: float = 0.0
    rss_bytes: int = 0
    offset_s: float = 0.0
    bound_s: float = 0.0
    run: int = 0  # the master's number of the run that this is about; 0 before the first
    stages: int = 0  # stage messages handled in this run
    total: int | None = None  # in the last report of a run: how many records there were


class WorkerLink:
    """A worker's side: runs what the master says, reports what its users did."""

    def __init__(self, runner: WorkerRunner, clock: Callable[[], float] = time.monotonic) -> None:
        self._runner, self._clock = runner, clock
        self.process = LoadProcess(self._keep, self._send_output)
        self._kept: list[RequestRecord] = []  # made and not yet confirmed
        self._first = 0  # number of the first of them
        self._sent = 0  # numbers below this are on their way
        self._sent_at_s = 0.0
        self._run = self._stages = 0
        self._first_outputs = FirstFew()
        self._leaving = self._master_closes = False
        self._pings: list[tuple[float, float]] = []  # (bound, offset): master's clock = ours + offset
        for name, listener in (
            (PREPARE, self._prepare),
            (STAGE, self._stage),
            (FINISH, self._finish),
            (ACK, self._ack),
        ):
            runner.register_message(name, listener)
        gevent.spawn(self._report_regularly)

    def leave(self) -> bool:
        """This process ends before its run does: what is in flight ends now, as unfinished, and goes to the
        master with everything it has not confirmed. Whether there was a run.
        """
        if self.process.plan is None or self._leaving:
            return False
        self._leaving = True
        self.process.close()
        self._stop_users()
        deadline_s = self._clock() + LEAVE_S
        self._report(total=self.process.recorder.count)
        while self._first < self.process.recorder.count and self._clock() < deadline_s:
            gevent.sleep(LEAVE_POLL_S)
        self.process.release()
        return True

    def drain(self) -> None:
        """No new work; return when the run is over, or nothing is in flight here any more and the master
        goes on without us.
        """
        self.process.close()
        heard_by_s = self._clock() + SAME_INTERRUPT_S
        while self.process.plan is not None and (
            self.process.gate.in_flight or self._master_closes or self._clock() < heard_by_s
        ):
            gevent.sleep(LEAVE_POLL_S)

    def _stop_users(self) -> None:
        self._runner.environment.stop_timeout = 0.0
        self._runner.stop_users(self._runner.user_classes_count)

    def _keep(self, record: RequestRecord) -> None:
        self._kept.append(record)

    # ---- from the master

    def _prepare(self, environment: Any, msg: Any) -> None:
        data = msg.data
        self._kept, self._first, self._sent, self._stages = [], 0, 0, 0
        self._master_closes = False
        self._first_outputs = FirstFew()
        t0_s = data["t0_s"] - self._clock_offset()[1]
        try:
            plan = RunPlan.from_message(data["plan"])
            check_users(self._runner.environment.user_classes, plan)
            check_beginning(plan.client_class, plan.service)
            self.process.prepare(plan, Share(data["rank"], data["of"]), data["source"], t0_s)
        except GenloadError as error:
            self._refuse(error)
        # Only now: a report made in the middle would speak for a run that it knows nothing of.
        self._run = data["run"]

    def _refuse(self, error: GenloadError) -> None:
        """This machine lacks what a user needs, such as a secret: leave, and count as lost."""
        print(error.render(), file=sys.stderr, flush=True)
        self._runner.environment.process_exit_code = int(error.exit_code)
        gevent.spawn(self._runner.quit)  # not from the greenlet that takes the master's messages

    def _stage(self, environment: Any, msg: Any) -> None:
        gate, stage = self.process.gate, msg.data["stage"]
        if stage == "warm_up":
            gate.warm_up()
        elif stage == "begin":
            gate.begin(msg.data["origin_s"] - self._clock_offset()[1])
        else:
            self.process.close()
            self._master_closes = True
        self._stages += 1
        self._report()

    def _finish(self, environment: Any, msg: Any) -> None:
        """What is still in flight ends here, as an unfinished record."""
        self._stop_users()
        self._sent = (
            self._first
        )  # whatever is not confirmed goes out once more, so that nothing depends on one message
        self._report(total=self.process.recorder.count)
        self.process.release()

    def _ack(self, environment: Any, msg: Any) -> None:
        now_s, data = self._clock(), msg.data
        round_trip_s = now_s - data["sent_s"]
        self._pings = [
            *self._pings[1 - CLOCK_PINGS :],
            (round_trip_s / 2, data["master_s"] - (data["sent_s"] + now_s) / 2),
        ]
        confirmed = data["upto"] - self._first
        if data["source"] == self.process.recorder.source and confirmed > 0:
            del self._kept[:confirmed]
            self._first = data["upto"]

    # ---- to the master

    def _send_output(self, output: FailedOutput) -> None:
        if self._first_outputs.number(output.error_class):
            data = msgspec.to_builtins(output.to_send(), builtin_types=(bytes,))
            self._runner.send_message(OUTPUT, data)

    def _report_regularly(self) -> None:
        while True:
            gevent.sleep(REPORT_S)
            self._report()

    def _report(self, total: int | None = None) -> None:
        if self._sent > self._first and self._clock() - self._sent_at_s > RESEND_S:
            self._sent = self._first
        new = self._kept[self._sent - self._first :]
        if new:
            self._sent_at_s = self._clock()
        gate = self.process.gate
        lags_ms, cpu, rss_bytes = self.process.health.take()
        bound_s, offset_s = self._clock_offset()
        report = WorkerReport(
            first=self._sent,
            records=_encode(new),
            sent_s=self._clock(),
            working=gate.working,
            in_flight=gate.in_flight,
            leaving=gate.leaving,
            waiting=gate.waiting,
            warmed_up=gate.warmed_up,
            used_up=gate.used_up,
            lags_ms=lags_ms,
            cpu=cpu,
            rss_bytes=rss_bytes,
            offset_s=offset_s,
            bound_s=bound_s,
            run=self._run,
            stages=self._stages,
            total=total,
        )
        self._sent += len(new)
        self._runner.send_message(REPORT, msgspec.to_builtins(report, builtin_types=(bytes,)))

    def _clock_offset(self) -> tuple[float, float]:
        """(bound, offset) of the fastest recent round trip: |error| ≤ half of it, as in NTP's clock
        filter.
        """
        return min(self._pings, default=(0.0, 0.0))


class RemoteCrew:
    """The master's side: all workers as one crew.

    Args:
        add: takes each record as it arrives, once.
        lost: told the source of a worker that went missing during a run.
        keep: takes each output that is why its request failed, of the first few of each worker.
    """

    lead_s = LEAD_S

    def __init__(
        self,
        runner: MasterRunner,
        add: Callable[[RequestRecord], None],
        lost: Callable[[str], None],
        keep: Callable[[FailedOutput], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._runner, self._add, self._lost, self._clock = runner, add, lost, clock
        self._keep = keep
        self._sources: dict[str, str] = {}  # Locust's client id → source
        self._next: dict[str, int] = {}  # source → number of the record expected next
        self._reports: dict[str, WorkerReport] = {}
        self._health: list[ClientHealth | ClockOffset] = []
        self._gone: set[str] = set()
        self._t0_s, self._run, self._told = 0.0, 0, 0
        self._finished = Event()
        runner.register_message(REPORT, self._on_report)
        runner.register_message(OUTPUT, self._on_output)
        locust_hooks.screen_workers(runner, self._comes_too_late)

    def prepare(self, plan: RunPlan, t0_s: float) -> list[str]:
        # Locust deals users out to workers in the order of their ids; ranks in the same order give worker 0
        # the remainder, too.
        ids = sorted(client.id for client in self._runner.clients.ready)
        self._sources = {client_id: f"w{rank}" for rank, client_id in enumerate(ids)}
        self._next = dict.fromkeys(self._sources.values(), 0)
        self._reports, self._health, self._gone, self._t0_s, self._told = {}, [], set(), t0_s, 0
        self._finished.clear()
        self._run += 1
        for rank, client_id in enumerate(ids):
            data = {
                "plan": plan.to_message(),
                "rank": rank,
                "of": len(ids),
                "source": f"w{rank}",
                "t0_s": t0_s,
                "run": self._run,
            }
            self._runner.send_message(PREPARE, data, client_id)
        return []  # each worker says itself what it leaves out of its inputs

    def warm_up(self) -> None:
        self._tell({"stage": "warm_up"})

    def begin(self, origin_s: float) -> None:
        self._tell({"stage": "begin", "origin_s": origin_s})

    def close(self) -> None:
        self._tell({"stage": "close"})

    def status(self) -> CrewStatus:
        self._look_for_lost()
        reports = [self._reports.get(source) for source in self._sources.values() if source not in self._gone]
        known = [report for report in reports if report is not None]
        complete = bool(known) and len(known) == len(reports)
        return CrewStatus(
            # As old as the oldest report: what users do is compared with the target of that moment.
            at_s=min((report.sent_s + report.offset_s for report in known), default=self._clock()),
            working=sum(report.working for report in known),
            in_flight=sum(report.in_flight for report in known),
            leaving=sum(report.leaving for report in known),
            waiting=sum(report.waiting for report in known),
            warmed_up=complete and all(report.warmed_up for report in known),
            used_up=complete and all(report.used_up for report in known),
            # With every worker gone there is nobody left to wait for.
            heard=not reports or (complete and all(report.stages == self._told for report in known)),
        )

    def health(self, t_s: float) -> Sequence[ClientHealth | ClockOffset]:
        taken, self._health = self._health, []
        return taken

    def finish(self) -> None:
        for client_id, source in self._sources.items():
            if source not in self._gone:
                self._runner.send_message(FINISH, None, client_id)
        deadline_s = self._clock() + FINISH_S
        while not self._all_here() and self._clock() < deadline_s:
            self._look_for_lost()
            self._finished.wait(REPORT_S)
            self._finished.clear()

    def counts(self) -> dict[str, int]:
        totals = {
            source: self._reports[source].total
            for source in self._sources.values()
            if source in self._reports
        }
        return {source: self._next[source] if total is None else total for source, total in totals.items()}

    def release(self) -> None:
        self._sources = {}

    # ----

    def _comes_too_late(self, client_id: str) -> bool:
        return bool(self._sources) and client_id not in self._sources

    def _tell(self, data: dict[str, Any]) -> None:
        self._told += 1
        for client_id in self._sources:
            self._runner.send_message(STAGE, data, client_id)

    def _all_here(self) -> bool:
        remaining = [source for source in self._sources.values() if source not in self._gone]
        return all(
            source in self._reports
            and self._reports[source].total is not None
            and self._next[source] >= (self._reports[source].total or 0)
            for source in remaining
        )

    def _look_for_lost(self) -> None:
        for client_id, source in self._sources.items():
            client = self._runner.clients.get(client_id)
            if source not in self._gone and (client is None or client.state == "missing"):
                self._gone.add(source)
                self._lost(source)

    def _on_report(self, environment: Any, msg: Any) -> None:
        report = msgspec.convert(msg.data, WorkerReport, builtin_types=(bytes,))
        source = self._sources.get(msg.node_id, "")
        # One that was on its way when the run was prepared says "warmed up" of a worker that has not begun.
        if source and report.run == self._run:
            self._take(source, report)
        ack = {
            "source": source,
            "upto": self._next.get(source, 0),
            "sent_s": report.sent_s,
            "master_s": self._clock(),
        }
        self._runner.send_message(ACK, ack, msg.node_id)

    def _on_output(self, environment: Any, msg: Any) -> None:
        if msg.node_id in self._sources:
            self._keep(msgspec.convert(msg.data, FailedOutput, builtin_types=(bytes,)))

    def _take(self, source: str, report: WorkerReport) -> None:
        expected = self._next[source]
        records = _decode(report.records)
        if report.first <= expected:  # otherwise a report was lost: wait until it is sent again
            for record in records[expected - report.first :]:
                self._add(record)
            self._next[source] = max(expected, report.first + len(records))
        t_s = self._clock() - self._t0_s
        if report.lags_ms:
            health = ClientHealth(
                t_s=t_s, source=source, lags_ms=report.lags_ms, cpu=report.cpu, rss_bytes=report.rss_bytes
            )
            clock = ClockOffset(t_s=t_s, source=source, offset_s=report.offset_s, bound_s=report.bound_s)
            self._health += [health, clock]
        self._reports[source] = report
        self._finished.set()
