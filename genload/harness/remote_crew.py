"""The master's side of its workers: all of them as one crew."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
from gevent.event import Event
from locust.runners import MasterRunner

from genload.code_errors import CodeFailure
from genload.harness import locust_hooks
from genload.harness.announcement import Announcement
from genload.harness.crew import CrewStatus, Workers
from genload.harness.dealing import in_order, shares
from genload.harness.gate_status import GateStatus
from genload.harness.plan import RunPlan
from genload.harness.worker_messages import (
    ACK,
    BLAME,
    OUTPUT,
    PREPARE,
    REPORT,
    REPORT_S,
    RESEND_S,
    STAGE,
    WorkerReport,
    decode_records,
)
from genload.human import human
from genload.runlog.failures import FailedOutput
from genload.runlog.records import ClientHealth, ClockOffset, RequestRecord

LEAD_S = 0.25  # a message takes a millisecond; a worker that is busy at that moment longer
FINISH_S = 15.0
LISTEN_S = 15.0  # for workers that have connected; to one that stands still for longer the plan comes again


def late_words(times_s: Sequence[float]) -> str:
    """How many workers came when, in seconds since the run began, and what that means."""
    first, last = human(times_s[0], "s"), human(times_s[-1], "s")
    came = (
        f"1 worker came {first} into the run and was sent away"
        if len(times_s) == 1
        else f"{len(times_s)} workers came during the run, the first {first} and the last {last} into it, and"
        " were sent away"
    )
    return f"{came}: the load is that of the others; start every worker before the run"


class RemoteCrew:
    """The master's side: all workers as one crew.

    Args:
        add: takes records as they arrive, each once.
        lost: told the source of a worker that went missing during a run, and when it last gave a sign, in
            seconds of the run; None: never.
        keep: takes each output that is why its request failed, of the first few of each worker.
        notice: takes a code and what a reader of the report should know of the workers.
        blame: takes what code of a user's has raised on a worker.
        clock_name: of `clock` (`shared_clock`), for workers that have the same one.
    """

    lead_s = LEAD_S

    def __init__(
        self,
        runner: MasterRunner,
        add: Callable[[Sequence[RequestRecord]], None],
        lost: Callable[[str, float | None], None],
        keep: Callable[[FailedOutput], None],
        notice: Callable[[str, str], None],
        blame: Callable[[CodeFailure], None],
        clock: Callable[[], float] = time.monotonic,
        clock_name: str = "",
    ) -> None:
        self._runner, self._clock, self._clock_name = runner, clock, clock_name
        self._add, self._lost, self._keep, self._notice, self._blame = add, lost, keep, notice, blame
        self._sources: dict[str, str] = {}  # Locust's client id → source
        self._next: dict[str, int] = {}  # source → number of the record expected next
        self._reports: dict[str, WorkerReport] = {}
        self._health: list[ClientHealth | ClockOffset] = []
        self._gone: set[str] = set()
        self._listening: set[str] = set()  # Locust's ids of those that have reported
        self._heard_s: dict[str, float] = {}  # when each sent its last report, since the run began
        self._late_s: list[float] = []  # when workers came that were sent away, since the run began
        self._t0_s, self._run = 0.0, 0
        self._plans: dict[str, tuple[dict[str, Any], float]] = {}  # client id → what it prepares, sent when
        self._stages: list[dict[str, Any]] = []  # all that was told since then
        self._populations = 1
        self._status: CrewStatus | None = None
        self._was_heard = Event()
        runner.register_message(REPORT, self._on_report)
        runner.register_message(OUTPUT, self._on_output)
        runner.register_message(BLAME, self._on_blame)
        locust_hooks.screen_workers(runner, self._comes_too_late)

    def prepare(self, plan: RunPlan, t0_s: float) -> list[str]:
        self._wait_until_they_listen()
        ids = in_order(client.id for client in self._runner.clients.ready)
        users = [own.timeline.max_users for own in plan.populations]
        self._sources = {client_id: f"w{rank}" for rank, client_id in enumerate(ids)}
        self._next = dict.fromkeys(self._sources.values(), 0)
        self._reports, self._health, self._gone, self._t0_s = {}, [], set(), t0_s
        self._plans, self._stages, self._status = {}, [], None
        self._late_s, self._heard_s = [], {}
        self._populations = len(plan.populations)
        self._was_heard.clear()
        self._run += 1
        for rank, client_id in enumerate(ids):
            data = {
                "plan": plan.to_message(),
                "ranks": [share.rank for share in shares(rank, len(ids), users)],
                "of": len(ids),
                "source": f"w{rank}",
                "t0_s": t0_s,
                "clock": self._clock_name,
                "run": self._run,
            }
            self._prepare_one(client_id, data)
        return []  # each worker says itself what it leaves out of its inputs

    def warm_up(self) -> None:
        self._tell({"stage": "warm_up"})

    def start_cold(self) -> None:
        self._tell({"stage": "start_cold"})

    def begin(self, origin_s: float) -> None:
        self._tell({"stage": "begin", "origin_s": origin_s})

    def announce(self, announcement: Announcement) -> None:
        self._tell({"stage": "announce", "announcement": msgspec.to_builtins(announcement)})

    def acknowledged(self) -> dict[str, int]:
        there = [source for source in self._sources.values() if source not in self._gone]
        reports = {source: self._reports.get(source) for source in there}
        return {source: 0 if report is None else report.announced for source, report in reports.items()}

    def close(self) -> None:
        self._tell({"stage": "close"})

    def status(self) -> CrewStatus:
        """Asked for again and again: it is another one only when something was heard or told."""
        self._look_for_lost()
        status = self._status or self._now()
        self._status = status if self._reports else None
        return status

    def _now(self) -> CrewStatus:
        reports = [self._reports.get(source) for source in self._sources.values() if source not in self._gone]
        known = [report for report in reports if report is not None]
        complete = bool(known) and len(known) == len(reports)
        each = [self._users(place, known, complete) for place in range(self._populations)]
        return CrewStatus(
            # As old as the oldest report: what users do is compared with the target of that moment.
            at_s=min((report.sent_s + report.offset_s for report in known), default=self._clock()),
            users=each[0] if len(each) == 1 else GateStatus.together(each),
            each=each,
            # With every worker gone there is nobody left to wait for.
            heard=not reports or (complete and all(report.stages == len(self._stages) for report in known)),
            workers=Workers(connected=len(reports), lost=len(self._gone)),
        )

    def _users(self, population: int, known: Sequence[WorkerReport], complete: bool) -> GateStatus:
        """Of one population, of all workers that are there; what of it lost ones have slept is not lost."""

        def together(reports: Iterable[WorkerReport]) -> GateStatus:
            # A worker that refused the plan has no users.
            return GateStatus.together(report.users[population] for report in reports if report.users)

        there = together(known)
        everywhere = together(self._reports.values()) if self._gone else there
        return msgspec.structs.replace(
            there,
            asleep_s=everywhere.asleep_s,
            warmed_up=complete and there.warmed_up,
            used_up=complete and there.used_up,
        )

    def health(self, t_s: float) -> Sequence[ClientHealth | ClockOffset]:
        taken, self._health = self._health, []
        return taken

    def hand_on(self) -> None:
        """None wait here: each report brings many."""

    def finish(self) -> None:
        if self._late_s:
            self._notice("late_worker", late_words(self._late_s))
        self._tell({"stage": "finish"})
        deadline_s = self._clock() + FINISH_S
        while not self._all_here() and self._clock() < deadline_s:
            self._look_for_lost()
            self._was_heard.wait(REPORT_S)
            self._was_heard.clear()
        for source in set(self._sources.values()) - self._gone:
            if not self._is_here(source):
                self._lose(source)  # nobody knows what it still has

    def counts(self) -> dict[str, int]:
        totals = {
            source: self._reports[source].total
            for source in self._sources.values()
            if source in self._reports
        }
        return {source: self._next[source] if total is None else total for source, total in totals.items()}

    def release(self) -> None:
        self._sources, self._status = {}, None

    # ----

    def _wait_until_they_listen(self) -> None:
        """A worker is ready for Locust before it knows our messages, and drops what comes in between: the
        plan of a run, whose users Locust would then start without one. Its first report says that it listens.
        """
        deadline_s = self._clock() + LISTEN_S
        while self._clock() < deadline_s and not self._listening.issuperset(
            client.id for client in self._runner.clients.ready
        ):
            self._was_heard.clear()
            self._was_heard.wait(REPORT_S)

    def _comes_too_late(self, client_id: str) -> bool:
        """Asked when it reports as ready, once of each."""
        is_so = bool(self._sources) and client_id not in self._sources
        if is_so:
            self._late_s.append(self._clock() - self._t0_s)
        return is_so

    def _prepare_one(self, client_id: str, data: dict[str, Any]) -> None:
        self._plans[client_id] = data, self._clock()
        self._runner.send_message(PREPARE, data, client_id)

    def _tell(self, data: dict[str, Any]) -> None:
        self._status = None
        self._stages.append({**data, "run": self._run, "number": len(self._stages) + 1})
        for client_id in self._sources:
            self._runner.send_message(STAGE, self._stages[-1], client_id)

    def _all_here(self) -> bool:
        remaining = [source for source in self._sources.values() if source not in self._gone]
        return all(map(self._is_here, remaining))

    def _is_here(self, source: str) -> bool:
        """Whether it has ended, and everything that it made has come."""
        report = self._reports.get(source)
        return report is not None and report.total is not None and self._next[source] >= report.total

    def _look_for_lost(self) -> None:
        for client_id, source in self._sources.items():
            client = self._runner.clients.get(client_id)
            if source not in self._gone and (client is None or client.state == "missing"):
                self._lose(source)

    def _lose(self, source: str) -> None:
        self._status = None
        self._gone.add(source)
        self._lost(source, self._heard_s.get(source))
        report = self._reports.get(source)
        if report is not None and report.total is None:
            self._notice(
                "worker_lost",
                f"what worker {source} did after its last report is in no record:"
                f" {GateStatus.together(report.users).in_flight} of its requests were in flight then",
            )

    def _on_report(self, environment: Any, msg: Any) -> None:
        report = msgspec.convert(msg.data, WorkerReport, builtin_types=(bytes,))
        source, missed = self._sources.get(msg.node_id, ""), []
        self._listening.add(msg.node_id)
        # One that was on its way when the run was prepared says "warmed up" of a worker that has not begun.
        if source and report.run == self._run:
            self._take(source, report)
            missed = self._stages[report.stages :]
        elif source:
            data, sent_s = self._plans[msg.node_id]
            if self._clock() - sent_s > RESEND_S:
                self._prepare_one(msg.node_id, data)
        ack = {
            "source": source,
            "upto": self._next.get(source, 0),
            "missed": missed,
            "sent_s": report.sent_s,
            "master_s": self._clock(),
        }
        self._runner.send_message(ACK, ack, msg.node_id)
        self._was_heard.set()

    def _on_output(self, environment: Any, msg: Any) -> None:
        if msg.node_id in self._sources:
            self._keep(msgspec.convert(msg.data, FailedOutput, builtin_types=(bytes,)))

    def _on_blame(self, environment: Any, msg: Any) -> None:
        if msg.node_id in self._sources:
            self._blame(msgspec.convert(msg.data, CodeFailure))

    def _take(self, source: str, report: WorkerReport) -> None:
        expected = self._next[source]
        records = decode_records(report.records)
        if report.first <= expected:  # otherwise a report was lost: wait until it is sent again
            self._add(records[expected - report.first :])
            self._next[source] = max(expected, report.first + len(records))
        t_s = self._clock() - self._t0_s
        self._heard_s[source] = report.sent_s + report.offset_s - self._t0_s
        if report.lags_ms:
            health = ClientHealth(
                t_s=t_s,
                source=source,
                lags_ms=report.lags_ms,
                cpu=report.cpu,
                rss_bytes=report.rss_bytes,
                connections=report.connections,
                messages=report.messages,
            )
            clock = ClockOffset(t_s=t_s, source=source, offset_s=report.offset_s, bound_s=report.bound_s)
            self._health += [health, clock]
        self._reports[source], self._status = report, None
