"""The processes with users, as a run sees them: this one, or workers elsewhere."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from genload.harness.announcement import Announcement
from genload.harness.gate_status import GateStatus
from genload.harness.plan import RunPlan
from genload.harness.process import LoadProcess
from genload.harness.tickets import Share
from genload.runlog.records import ClientHealth, ClockOffset


@dataclass(frozen=True, slots=True)
class Workers:
    """How many of a run there are, and how many are gone."""

    connected: int
    lost: int


@dataclass(frozen=True, slots=True)
class CrewStatus:
    """The users of all processes together, at the time `at_s` on the master's monotonic clock.

    Attributes:
        each: what those of each population do, in the order of the plan.
    """

    at_s: float
    users: GateStatus
    each: Sequence[GateStatus] = ()
    heard: bool = True  # every process has done what it was told last
    workers: Workers | None = None  # of a master


class Crew(Protocol):
    """What a run may ask of the processes with users. Times are the master's monotonic seconds.

    Attributes:
        lead_s: how long before the load's beginning they must hear of it.
    """

    lead_s: float

    def prepare(self, plan: RunPlan, t0_s: float) -> Sequence[str]:
        """Get ready; returns what the user should know about the inputs."""

    def warm_up(self) -> None: ...

    def start_cold(self) -> None: ...

    def begin(self, origin_s: float) -> None: ...

    def announce(self, announcement: Announcement) -> None:
        """Let each process change its timeline."""

    def acknowledged(self) -> Mapping[str, int]:
        """By each process the number of the last announcement that it goes by; 0 for none."""

    def close(self) -> None: ...

    def status(self) -> CrewStatus: ...

    def health(self, t_s: float) -> Sequence[ClientHealth | ClockOffset]: ...

    def hand_on(self) -> None:
        """Give the run those records that wait in this process, to be given many at a time."""

    def finish(self) -> None:
        """Whatever is still in flight becomes an unfinished record; return when all records are here."""

    def counts(self) -> dict[str, int]:
        """How many records each source says it made."""

    def release(self) -> None: ...


class LocalCrew:
    """This process has the users."""

    lead_s = 0.0

    def __init__(self, process: LoadProcess) -> None:
        self.process = process

    def prepare(self, plan: RunPlan, t0_s: float) -> Sequence[str]:
        self.process.prepare(plan, [Share() for _ in plan.populations], "local", t0_s)
        return self.process.remarks

    def warm_up(self) -> None:
        for population in self.process.populations:
            population.gate.warm_up()

    def start_cold(self) -> None:
        for population in self.process.populations:
            population.gate.start_cold()

    def begin(self, origin_s: float) -> None:
        for population in self.process.populations:
            population.gate.begin(origin_s)

    def announce(self, announcement: Announcement) -> None:
        self.process.change(announcement)

    def acknowledged(self) -> dict[str, int]:
        return {"local": self.process.announced}

    def close(self) -> None:
        self.process.close()

    def status(self) -> CrewStatus:
        each = self.process.statuses()
        return CrewStatus(at_s=time.monotonic(), users=GateStatus.together(each), each=each)

    def health(self, t_s: float) -> list[ClientHealth]:
        lags_ms, cpu, rss_bytes = self.process.health.take()
        return [
            ClientHealth(
                t_s=t_s,
                source="local",
                lags_ms=lags_ms,
                cpu=cpu,
                rss_bytes=rss_bytes,
                connections=self.process.connections,
                messages=self.process.messages,
            )
        ]

    def hand_on(self) -> None:
        self.process.recorder.hand_on()

    def finish(self) -> None:
        """Nothing to fetch: Locust itself stops our users right after, and their records are ours."""

    def counts(self) -> dict[str, int]:
        return {"local": self.process.recorder.count}

    def release(self) -> None:
        self.process.release()
