"""What a run directory holds: the record types, one JSON object a line.

Times are seconds since the run began (`t0`), on the master's clock; durations come from one host's
monotonic clock. Fields at their default are left out of the line.
"""

from __future__ import annotations

from typing import Any

import msgspec

FORMAT_VERSION = 1


class RequestRecord(msgspec.Struct, omit_defaults=True, kw_only=True):
    """One request: a logical job (`name` "generate"), one of its HTTP calls ("upload", "submit",
    "download"), a speech request ("speech"), or whatever else fired Locust's `request` event.

    `source` and `n` number the records of one process without holes from 0, so that a loss shows.

    In an open schedule `intended_s` is when the request was to start. `start_s` is when it did and
    `duration_s` how long it took from then on; what a caller waited is `latency_s`. A request that was never
    started (error class ``not_started``) "starts" and ends at the load's end, with a duration of 0.
    """

    source: str  # "local", or the worker's rank: "w0", "w1", …
    n: int
    name: str
    operation: str = ""  # "generate", "speech"; "" for a call inside a logical request, or a foreign one
    type: str = "HTTP"  # HTTP method, or "JOB"
    request_id: str = ""  # ours; calls of one job share it
    job_id: str = ""  # the service's
    user: int = 0  # the user's index in its process
    phase: str = ""  # the phase in which it was to start; "warmup" before the load
    warmup: bool = False
    intended_s: float | None = None  # when an open schedule wanted it to start; its latency counts from there
    start_s: float = 0.0  # when it really did
    duration_s: float = 0.0
    outcome: str = "ok"  # "ok", "failed", "unfinished"
    drained: bool = False  # ended after the load did
    error_class: str = ""
    error: str = ""  # the service's or our own words, at most 500 characters
    remark: str = ""  # of a success: why its output was not inspected, and what helps
    status: int = 0  # last HTTP status, 0 when there was none
    bytes_sent: int = 0
    bytes_received: int = 0
    labels: dict[str, str] = {}
    stages: dict[str, float] = {}  # seconds by stage name; the stages of a job add up to its duration
    gaps: dict[
        int, int
    ] = {}  # how many pauses between arrivals, by class (`genload.artifacts.audio.playback`)
    # Of a job attempts, rejections, polls, poll_bound_s, server_duration_s, faces, …; of speech ttfa_s, rtf,
    # audio_duration_s, stalls, …; valid where the output was inspected, cannot_inspect (1) where it was
    # to be, and nothing here can look into it. What does not apply is absent.
    numbers: dict[str, float] = {}

    def number(self, key: str) -> float | None:
        """What it carries under a metric's key; None for what does not apply, or is not known."""
        if key == "duration":
            return self.latency_s
        if key.startswith("stage."):
            return self.stages.get(key.removeprefix("stage."))
        if key == "start_delay_s" and key not in self.numbers and self.intended_s is not None:
            return self.start_s - self.intended_s
        return self.numbers.get(key)

    @property
    def latency_s(self) -> float:
        """From the intended start, where an open schedule had one, to the end."""
        late_s = 0.0 if self.intended_s is None else self.start_s - self.intended_s
        return self.duration_s + late_s


class RunStarted(msgspec.Struct, tag="run_started", tag_field="event", kw_only=True):
    t_s: float
    wall_time: str  # UTC, ISO 8601


class LoadStarted(msgspec.Struct, tag="load_started", tag_field="event", kw_only=True):
    """The warm-up is over: phases count from here."""

    t_s: float


class PhaseStarted(msgspec.Struct, tag="phase_started", tag_field="event", kw_only=True):
    t_s: float
    phase: str


class LoadEnded(msgspec.Struct, tag="load_ended", tag_field="event", kw_only=True):
    """No new work from here on; what is in flight is waited for."""

    t_s: float


class Users(msgspec.Struct, tag="users", tag_field="event", kw_only=True):
    """One second of the load: what was asked for and what there was."""

    t_s: float
    target: int  # users that should be allowed to start work
    working: int  # users there that are allowed to
    in_flight: int  # logical requests under way
    leaving: int  # of these, by users told to stop
    asleep_s: float = 0.0  # what users slept after failures since the load began, all together
    locust_users: int = 0  # Locust's own count


