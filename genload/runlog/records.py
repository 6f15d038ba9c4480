"""The types of the records in a run directory. Each record is a line of JSON.

Times are seconds since the run began (`t0`), on the clock of the master. Durations are measured by the
monotonic clock of one machine. A field that has its default value is left out of the line.
"""

from __future__ import annotations

from typing import Any

import msgspec

FORMAT_VERSION = 1

LEFT = "left"
"""The outcome of a request whose listener left before its end, because the suite wanted it so."""


class RequestRecord(msgspec.Struct, omit_defaults=True, kw_only=True, gc=False):
    """A request: a whole job (`name` "generate"), one of its HTTP calls ("upload", "submit", "download"), a
    speech request ("speech"), or anything else for which Locust's `request` event was fired.

    The records of a process (`source`) have the numbers 0, 1, 2, … (`n`), so that a lost record is noticed.

    In an open schedule the request was to start at `intended_s`. It really started at `start_s`, and took
    `duration_s` from then on; `latency_s` is how long a caller waited. A request that was never started
    (error class ``not_started``) "starts" at the end of the load, and has a duration of 0.
    """

    source: str  # "local", or the worker's rank: "w0", "w1", …
    n: int
    name: str
    operation: str = ""  # "generate" or "speech"; "" for a call of a job, and for requests of other code
    population: str = ""  # whose request it is, where several are at work at the same time
    type: str = "HTTP"  # HTTP method, or "JOB"
    request_id: str = ""  # made by genload; a job and its calls have the same
    job_id: str = ""  # given by the service
    user: int = 0  # the number of the user in its process
    phase: str = ""  # the phase in which the request was to start; "warmup" or "cold" before the load
    warmup: bool = False
    intended_s: float | None = None  # when an open schedule wanted it to start; the latency begins there
    start_s: float = 0.0  # when the request really started
    duration_s: float = 0.0
    outcome: str = "ok"  # "ok", "failed", "unfinished", "left" (by its listener, as the suite wanted it)
    drained: bool = False  # the request ended after the end of the load
    error_class: str = ""
    error: str = ""  # the reason, in words of the service or of genload, at most 500 characters
    remark: str = ""  # of a successful request: why its output was not inspected, and what to do about it
    status: int = 0  # the last HTTP status; 0 if there was no answer
    bytes_sent: int = 0
    bytes_received: int = 0
    labels: dict[str, str] = {}
    stages: dict[str, float] = {}  # the seconds of each stage; their sum is the duration of the job
    gaps: dict[
        int, int
    ] = {}  # how many pauses between arrivals, by class (`genload.artifacts.audio.playback`)
    said: str = ""  # the digits of the code that the text ends with; "" without one
    heard: str | None = None  # the digits that were heard at the end of the answer; None: nobody listened
    # Of a job: attempts, rejections, polls, poll_bound_s, server_duration_s, faces, … Of speech: ttfa_s, rtf,
    # audio_duration_s, stalls, … `valid` if the output was inspected; `cannot_inspect` (1) if no installed
    # library could read it. A number that does not apply is left out.
    numbers: dict[str, float] = {}

    def number(self, key: str) -> float | None:
        """The number for a metric, by its key; None if it does not apply to this request, or is not known."""
        if key == "duration":
            return self.latency_s
        if key.startswith("stage."):
            return self.stages.get(key.removeprefix("stage."))
        if key == "start_delay_s" and key not in self.numbers and self.intended_s is not None:
            return self.start_s - self.intended_s
        return self.numbers.get(key)

    @property
    def latency_s(self) -> float:
        """The time from the intended start of an open schedule, or else from the real start, to the end."""
        if self.intended_s is None:
            return self.duration_s
        return self.duration_s + (self.start_s - self.intended_s)


class RunStarted(msgspec.Struct, tag="run_started", tag_field="event", kw_only=True):
    t_s: float
    wall_time: str  # UTC, ISO 8601


class LoadStarted(msgspec.Struct, tag="load_started", tag_field="event", kw_only=True):
    """The warm-up is over. The first phase begins now."""

    t_s: float


