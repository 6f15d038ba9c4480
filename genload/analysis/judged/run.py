"""A judged run: everything that reports render, computed once from a run directory."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from genload.analysis.contract import FamilyFinding
from genload.analysis.judged.arrivals import Arrivals
from genload.analysis.judged.capacity import Capacity
from genload.analysis.judged.change import Change
from genload.analysis.judged.cold import ColdStart
from genload.analysis.judged.criterion import CriterionVerdict, Reason
from genload.analysis.judged.efficiency import Efficiency
from genload.analysis.judged.listeners import Listeners
from genload.analysis.judged.pooled import PooledRun
from genload.analysis.judged.speech import SpeechSummary
from genload.analysis.judged.trends import Trends
from genload.analysis.monitors import MonitorSummary, Uptime
from genload.analysis.reconciliation import Comparison
from genload.analysis.recorded import Recorded, nothing_recorded

RunResult = Literal["pass", "fail", "inconclusive", "no criteria", "observed"]
AnswerState = Literal["ticked", "open", "not applicable"]


class Verdict(msgspec.Struct, kw_only=True):
    """`result` is over the `must` criteria: ``no criteria`` where there is none, ``observed`` where the suite
    wants it so. `valid` is about the measurement, apart from the numbers."""

    result: RunResult
    valid: bool
    reasons: list[Reason]
    criteria: list[CriterionVerdict]
    exit_code: int


class ShortestDurations(msgspec.Struct, kw_only=True):
    """The durations of a population, had every job ended as early as its polls allow."""

    avg_duration: float | None
    min_duration: float | None
    max_duration: float | None
    p50_duration: float | None
    p95_duration: float | None
    p99_duration: float | None


class Summary(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The numbers of one population of requests: first those of the specification's example, by its names and
    in its order. Durations in seconds, rates in percent. mean, min, max are over successes; percentiles over
    every attempt, with failed and unfinished ones infinitely slow: None where that makes them infinite, or
    where there is no request. `left_requests`, whose listeners left, are in no other number. `shortest` is
    None where no polls leave the durations open."""

    total_requests: int
    successful_requests: int
    failed_requests: int
    success_rate: float | None
    error_rate: float | None
    avg_duration: float | None
    min_duration: float | None
    max_duration: float | None
    p50_duration: float | None
    p95_duration: float | None
    p99_duration: float | None
    throughput_per_minute: float | None
    unfinished_requests: int
    drained_requests: int
    rejections: int
    p95_of_successes: float | None
    left_requests: int = 0
    shortest: ShortestDurations | None = None


class PhaseSummary(msgspec.Struct, kw_only=True):
    name: str
    start_s: float  # since the run began
    end_s: float
    target_users: int
    summary: Summary
    arrivals: int | None = None  # of an open schedule: how many were planned


class StageTimes(msgspec.Struct, kw_only=True):
    """Seconds spent in one stage, over the requests that completed."""

    mean: float
    p50: float
    p95: float
    max: float


class StageSummary(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Seconds spent in one stage, as they were seen, over the `count` requests that completed. `shortest` and
    `longest` are what polls allow it to have been, None where they leave nothing of it open."""

    count: int
    mean: float
    p50: float
    p95: float
    max: float
    shortest: StageTimes | None = None
    longest: StageTimes | None = None


MOSTLY = 0.5
"""Share of a mean from which on it is said to be genload's own pauses after refusals."""


class WaitedOut(msgspec.Struct, kw_only=True):
    """Refusals of one call that were followed by another try."""

    call: str
    count: int
    seconds: float  # that genload paused for them, of all requests together


class Retries(msgspec.Struct, kw_only=True):
    """What was tried again within the requests of the load."""

    waited_out: list[WaitedOut]
    lost_polls: int  # polls without an answer, asked again
    share_of_mean: float | None  # of the mean duration, genload's own pauses after refusals; 0..1


class ErrorGroup(msgspec.Struct, kw_only=True):
    error_class: str
    count: int
    messages: list[str]  # the first few different ones


class SeriesSummary(msgspec.Struct, kw_only=True):
    """One metric of the machines during the load, base units."""

    metric: str
    source: str
    unit: str
    count: int
    coverage: float  # delivered ticks ÷ expected ones
    first: float | None
    last: float | None
    mean: float | None
    min: float | None
    max: float | None
    growth: float | None


class ClientSummary(msgspec.Struct, kw_only=True):
    """How well the load generator itself did."""

    lag_p50_ms: float | None
    lag_p99_ms: float | None
    lag_max_ms: float | None
    cpu_max: float | None
    rss_max_bytes: int | None
    user_seconds_target: float
    user_seconds_worked: float  # users were there, and not asleep
    user_seconds_asleep: float  # after failures
    poll_bound_p95_s: float | None


class JudgedRun(msgspec.Struct, kw_only=True):
    """Input of every report."""

    suite: str
    scenario: str
    purpose: str
    operation: str
    start_time: str
    end_time: str
    duration_s: float  # the load: from its start until no new work was given out
    time_scale: float
    rehearsal: bool
    strict: bool
    interrupted: str | None
    seed: int
    overall: Summary
    warmup: Summary
    phases: list[PhaseSummary]
    stages: dict[str, StageSummary]  # by name, in their order
    errors: list[ErrorGroup]
    retries: Retries | None = None  # where something was tried again
    series: list[SeriesSummary]
    client: ClientSummary
    verdict: Verdict
    notices: list[str]
    requested: dict[str, Any]
    effective: dict[str, Any]
    versions: dict[str, str]
    failure_pause_s: float
    asked_for: list[
        str
    ] = []  # scenarios that were to be run with this one; none: not known, all of the suite
    arrivals: Arrivals | None = None  # of an open load
    speech: SpeechSummary | None = None  # where the outputs are listened to
    cold_starts: list[ColdStart] = []  # the run's first answer, and the one behind an idle time
    listeners: Listeners | None = None  # where some of who listened were to leave
    identity: dict[str, str] = {}  # what was tested, by the suite's names and the monitors' own
    monitors: list[MonitorSummary] = []  # how each did during the load
    uptime: Uptime | None = None  # where a monitor asked the service whether it is there
    contract: list[FamilyFinding] = []  # where the suite expects metric families
    reconciliation: list[Comparison] = []  # where the suite maps counts of the service
    efficiency: Efficiency | None = None  # where a GPU was watched, or has a price
    capacity: Capacity | None = None  # of a search for how much the service holds
    trends: Trends | None = None  # where memory was watched, or the load became slower
    degradation: (
        dict[str, float | None] | None
    )  # where parts of the load are judged: first, last, change in %
    change: Change | None = None  # where it was compared with a baseline
    pooled: list[PooledRun] = []  # the runs that were judged together; none: it is one run
    recorded: Recorded = msgspec.field(default_factory=nothing_recorded)  # records and samples, as columns
    population: str = ""  # of the scenario's, the one that was judged; "" where it has none

    @property
    def name(self) -> str:
        """The scenario's; with its population's, where it has several: ``neighbours/speech``."""
        return f"{self.scenario}/{self.population}" if self.population else self.scenario


class Answer(msgspec.Struct, kw_only=True, frozen=True):
    """One question of a suite's checklist, and what was recorded on it."""

    heading: str
    question: str
    state: AnswerState
    reason: str


class JudgedSuite(msgspec.Struct, kw_only=True):
    """The scenarios of one suite folder that were run, in the order they were run."""

    suite: str
    runs: list[JudgedRun]
    missing: list[str]  # scenarios that were asked for and not run, or left nothing to judge
    exit_code: int
    checklist: list[Answer] = []
