"""A run, from the first question whether the service is ready to the last record; on the master, or in a
process without workers.

A greenlet of its own goes through the stages of the run: waiting for the service, warm-up, load, draining.
Locust has no part in it: its shape reads `users_wanted`, and its events lead to `wind_down` and `finalize`.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import gevent
from gevent.event import Event

from genload.code_errors import CodeFailure
from genload.errors import GenloadError, ServiceUnavailableError
from genload.harness import starter
from genload.harness.conductor import LOOK_S, Conductor
from genload.harness.crew import Crew
from genload.harness.ending import Ending
from genload.harness.gathering import first_users, gather
from genload.harness.header import run_header
from genload.harness.identity import read_identity
from genload.harness.journal import Journal
from genload.harness.load_times import LoadTimes
from genload.harness.monitoring import Monitoring
from genload.harness.plan import RunPlan
from genload.harness.readiness import wait_until_ready
from genload.harness.side import Side
from genload.harness.users_wanted import UsersWanted
from genload.runlog.records import (
    NOT_READY,
    NOT_RECORDED,
    ClientHealth,
    ClockOffset,
    Identified,
    Interrupted,
    LoadEnded,
    LoadStarted,
    PhaseStarted,
    RequestRecord,
    Users,
    WorkerLost,
)
from genload.settings.phases import Timeline
from genload.settings.scenario import NO_CRITERIA

logger = logging.getLogger(__name__)

TICK_S = 1.0  # the interval at which users and health are recorded, and the run directory is flushed
TICKS_PER_LOAD = 50  # in a short load the interval is shorter, so that there are so many ticks
SHORTEST_TICK_S = 0.1
PATIENCE_PROBE_S = 0.2  # the interval at which a service without an answer is asked whether it is there again
USERS_AHEAD_S = 0.5  # so long before a phase its users are started, so that their first inputs are ready
DRAIN_GRACE_S = 5.0  # what a job may need after its deadline, for its inspection and its record


class Run:
    """Carries out a plan, once.

    Args:
        plan: the scenario, and all that belongs to it.
        folder: the run directory, in which there must be no run yet.
        crew: the processes in which the users run.
        locust_users: returns the number of users as Locust counts them, for the record.
        clock: a clock in monotonic seconds.
        watched: metrics of requests that somebody looks at, beside those that criteria name.

    Attributes:
        sides: what is known of each of its populations; of a run without any, of itself.
        live: of the first of them.
        journal: writes the run directory.
        load: when the load began, and how far it is.
        conductor: leads the load where it is a search for a capacity.
        ending: whether the run ends before its time, and why.
        health: the newest of each process with users.
    """

    def __init__(
        self,
        plan: RunPlan,
        folder: Path,
        crew: Crew,
        locust_users: Callable[[], int],
        clock: Callable[[], float] = time.monotonic,
        watched: Collection[str] = (),
    ) -> None:
        self.plan, self.folder, self.crew = plan, folder, crew
        self._locust_users, self._clock = locust_users, clock
        self.shape = plan.shape_class(plan.scenario.shape, ahead_s=USERS_AHEAD_S, clock=clock)
        self.journal = Journal(folder, clock, lambda error: self.ending.by(error, NOT_RECORDED))
        samples = folder / "samples.jsonl"
        plans = enumerate(plan.populations)
        self.sides = tuple(Side(own, place, samples, watched, crew.hand_on) for place, own in plans)
        self.live = self.sides[0].live
        self.ending = Ending(self.sides, self.journal, clock)
        self._tick_s = min(TICK_S, max(plan.timeline.duration_s / TICKS_PER_LOAD, SHORTEST_TICK_S))
        self.begun = False
        self.stage = "starting"
        self.unready = ""  # the reason why the service is not ready, while the run waits for it
        self.health: dict[str, ClientHealth] = {}
        self._changed = Event()
        self._done = Event()
        self._monitoring = Monitoring(folder, self.journal.notice)
        self.load = LoadTimes(plan.timeline, clock)
        self.conductor: Conductor | None = None
        if plan.scenario.capacity is not None:
            self.conductor = Conductor(plan, crew, self.live, self.journal.event, self._go_by, clock)
        self._wanted = UsersWanted(self.shape, first_users(plan), self.ending.by_code, clock)
        self._answered = ""  # the stage that Locust was answered in last
        self._complete = self._finalized = self._locust_stops = False

    # ---- called by Locust's side

    def start(self) -> None:
        """Begin the run. This method returns at once."""
        self.journal.begin()
        t0_s = self.journal.t0_s
        remarks = self.crew.prepare(self.plan, t0_s)
        header = run_header(self.plan, dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds"))
        header.monitors = self._monitoring.start(self.plan, t0_s)
        self.journal.header(header)
        for remark in remarks:
            self.journal.notice("input", remark)
        for load in self.plan.suite.loads(self.plan.scenario_name):
            if load.observe or any(criterion.must for criterion in load.criteria.values()):
                continue
            logger.warning(NO_CRITERIA)  # not into the record: one day other criteria may judge this run
        gevent.spawn(self._go_through_stages)
        self.begun = True

    def users_wanted(self) -> tuple[int, float] | None:
        """For Locust's shape: (users, spawn rate); None when the run has ended.

        Outside the load an answer that would be the last one again waits for a change, so that Locust
        hears of it at once and not at its next tick.
        """
        if self.stage != "load" and self.stage == self._answered:
            self.wait_for_change(TICK_S)
        self._answered = self.stage
        if self._done.is_set() and not self._locust_stops:
            return None
        ahead = self.conductor.users_ahead if self.conductor is not None else 0
        return self._wanted.now(ahead, self._locust_users(), load=self.stage == "load")

    def wait_until_done(self) -> None:
        """Wait until the run has ended."""
        self._done.wait()

    @property
    def ends_itself(self) -> bool:
        """Whether Locust has not called its own `stop` meanwhile."""
        return not self._locust_stops

    def wait_for_change(self, at_most_s: float) -> None:
        """Wait until the run enters another stage, or the service gives another reason why it is not
        ready."""
        self._changed.wait(at_most_s)

    def wind_down(self, by: str) -> None:
        """End the run early: no request begins any more, and those in flight may end. Returns when the run
        has ended. When it is called a second time, those in flight are not waited for.

        Args:
            by: who interrupts the run; "" if the reason of the end is recorded already.
        """
        if self._done.is_set():
            return
        # Locust has called its `stop`. If the shape ended now, Locust would call it again, in a greenlet that
        # the first call kills in the middle of the report.
        self._locust_stops = True
        if self._complete or self.ending.interrupted_by:
            self.hurry()
        if not self._complete:  # otherwise the load is over and recorded, and nothing is interrupted
            self.ending.interrupted_by = self.ending.interrupted_by or by
        self.ending.cut.set()
        self._done.wait()

    def hurry(self) -> None:
        """Do not wait for the requests in flight any longer."""
        self.ending.hurried.set()

    def add(self, records: Sequence[RequestRecord]) -> None:
        """Record requests that have ended, in any process."""
        self.journal.requests(records)
        for side in self.sides:
            own = [record for record in records if record.population == side.name]
            side.live.add(own)
            self.ending.add(side, own)
        if self.conductor is not None:
            for record in records:
                if record.warmup and record.operation:
                    self.conductor.warmed(record)

    def flush(self) -> None:
        """Write what there is of the run so far."""
        self.crew.hand_on()
        self.journal.flush()

    def worker_lost(self, source: str, heard_s: float | None) -> None:
        """Record that a worker is gone. `heard_s` is when it sent its last message, some seconds ago."""
        if not self._complete:  # otherwise the worker had no work any more
            logger.error(f"worker {source} is gone: the run is not valid")
            at_s = self.journal.now_s() if heard_s is None else heard_s
            self._note(WorkerLost(t_s=at_s, source=source))

    def finalize(self) -> None:
        """Close the run directory, when all records are written. It may be called more than once."""
        if self._finalized:
            return
        self._finalized = True
        self._monitoring.stop(told=self.ending.error is not None)
        self.crew.hand_on()
        self.journal.close(self.crew.counts())
        if self.ending.error is not None:
            self.ending.error = self.journal.with_losses(self.ending.error)
        self.crew.release()

    @property
    def load_began_s(self) -> float | None:
        """Since the run began; None before."""
        return self.load.origin_s - self.journal.t0_s if self.load.begun else None

    # ---- the stages

    def _go_through_stages(self) -> None:
        watchers = [gevent.spawn(self._watch), gevent.spawn(self._ask_after_service)]
        try:
            self._enter("waiting for the service")
            for side in self.sides:
                wait_until_ready(side.plan, self.ending.cut, self._clock, self._tell_unready)
            self._identify()
            self._warm_up()
            self._start_cold()
            self._idle(self.ending.cut)
            self._gather()
            if not self.ending.cut.is_set():
                self._load()
        except GenloadError as error:
            self.ending.by(error, NOT_READY if isinstance(error, ServiceUnavailableError) else "refused")
        except Exception as error:  # noqa: BLE001  whatever a client or shape of a user's does
            self.ending.by_code(error)
        finally:
            self._drain()
            if self.load.begun:
                self._idle(self.ending.hurried)
            gevent.killall(watchers)
            if self.ending.interrupted_by:
                self.journal.event(Interrupted(t_s=self.journal.now_s(), by=self.ending.interrupted_by))
            self._enter("done")
            self._done.set()

    def _identify(self) -> None:
        for side in self.sides:
            if self.ending.cut.is_set():
                return
            facts, missing = read_identity(side.plan)
            if facts:
                self.journal.event(Identified(t_s=self.journal.now_s(), facts=facts, population=side.name))
            for text in missing:
                self.journal.notice("identity", text, side.name)

    def _warm_up(self) -> None:
        nothing_to_do = all(side.plan.scenario.warmup.most == 0 for side in self.sides)
        if nothing_to_do or self.ending.cut.is_set():
            return
        self._enter("warm-up")
        self.crew.warm_up()
        self._watch_until(self._warmed_up)
        if self.conductor is not None:
            self.conductor.see_warm()

    def _start_cold(self) -> None:
        """After a time without any, make one request by itself."""
        idle_s = self.plan.scenario.idle_s
        if idle_s is None or self.ending.cut.is_set():
            return
        self._enter("idle")
        if not self.ending.cut.wait(idle_s):
            self._enter("cold start")
            self.crew.start_cold()
            self._watch_until(self._warmed_up)

    def _warmed_up(self) -> bool:
        status = self.crew.status()  # which may be older than what was told last
        return status.heard and status.users.warmed_up

    def _gather(self) -> None:
        late = gather(first_users(self.plan), self.crew, self._locust_users, self.ending.cut, self._clock)
        if late:
            self.journal.notice("users_late", late)

    def _load(self) -> None:
        times = self.load
        times.origin_s = self._clock() + self.crew.lead_s
        self.shape.begin(times.origin_s)
        self.crew.begin(times.origin_s)
        began_s = times.origin_s - self.journal.t0_s
        if self.conductor is not None:
            self.conductor.begin(times.origin_s, began_s)
        self.journal.event(LoadStarted(t_s=began_s))
        for side in self.sides:
            side.live.load_began(began_s)
        self._enter("load")
        if self.conductor is not None:
            self._watch_until(self.conductor.step)
        else:
            self._watch_until(lambda: times.remaining_s == 0 or self.crew.status().users.used_up)

    def _drain(self) -> None:
        """Wait for the requests in flight, each up to its own deadline. Then record the others as unfinished,
        so that no request is lost.
        """
        # Before the users are told: when they have heard of it, none works, which is not said of the load.
        ended_s = self.load.ended_s - self.journal.t0_s
        self.crew.close()
        starter.load_is_over()
        if self.load.begun:
            self.journal.event(LoadEnded(t_s=ended_s))
            for side in self.sides:
                side.live.load_ended(ended_s)
        self._enter("draining")
        # After an error do not wait: the service was given up, or the requests could not be recorded.
        if self.ending.error is not None:
            self.ending.hurried.set()
        longest_s = max(side.plan.service.timeout_s for side in self.sides)
        deadline_s = self._clock() + longest_s + DRAIN_GRACE_S
        while self._busy() and self._clock() < deadline_s and not self.ending.hurried.is_set():
            gevent.sleep(LOOK_S)
        if self.load.begun:
            self._note_users()  # users may have slept since the last tick
        self.crew.finish()
        self._complete = True

    def _idle(self, cut: Event) -> None:
        """Wait a while without load, so that the monitors see how much memory the service holds then."""
        if self._monitoring.idle_s and not cut.is_set():
            self._enter("idle")
            cut.wait(self._monitoring.idle_s)

    def _busy(self) -> bool:
        status = self.crew.status()
        return status.users.in_flight > 0 or not status.heard

    # ----

    def _watch_until(self, reached: Callable[[], bool]) -> None:
        while not reached() and not self.ending.cut.is_set():
            gevent.sleep(LOOK_S)

    def _watch(self) -> None:
        """At every tick, record what there was since the last one."""
        due_s = self._clock()
        while True:
            due_s += self._tick_s
            gevent.sleep(max(due_s - self._clock(), 0.0))
            try:
                self._look()
            except Exception as error:  # noqa: BLE001  the next look may see more
                self.journal.blame(CodeFailure.of(error))

    def _look(self) -> None:
        self._note_phase()
        for health in self.crew.health(self.journal.now_s()):
            self._note(health)
            if isinstance(health, ClientHealth):
                self.health[health.source] = health
        if self.stage == "load":
            self._note_users()
        self.flush()
        for side in self.sides:
            side.live.read_samples()
        self._monitoring.look_after()
        if self.stage in ("warm-up", "cold start", "load"):
            self.ending.look_for_patience()
        if self.stage == "load":
            self.ending.look_for_hope(self.crew.status(), self.load.into_s)

    def _note(self, event: ClientHealth | ClockOffset | Users | WorkerLost) -> None:
        self.journal.event(event)
        if self.conductor is not None:
            self.conductor.note(event)

    def _go_by(self, timeline: Timeline) -> None:
        self.load.timeline = self.shape.phases = self.sides[0].timeline = timeline

    def _ask_after_service(self) -> None:
        # In a greenlet of its own: a service that hangs must not delay the record of everything else.
        while True:
            try:
                self.crew.hand_on()  # an answer that came meanwhile says that it is there
                self.ending.ask_after_service()
            except Exception as error:  # noqa: BLE001  of the client's own code, which says nothing of the service
                self.journal.blame(CodeFailure.of(error))
                return
            gevent.sleep(PATIENCE_PROBE_S)

    def _note_users(self) -> None:
        status = self.crew.status()
        for side in self.sides:
            noted = side.noted(status, self.load.origin_s)
            noted.t_s -= self.journal.t0_s
            noted.locust_users = self._locust_users()
            self._note(noted)

    def _note_phase(self) -> None:
        for phase, began_s in self.load.next_phases() if self.stage == "load" else ():
            self.journal.event(PhaseStarted(t_s=began_s - self.journal.t0_s, phase=phase))

    def _tell_unready(self, why: str) -> None:
        self.unready = why
        self._note_change()

    def _enter(self, stage: str) -> None:
        self.stage, self.unready = stage, ""
        self._note_change()

    def _note_change(self) -> None:
        changed, self._changed = self._changed, Event()
        changed.set()