class PhaseStarted(msgspec.Struct, tag="phase_started", tag_field="event", kw_only=True):
    t_s: float
    phase: str


class LoadEnded(msgspec.Struct, tag="load_ended", tag_field="event", kw_only=True):
    """No request may start any more. Those in flight are waited for."""

    t_s: float


class Users(msgspec.Struct, tag="users", tag_field="event", kw_only=True, omit_defaults=True):
    """The users at one tick of the load: how many there were to be, and how many there were."""

    t_s: float
    target: int  # how many users the shape wants to work
    working: int  # how many users may start a request now
    in_flight: int  # requests that have started and not ended (a job is one)
    leaving: int  # those of them whose users may not start another one
    asleep_s: float = 0.0  # time slept after failures since the load began, the sum of all users
    locust_users: int = 0  # how many users there are, as Locust counts them
    population: str = ""  # whose users, where several are at work at the same time; Locust's are those of all


class ClientHealth(msgspec.Struct, tag="client", tag_field="event", kw_only=True, omit_defaults=True):
    """The health of a process with users, at one tick."""

    t_s: float
    source: str
    lags_ms: list[float]  # by how much a greenlet that sleeps 50 ms at a time woke up too late
    cpu: float  # 1.0: a whole core
    rss_bytes: int
    connections: int | None = None  # by which it hears of its jobs, at this moment; None: it only polls
    messages: int = 0  # that have told of jobs, since the run began


class ClockOffset(msgspec.Struct, tag="clock", tag_field="event", kw_only=True):
    """How far the clock of a worker is from the master's: between offset − bound and offset + bound."""

    t_s: float
    source: str
    offset_s: float
    bound_s: float


class WorkerLost(msgspec.Struct, tag="worker_lost", tag_field="event", kw_only=True):
    t_s: float  # when the worker sent its last message, some seconds before this line was written
    source: str


class Announced(msgspec.Struct, tag="announced", tag_field="event", kw_only=True):
    """Phases that were decided on while the load ran, written ahead of their beginning."""

    t_s: float
    number: int  # of the announcement, from 1
    at_s: float  # when its phases begin, in seconds since the load began
    kept: int  # so many of the phases until then stay as they were
    phases: list[dict[str, Any]]  # those that follow, as in run.json: the one that is cut first, where one is
    level: int  # of a search for a capacity, from 1
    value: float  # of the level: users, or requests a second
    why: str  # "level": a new one; "longer": it had too few requests; "rest": nothing begins meanwhile; "end"
    to: list[str]  # the processes that have to acknowledge it


class Acknowledged(msgspec.Struct, tag="acknowledged", tag_field="event", kw_only=True):
    """A process with users goes by an announcement."""

    t_s: float
    source: str
    number: int


class LevelEnded(msgspec.Struct, tag="level_ended", tag_field="event", kw_only=True):
    """What was seen of a level when the next one was chosen. The verdict judges its records instead."""

    t_s: float
    level: int
    value: float
    outcome: str  # "holds", "does not hold", "invalid"
    why: str = ""  # the criterion that does not hold, or why it is not valid


class SearchEnded(msgspec.Struct, tag="search_ended", tag_field="event", kw_only=True):
    """The search for a capacity came to its own end."""

    t_s: float
    end: str  # one of `genload.analysis.capacity.search.End`


class Interrupted(msgspec.Struct, tag="interrupted", tag_field="event", kw_only=True):
    t_s: float
    by: str  # SIGINT, SIGTERM, "web UI stop", …


NOT_READY = "not_ready"  # the service was not ready in time
GIVEN_UP = "given_up"  # the load was ended by `give_up` of the suite
HOPELESS = "hopeless"  # the load was ended because a criterion could no longer hold
NOT_RECORDED = "not_recorded"  # the load was ended because the run directory could not be written