class ClientHealth(msgspec.Struct, tag="client", tag_field="event", kw_only=True):
    """One second of one client process."""

    t_s: float
    source: str
    lags_ms: list[float]  # how late a greenlet that sleeps 50 ms woke up
    cpu: float  # share of one core
    rss_bytes: int


class ClockOffset(msgspec.Struct, tag="clock", tag_field="event", kw_only=True):
    """A worker's clock against the master's: offset ± bound."""

    t_s: float
    source: str
    offset_s: float
    bound_s: float


class WorkerLost(msgspec.Struct, tag="worker_lost", tag_field="event", kw_only=True):
    t_s: float  # its last sign, which is before the line
    source: str


class Interrupted(msgspec.Struct, tag="interrupted", tag_field="event", kw_only=True):
    t_s: float
    by: str  # SIGINT, SIGTERM, "web UI stop", …


NOT_READY = "not_ready"  # the service was not, in time
GIVEN_UP = "given_up"  # the service, by the suite's `give_up`
HOPELESS = "hopeless"  # a criterion could no longer hold, and the load was ended for it
NOT_RECORDED = "not_recorded"  # the run directory could not be written, and the load was ended for it


class Notice(msgspec.Struct, tag="notice", tag_field="event", kw_only=True):
    """Something a reader of the report should know."""

    t_s: float
    code: str  # one of those below, or another: monitors_ended, late_worker, input, …
    text: str


class Identified(msgspec.Struct, tag="identity", tag_field="event", kw_only=True):
    """What is tested, as the suite says where to read it; what monitors know stands in their samples."""

    t_s: float
    facts: dict[str, str]


class RunEnded(msgspec.Struct, tag="run_ended", tag_field="event", kw_only=True):
    """The last line: how many records each source said it wrote."""

    t_s: float
    records: dict[str, int]


Event = (
    RunStarted
    | LoadStarted
    | PhaseStarted
    | LoadEnded
    | Users
    | ClientHealth
    | ClockOffset
    | WorkerLost
    | Interrupted
    | Notice
    | Identified
    | RunEnded
)


HANGS = "hangs: "
"""What the error of a tick begins with that has not ended; such a sample has nothing else."""


class Sample(msgspec.Struct, omit_defaults=True, kw_only=True):
    """One tick of one monitor. A tick that was missed has no line: a hole, not a repeated value."""

    t_s: float
    monitor: str
    values: dict[str, float] = {}  # by metric name, base units
    facts: dict[str, str] = {}  # what is measured ("gpu.model{gpu=0}"): of the first values; news at the end
    took_s: float = 0.0
    interval_s: float = 0.0  # the monitor's from this tick on, where it was slowed down
    live: bool = False  # a first look: the monitor's history, written at the end, counts instead
    error: str = ""
    raised_at: str = ""  # of an error that is a mistake in the monitor's own code: file, line and function
    doubts: dict[str, str] = {}  # why numbers of a metric may not be what they seem, at the end: never exact


class MonitorPlan(msgspec.Struct, kw_only=True):
    """What a monitor promised: its interval and the metrics it can fill. For coverage."""

    name: str
    interval_s: float
    metrics: list[str]
    source: str = ""  # where the numbers come from, for people: "http://…/metrics"
    # The labels by which it tells machines apart, each with the beginnings of the metrics that have it.
    labels: dict[str, list[str]] = {}
    nothing_here: str = ""  # why it has nothing to sample, for people; it owes no tick then


class RunHeader(msgspec.Struct, kw_only=True):
    """run.json, written once before anything else."""

    format: int
    suite: dict[str, Any]  # resolved and scaled: the effective settings; loads as a suite
    requested: dict[str, Any]  # as asked for, before scaling
    scenario: str
    phases: list[dict[str, Any]]  # name, duration_s, users, users_from, iterations, per_user, every_s
    operation: str
    stages: list[str]
    labels: dict[str, list[str]] = {}
    time_scale: float = 1.0
    rehearsal: bool = False
    seed: int = 0
    salt: str = ""  # of this run alone, in what was sent: with it and the seed the texts can be made again
    strict: bool = False
    started_at: str = ""  # UTC, ISO 8601
    versions: dict[str, str] = {}
    metrics: list[
        dict[str, Any]
    ] = []  # declared beyond the engine's own: name, dimension, stats, source, help
    monitors: list[MonitorPlan] = []
    asked_for: list[str] = []  # the suite's scenarios that were to be run with this one, itself among them
