"""Worlds whose jobs are seen by polls alone: how often a verdict is wrong there, and how often it is reached.

The polls are those of `genload.drivers.job_driver`, by the pauses that `genload.settings.service.Poll` gives;
records carry the bounds that the driver would have written, and the criteria are judged as those of a run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, dataclass
from typing import cast

import numpy as np

from genload.analysis.evaluate import Judgement, judge_expression
from genload.analysis.evidence.estimate import FloatArray
from genload.analysis.load import Load
from genload.analysis.observe import Measures, catalogue_of
from genload.analysis.series import SeriesStore
from genload.analysis.table import RequestTable
from genload.runlog.records import RunHeader
from genload.settings.criteria.comparisons import Outcome
from genload.settings.criteria.criterion import Criterion
from genload.settings.phases import Timeline
from genload.settings.service import Poll

JOBS = 100  # of each run
RUNS = 400
SIGMA = 0.2
APART = 1.2  # the truth is on the claimed side by so much
_TRIP_S = 0.002  # of every call, half of it each way
_LONG_RUN = 200_000

SERVICES_S = (0.5, 1.6, 10.0, 82.0)
POLLS = {
    "by default": Poll(),
    "every 40 ms": Poll(interval_s=0.04, adaptive=False),
    "every 200 ms": Poll(interval_s=0.2, adaptive=False),
    "every 2 s": Poll(interval_s=2.0, adaptive=False),
    "every 10 s": Poll(interval_s=10.0, adaptive=False),
}


@dataclass(frozen=True)
class Seen:
    """Jobs as their polls saw them; arrays of runs × jobs, seconds from the order's answer on."""

    begun_s: FloatArray  # the sending of the last poll that said "not begun"
    begin_bound_s: FloatArray
    ended_s: FloatArray
    end_bound_s: FloatArray


def seen(rng: np.random.Generator, queue_s: FloatArray, run_s: FloatArray, poll: Poll) -> Seen:
    """Poll every job until its end is seen."""
    shape, begins, ends = queue_s.shape, queue_s.ravel(), (queue_s + run_s).ravel()
    accepted_s, jobs = _TRIP_S / 2, np.arange(queue_s.size)
    begun, begin_bound = np.zeros(jobs.size), np.full(jobs.size, np.nan)
    ended, end_bound = np.zeros(jobs.size), np.zeros(jobs.size)
    last_sent, age = np.full(jobs.size, -_TRIP_S), np.zeros(jobs.size)
    while jobs.size:
        middle_s = np.array([poll.pause_s(each) for each in age]) if poll.adaptive else poll.interval_s
        sent = age + middle_s * (1 + poll.jitter * rng.uniform(-1, 1, jobs.size))
        looked, answered = sent + accepted_s, sent + _TRIP_S
        waits = looked < begins[jobs]
        begun[jobs[waits]] = sent[waits]
        first = ~waits & np.isnan(begin_bound[jobs])
        begin_bound[jobs[first]] = answered[first] - begun[jobs[first]]
        over = looked >= ends[jobs]
        ended[jobs[over]] = answered[over]
        end_bound[jobs[over]] = answered[over] - last_sent[over]
        jobs, last_sent, age = jobs[~over], sent[~over], answered[~over]
    found = (begun, begin_bound, ended, end_bound)
    return Seen(*(column.reshape(shape) for column in found))


@dataclass(frozen=True)
class World:
    """Jobs of one kind, polled in one way.

    Attributes:
        queue_s, run_s: seconds, runs × jobs.
        poll_name: one of POLLS.
    """

    name: str
    queue_s: FloatArray
    run_s: FloatArray
    poll_name: str


def runs_of(world: World, seed: int) -> Iterator[RequestTable]:
    """The records of each run; the first half of its jobs in phase a, the second in phase b."""
    rng = np.random.default_rng(seed)
    polled = seen(rng, world.queue_s, world.run_s, POLLS[world.poll_name])
    for run in range(world.queue_s.shape[0]):
        yield _table(
            polled.ended_s[run],
            {
                "poll_bound_s": polled.end_bound_s[run],
                "begin_bound_s": polled.begin_bound_s[run],
                "server_duration_s": polled.ended_s[run],
                "stage.queue": polled.begun_s[run],
                "stage.run": polled.ended_s[run] - polled.begun_s[run],
            },
        )


