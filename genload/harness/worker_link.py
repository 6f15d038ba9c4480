"""A worker's side: it runs what the master says, and hands over its records until each is confirmed."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import gevent
import msgspec
from gevent.event import Event
from locust.runners import WorkerRunner

from genload.beginning import check_beginning
from genload.code_errors import CodeError, CodeFailure
from genload.errors import GenloadError
from genload.harness.announcement import Announcement
from genload.harness.gate_status import GateStatus
from genload.harness.own_limits import check_limits
from genload.harness.plan import RunPlan
from genload.harness.process import LoadProcess
from genload.harness.tickets import Share
from genload.harness.user_classes import take_classes
from genload.harness.worker_messages import (
    ACK,
    BLAME,
    MOST_RECORDS,
    OUTPUT,
    PREPARE,
    REPORT,
    REPORT_S,
    RESEND_S,
    STAGE,
    WorkerReport,
    encode_records,
    report_s,
)
from genload.runlog.failures import FailedOutput, FirstFew
from genload.runlog.records import RequestRecord

LEAVE_S = 5.0  # for what a worker that leaves still has to hand over
LEAVE_POLL_S = 0.02
SAME_INTERRUPT_S = 5.0  # within which a master that got the same Ctrl-C says that the load is over
_LOAD = ("begin", "announce")  # the stages in which a load runs
CLOCK_PINGS = 20  # the offset is the one of the fastest of so many round trips


class WorkerLink:
    """A worker's side: runs what the master says, reports what its users did.

    Args:
        clock_name: of `clock` (`shared_clock`); a master that has the same one has the same time.
    """

    def __init__(
        self, runner: WorkerRunner, clock: Callable[[], float] = time.monotonic, clock_name: str = ""
    ) -> None:
        self._runner, self._clock, self._clock_name = runner, clock, clock_name
        self._same_clock = False
        self.process = LoadProcess(self._keep, self._send_output, self._send_blame)
        self._kept: list[RequestRecord] = []  # made and not yet confirmed
        self._first = 0  # number of the first of them
        self._sent = 0  # numbers below this are on their way
        self._sent_at_s = 0.0
        self._run = self._stages = 0
        self._workers = 1  # that have this run
        self._report_s = REPORT_S
        self._was_told = Event()  # a stage
        self._first_outputs = FirstFew()
        self._leaving = self._master_closes = False
        self._ended = False  # nothing is in flight here any more, and nothing begins in this run
        self._pings: list[tuple[float, float]] = []  # (bound, offset): master's clock = ours + offset
        for name, listener in (
            (PREPARE, self._prepare),
            (STAGE, self._stage),
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
        self._ended = True
        self._report()
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
            GateStatus.together(self.process.statuses()).in_flight
            or self._master_closes
            or self._clock() < heard_by_s
        ):
            gevent.sleep(LEAVE_POLL_S)

    def _stop_users(self) -> None:
        self._runner.environment.stop_timeout = 0.0
        self._runner.stop_users(self._runner.user_classes_count)

    def _keep(self, records: Sequence[RequestRecord]) -> None:
        self._kept += records

    # ---- from the master

    def _prepare(self, environment: Any, msg: Any) -> None:
        data = msg.data
        if data["run"] == self._run:
            return  # it was sent again while it was carried out
        self._kept, self._first, self._sent, self._stages = [], 0, 0, 0
        self._master_closes = self._ended = False
        self._first_outputs = FirstFew()
        self._workers, self._report_s = data["of"], REPORT_S
        self._same_clock = bool(self._clock_name) and self._clock_name == data["clock"]
        t0_s = data["t0_s"] - self._clock_offset()[1]
        try:
            plan = RunPlan.from_message(data["plan"])
            take_classes(self._runner.environment, plan)
            for own in plan.populations:
                check_beginning(own.client_class, own.service, own.timeline.asks)
            check_limits(plan, of=data["of"])
            shares = [Share(rank, data["of"]) for rank in data["ranks"]]
            self.process.prepare(plan, shares, data["source"], t0_s)
        except GenloadError as error:
            self._refuse(error)
        except Exception as error:  # noqa: BLE001  whatever a user's file does
            self._refuse(CodeError(CodeFailure.of(error)))
        # Only now: a report made in the middle would speak for a run that it knows nothing of.
        self._run = data["run"]

    def _refuse(self, error: GenloadError) -> None:
        """This machine lacks what a user needs, such as a secret: leave, and count as lost."""
        print(error.render(), file=sys.stderr, flush=True)
        self._runner.environment.process_exit_code = int(error.exit_code)
        gevent.spawn(self._runner.quit)  # not from the greenlet that takes the master's messages

    def _stage(self, environment: Any, msg: Any) -> None:
        self._go_on_to(msg.data)

    def _go_on_to(self, told: dict[str, Any]) -> None:
        if (told["run"], told["number"]) != (self._run, self._stages + 1):
            return  # done already; or one before it was lost, with which it comes once more
        stage = told["stage"]
        for gate in [population.gate for population in self.process.populations]:
            if stage == "warm_up":
                gate.warm_up()
            elif stage == "start_cold":
                gate.start_cold()
            elif stage == "begin":
                gate.begin(told["origin_s"] - self._clock_offset()[1])
        self._report_s = report_s(self._workers) if stage in _LOAD else REPORT_S
        if stage == "announce":
            self.process.change(msgspec.convert(told["announcement"], Announcement))
        elif stage == "close":
            self.process.close()
            self._master_closes = True
        elif stage == "finish":
            self._stop_users()  # what is still in flight ends here, as an unfinished record
            self._sent = self._first  # whatever is not confirmed goes out once more
            self._ended = True
        self._stages += 1
        self._report()
        self._was_told.set()
        if stage == "finish":
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
        for told in data["missed"]:
            self._go_on_to(told)

    # ---- to the master

    def _send_output(self, output: FailedOutput) -> None:
        if self._first_outputs.number(output.error_class):
            data = msgspec.to_builtins(output.to_send(), builtin_types=(bytes,))
            self._runner.send_message(OUTPUT, data)

    def _send_blame(self, failure: CodeFailure) -> None:
        self._runner.send_message(BLAME, msgspec.to_builtins(failure))

    def _report_regularly(self) -> None:
        while True:
            self._report()  # the first one says that it listens
            while self._was_told.wait(self._report_s):
                self._was_told.clear()  # it has reported then, and the pause is perhaps another one now

    def _report(self) -> None:
        self.process.recorder.hand_on()
        if self._sent > self._first and self._clock() - self._sent_at_s > RESEND_S:
            self._sent = self._first
        self._report_some()
        while self._sent < self._first + len(self._kept):
            self._report_some()

    def _report_some(self) -> None:
        """As many of the new records as one message has, and how the users do."""
        self._sent = max(self._sent, self._first)
        begin = self._sent - self._first
        new = self._kept[begin : begin + MOST_RECORDS]
        if new:
            self._sent_at_s = self._clock()
        lags_ms, cpu, rss_bytes = self.process.health.take()
        bound_s, offset_s = self._clock_offset()
        report = WorkerReport(
            first=self._sent,
            records=encode_records(new),
            sent_s=self._clock(),
            users=self.process.statuses(),
            lags_ms=lags_ms,
            cpu=cpu,
            rss_bytes=rss_bytes,
            connections=self.process.connections,
            messages=self.process.messages,
            offset_s=offset_s,
            bound_s=bound_s,
            run=self._run,
            announced=self.process.announced,
            stages=self._stages,
            total=self.process.recorder.count if self._ended else None,
        )
        self._sent += len(new)
        self._runner.send_message(REPORT, msgspec.to_builtins(report, builtin_types=(bytes,)))

    def _clock_offset(self) -> tuple[float, float]:
        """(bound, offset) of the fastest recent round trip: |error| ≤ half of it, as in NTP's clock
        filter.
        """
        return (0.0, 0.0) if self._same_clock else min(self._pings, default=(0.0, 0.0))