class Notice(msgspec.Struct, tag="notice", tag_field="event", kw_only=True, omit_defaults=True):
    """A sentence for the readers of the report."""

    t_s: float
    code: str  # one of the codes above, or another: monitors_ended, late_worker, input, …
    text: str
    population: str = ""  # which one alone it is about


class Identified(msgspec.Struct, tag="identity", tag_field="event", kw_only=True, omit_defaults=True):
    """What was tested, read from the places that the suite names. What monitors know is in their samples."""

    t_s: float
    facts: dict[str, str]
    population: str = ""  # whose service it is about


class RunEnded(msgspec.Struct, tag="run_ended", tag_field="event", kw_only=True):
    """The last line of a run: how many records each process has made, as it says itself."""

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
    | Announced
    | Acknowledged
    | LevelEnded
    | SearchEnded
    | Interrupted
    | Notice
    | Identified
    | RunEnded
)


WAITED_OUT = "waited_out_"
"""What the numbers of a record begin with that tell of refusals which were waited out; the call follows."""


HANGS = "hangs: "
"""The beginning of the error of a sample whose tick has not ended yet. Such a sample has no values."""


class Sample(msgspec.Struct, omit_defaults=True, kw_only=True):
    """What a monitor found at one tick. A tick that was missed has no sample, and values are never
    repeated."""

    t_s: float
    monitor: str
    values: dict[str, float] = {}  # by the names of the metrics, in base units
    facts: dict[str, str] = {}  # what is measured ("gpu.model{gpu=0}"); in the first sample and at the end
    took_s: float = 0.0
    interval_s: float = 0.0  # the new interval of the monitor, if it was slowed down at this tick
    live: bool = False  # only for the display: the monitor reads its final samples at the end
    error: str = ""
    raised_at: str = ""  # if the error is a mistake in the monitor's own code: its file, line and function
    doubts: dict[str, str] = {}  # at the end: the metrics whose numbers may be wrong, each with the reason


class MonitorPlan(msgspec.Struct, kw_only=True):
    """What a monitor is to do: its interval and its metrics. With it the analysis finds ticks that are
    missing."""

    name: str
    interval_s: float
    metrics: list[str]
    source: str = ""  # where the numbers come from, for reports: "http://…/metrics"
    # The labels by which the monitor tells machines apart, each with the beginnings of its metrics' names.
    labels: dict[str, list[str]] = {}
    nothing_here: str = ""  # why the monitor has nothing to sample; then no tick of it is missing


class PopulationHeader(msgspec.Struct, kw_only=True):
    """What run.json says of one population: the fields of the same names, as they are for it alone."""

    phases: list[dict[str, Any]]
    operation: str
    stages: list[str]
    labels: dict[str, list[str]] = {}
    metrics: list[dict[str, Any]] = []


class RunHeader(msgspec.Struct, kw_only=True):
    """The content of run.json, which is written once, at the beginning of a run."""

    format: int
    suite: dict[str, Any]  # the settings in force, after the time scale; it can be loaded as a suite
    requested: dict[str, Any]  # the settings that were asked for, before the time scale
    scenario: str
    phases: list[dict[str, Any]]  # the fields of a phase that are `RECORDED`
    operation: str
    stages: list[str]
    labels: dict[str, list[str]] = {}
    time_scale: float = 1.0
    rehearsal: bool = False
    seed: int = 0
    salt: str = ""  # a word of this run alone; seed and salt together are enough to make the same texts again
    strict: bool = False
    started_at: str = ""  # UTC, ISO 8601
    versions: dict[str, str] = {}
    metrics: list[
        dict[str, Any]
    ] = []  # declared beyond the engine's own: name, dimension, stats, source, help
    monitors: list[MonitorPlan] = []
    asked_for: list[str] = []  # the suite's scenarios that were to be run with this one, itself among them
    # By name, in their order, where several are at work at the same time: `operation`, `stages`, `labels` and
    # `metrics` of the run itself are empty then, and `phases` has the users of all together.
    populations: dict[str, PopulationHeader] = {}
    population: str = ""  # "" in the file; the population that is judged, of a header narrowed to it