def _table(duration_s: FloatArray, numbers: dict[str, FloatArray]) -> RequestTable:
    count = len(duration_s)
    start_s = np.arange(count, dtype=np.float64)
    phases = (np.arange(count) >= count // 2).astype(np.int32) + 1
    return RequestTable(
        start_s=start_s,
        end_s=start_s + duration_s,
        duration_s=duration_s,
        outcome=np.zeros(count, dtype=np.uint8),
        error_class=(np.zeros(count, dtype=np.int32), ("",)),
        drained=np.zeros(count, dtype=np.bool_),
        numbers=numbers,
        labels={"phase": (phases, ("", "a", "b"))},
    )


_HEADER = RunHeader(
    format=1,
    suite={},
    requested={},
    scenario="",
    phases=[],
    operation="generate",
    stages=["queue", "run"],
)
_CATALOGUE = catalogue_of(_HEADER)
_LOAD = Load(0.0, float(JOBS), (), Timeline(()), ended=True)


def judged(table: RequestTable, expression: str) -> Judgement:
    """One criterion on one run."""
    measures = Measures(
        header=_HEADER,
        catalogue=_CATALOGUE,
        table=table,
        store=cast(SeriesStore, None),  # for criteria on samples, of which there are none
        load=_LOAD,
        min_coverage=0.95,
    )
    return judge_expression(Criterion(holds=expression).expression, measures)


@dataclass(frozen=True)
class Claim:
    """What runs are judged on, and its truth: what instant polls would have seen of endless runs."""

    subject: str
    truth: float
    of: str = ""  # what the truth is a share of

    def compared(self, op: str, threshold: float) -> str:
        if self.of:
            return f"{self.subject} {op} {100 * threshold:.9f}% of {self.of}"
        return f"{self.subject} {op} {threshold:.9f}s"


@dataclass(frozen=True)
class Shares:
    """Shares of the runs: a claim that is just false was proven, one that is true by APART was."""

    wrong_below: float
    wrong_above: float
    power_below: float
    power_above: float
    open_below: float  # polls left open whether the truth is below the threshold, which it is by APART
    power_beyond: float  # proven to be below where the truth is so by APART and as much as polls leave open


def measured(world: World, claims: list[Claim], seed: int) -> list[Shares]:
    """How the claims fare on one world's runs."""
    counts = np.zeros((len(claims), 6))
    for table in runs_of(world, seed):
        for number, claim in enumerate(claims):
            counts[number] += _tried(table, claim)
    return [Shares(*row / world.queue_s.shape[0]) for row in counts]


def _tried(table: RequestTable, claim: Claim) -> tuple[bool, ...]:
    at = judged(table, claim.compared("<", claim.truth))
    below = judged(table, claim.compared("<", claim.truth * APART))
    above = judged(table, claim.compared(">", claim.truth / APART))
    left_open = (at.high or 0.0) - (at.low or 0.0)
    beyond = judged(table, claim.compared("<", (claim.truth + left_open) * APART))
    return (
        _proven(at, "pass"),
        _proven(at, "fail"),
        _proven(below, "pass"),
        _proven(above, "pass"),
        below.result == "inconclusive",
        _proven(beyond, "pass"),
    )


def _proven(judgement: Judgement, result: Outcome) -> bool:
    return judgement.evidence == "proven" and judgement.result == result


def skewed(rng: np.random.Generator, shape: tuple[int, ...], mean_s: float) -> FloatArray:
    """Log-normal times."""
    return mean_s * rng.lognormal(-SIGMA * SIGMA / 2, SIGMA, shape)


def plain_worlds(runs: int) -> Iterator[tuple[World, list[Claim]]]:
    """Independent jobs without a queue, from half a second to 82 s."""
    for number, service_s in enumerate(SERVICES_S):
        rng = np.random.default_rng(number)
        run_s = skewed(rng, (runs, JOBS), service_s)
        long_run = skewed(rng, (_LONG_RUN,), service_s) - _TRIP_S / 2  # from the order's answer on
        claims = [
            Claim("generate.duration.mean", service_s - _TRIP_S / 2),
            Claim("generate.duration.p95", float(np.percentile(long_run, 95))),
        ]
        for poll_name in POLLS:
            yield (
                World(f"{service_s:g} s, polled {poll_name}", np.zeros_like(run_s), run_s, poll_name),
                claims,
            )


def waiting_worlds(runs: int) -> Iterator[tuple[World, list[Claim]]]:
    """Jobs of 10 s of which two in three wait, and whose second half is as slow as the first."""
    rng = np.random.default_rng(99)
    waits = (rng.random((runs, JOBS)) < 2 / 3) * skewed(rng, (runs, JOBS), 9.0)
    run_s = skewed(rng, (runs, JOBS), 10.0)
    first, second = (f"generate.duration.mean{{phase={name}}}" for name in "ab")
    claims = [
        # What waits for less than half a trip has begun before its order was answered.
        Claim("generate.stage.queue.mean", 2 / 3 * (9.0 - _TRIP_S / 2)),
        Claim("generate.stage.run.mean", 10.0 - _TRIP_S / 2 / 3),
        Claim(second, 1.0, of=first),
    ]
    for poll_name in POLLS:
        yield World(f"10 s in a queue, polled {poll_name}", waits, run_s, poll_name), claims


def report(runs: int = RUNS) -> None:
    """One line a claim: errors on both sides, power, and how often polls leave it open."""
    heads = ("error below", "above", "power below", "above", "left open", "beyond it")
    print(f"{'polled jobs: number, service, polls':58}" + "".join(f"{head:>12}" for head in heads))
    worst = 0.0
    for seed, (world, claims) in enumerate([*plain_worlds(runs), *waiting_worlds(runs)]):
        for claim, shares in zip(claims, measured(world, claims, seed), strict=True):
            name = "share of two means" if claim.of else claim.subject.removeprefix("generate.")
            columns = "".join(f"{column:12.1%}" for column in astuple(shares))
            print(f"{f'{name}, {world.name}':58}{columns}", flush=True)
            worst = max(worst, shares.wrong_below, shares.wrong_above)
    print(f"the worst error is {worst:.1%}, {worst * runs:.0f} of {runs} runs")
