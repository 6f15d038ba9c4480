"""How often "proven" is wrong, and how often it is reached: ``python bench/calibration.py``, some minutes;
``--polled`` measures only the worlds whose jobs are seen by polls, ``--open`` only open loads, ``--pooled``
only pools of several runs, ``--longer`` only whether the longer run that is named decides.

Every line is a world whose truth is known, a claim about it, and many runs of one size.

error: share of the runs that prove the claim when the truth lies exactly on the threshold, so that the
claim is just false. It should be about 5 % or less.
power: share of the runs that prove it when the truth keeps the distance named.

Some worlds break the assumption that a verdict prints, and are here to show by how much that hurts.
"""

from __future__ import annotations

import argparse
import heapq
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np
from parts.longer_runs import Unproven, of_open_loads, one_by_one
from parts.longer_runs import report as report_longer
from parts.open_worlds import report as report_open
from parts.polled_worlds import RUNS
from parts.polled_worlds import report as report_polled
from parts.pooled_worlds import report as report_pooled
from scipy import signal

from genload.analysis.evidence.estimate import Estimate, FloatArray, Side
from genload.analysis.evidence.means import MIN_EFFECTIVE, Mean, MeanRatio
from genload.analysis.evidence.percentiles import Percentile
from genload.analysis.evidence.rates import Rate, Spread
from genload.analysis.evidence.series import Growth

MINIMA = (5, 10, 20, 30, 50)

Draw = Callable[[np.random.Generator], Estimate]


@dataclass(frozen=True)
class Case:
    """`null` draws runs whose truth is the threshold, `apart` those whose truth is on the claimed side."""

    name: str
    side: Side
    threshold: float
    null: Draw
    apart: Draw
    distance: str
    runs: int = 600


def proven(estimate: Estimate, side: Side, threshold: float) -> bool:
    bound = estimate.bound(side, threshold).value
    return bound is not None and (bound < threshold if side == "upper" else bound > threshold)


def measure(case: Case, seed: int) -> tuple[float, float]:
    """(error, power) of one case."""
    shares = []
    for draw in (case.null, case.apart):
        rng = np.random.default_rng(seed)
        hits = sum(proven(draw(rng), case.side, case.threshold) for _ in range(case.runs))
        shares.append(hits / case.runs)
    return shares[0], shares[1]


# ---- failures


def scattered(count: int, rate: float) -> Draw:
    return lambda rng: Rate(Spread(rng.random(count) < rate), "failures")


def incidents(count: int, rate: float, length: int, severity: float = 0.8) -> Draw:
    """Incidents of about `length` requests, in which a share `severity` fails; `rate` over the long run."""
    share = rate / severity

    def draw(rng: np.random.Generator) -> Estimate:
        quiet = length * (1 - share) / share
        spans = rng.geometric(np.tile((1 / quiet, 1 / length), 2 + 2 * int(3 * count / quiet + 10)))
        state = np.repeat(np.tile((False, True), len(spans) // 2), spans)
        begin = rng.integers(0, max(1, len(state) - count))
        return Rate(Spread(state[begin : begin + count] & (rng.random(count) < severity)), "failures")

    return draw


# ---- latencies


def skewed(rng: np.random.Generator, count: int, sigma: float) -> FloatArray:
    """Log-normal latencies of mean 1."""
    return rng.lognormal(-sigma * sigma / 2, sigma, count)


def closed_queue(rng: np.random.Generator, count: int, users: int, slots: int) -> FloatArray:
    """Latencies, in the order of their start, of users who ask again and again; the service has few slots."""
    service = skewed(rng, count + users, 0.3)
    pauses = rng.exponential(0.5 * users / slots, count + users)
    asking = [(pauses[user], user) for user in range(users)]
    heapq.heapify(asking)
    free = [0.0] * slots
    latencies = np.empty(count + users)
    for n in range(count + users):
        start, user = heapq.heappop(asking)
        end = max(start, heapq.heappop(free)) + service[n]
        heapq.heappush(free, end)
        latencies[n] = end - start
        heapq.heappush(asking, (end + pauses[n], user))
    return latencies[users:]


def open_queue(rng: np.random.Generator, count: int, load: float) -> FloatArray:
    """Latencies of the single server queue with Poisson arrivals (M/M/1), by Lindley's recursion."""
    spin_up = 500
    steps = rng.exponential(1.0, count + spin_up) - rng.exponential(1 / load, count + spin_up)
    walk = np.cumsum(steps)
    waits = walk - np.minimum.accumulate(np.minimum(walk, 0.0))
    return waits[spin_up - 1 : -1] + rng.exponential(1.0, count)


def wandering(rng: np.random.Generator, count: int, memory: float) -> FloatArray:
    """An autoregressive series of deviation 0.2 about 1."""
    noise = rng.normal(0.0, 0.2 * (1 - memory**2) ** 0.5, count + 200)
    return 1 + signal.lfilter([1.0], [1.0, -memory], noise)[200:]


def drifting(rng: np.random.Generator, count: int) -> FloatArray:
    """Latencies that become slower by 40 % of their mean during the run; the truth is over all of it."""
    return skewed(rng, count, 0.3) * np.linspace(0.8, 1.2, count)


def latency_cases(
    name: str, draw: Callable[[np.random.Generator, int], FloatArray], counts: tuple[int, ...]
) -> Iterator[Case]:
    """The claims on mean and p95 of one latency world; its truth comes from one very long run."""
    long_run = draw(np.random.default_rng(99), 400_000)
    mean, p95 = float(long_run.mean()), float(np.percentile(long_run, 95))
    for count in counts:

        def means(rng: np.random.Generator, factor: float = 1.0, count: int = count) -> Estimate:
            return Mean(draw(rng, count) * factor)

        def p95s(rng: np.random.Generator, factor: float = 1.0, count: int = count) -> Estimate:
            return Percentile(draw(rng, count) * factor, 95)

        far = "20 %"
        yield Case(
            f"mean below, {name}, n={count}", "upper", mean, means, lambda r, f=means: f(r, 1 / 1.2), far
        )
        yield Case(f"mean above, {name}, n={count}", "lower", mean, means, lambda r, f=means: f(r, 1.2), far)
        yield Case(f"p95 below, {name}, n={count}", "upper", p95, p95s, lambda r, f=p95s: f(r, 1 / 1.2), far)
        yield Case(f"p95 above, {name}, n={count}", "lower", p95, p95s, lambda r, f=p95s: f(r, 1.2), far)


# ---- memory


def memory(growth: float, wander: float, count: int = 300, *, step: bool = False) -> Draw:
    """Memory that grows by a share from first to last tenth, evenly or in one step, with noise of 1 %."""

    def draw(rng: np.random.Generator) -> Estimate:
        place = np.linspace(0, 1, count)
        way = (place > rng.uniform(0.1, 0.9)).astype(np.float64) if step else (place - 0.05) / 0.9
        return Growth(1 + growth * way + (wandering(rng, count, wander) - 1) / 20)

    return draw


def cases() -> Iterator[Case]:
    for count in (60, 300, 1000):
        yield Case(
            f"rate < 5 %, scattered, n={count}",
            "upper",
            0.05,
            scattered(count, 0.05),
            scattered(count, 0.02),
            "2 %",
        )
        yield Case(
            f"rate > 5 %, scattered, n={count}",
            "lower",
            0.05,
            scattered(count, 0.05),
            scattered(count, 0.10),
            "10 %",
        )
    for length, count in ((5, 300), (20, 300), (20, 1000), (20, 5000)):
        world = f"incidents of {length}, n={count}"
        null = incidents(count, 0.05, length)
        yield Case(f"rate < 5 %, {world}", "upper", 0.05, null, incidents(count, 0.01, length), "1 %")
        yield Case(f"rate > 5 %, {world}", "lower", 0.05, null, incidents(count, 0.20, length), "20 %")
    yield from latency_cases("log-normal 0.3", lambda rng, n: skewed(rng, n, 0.3), (20, 30, 50, 100, 300))
    yield from latency_cases("log-normal 1", lambda rng, n: skewed(rng, n, 1.0), (30, 100, 300))
    yield from latency_cases("autoregressive 0.8", lambda rng, n: wandering(rng, n, 0.8), (100, 300, 1000))
    yield from latency_cases("closed queue 10/3", lambda rng, n: closed_queue(rng, n, 10, 3), (30, 100, 300))
    yield from latency_cases("closed queue 20/1", lambda rng, n: closed_queue(rng, n, 20, 1), (100, 300))
    yield from latency_cases("open queue at 50 %", lambda rng, n: open_queue(rng, n, 0.5), (100, 300, 1000))
    yield from latency_cases("open queue at 80 %", lambda rng, n: open_queue(rng, n, 0.8), (300, 1000, 5000))
    yield from latency_cases("latency that drifts by 40 %", drifting, (100, 300))
    for count in (50, 200):
        yield Case(
            f"ratio of means < 110 %, log-normal 0.3, n={count} each",
            "upper",
            1.1,
            lambda rng, n=count: MeanRatio(Mean(skewed(rng, n, 0.3) * 1.1), Mean(skewed(rng, n, 0.3))),
            lambda rng, n=count: MeanRatio(Mean(skewed(rng, n, 0.3)), Mean(skewed(rng, n, 0.3))),
            "100 %",
        )
    for wander in (0.0, 0.8, 0.98):
        world = f"drift, noise of memory {wander}"
        yield Case(f"growth < 5 %, {world}", "upper", 0.05, memory(0.05, wander), memory(0.0, wander), "0 %")
        yield Case(
            f"growth > 5 %, {world}", "lower", 0.05, memory(0.05, wander), memory(0.10, wander), "10 %"
        )
    yield Case("growth < 5 %, one step", "upper", 0.05, memory(0.05, 0.8, step=True), memory(0.0, 0.8), "0 %")
    yield Case(
        "growth > 5 %, one step",
        "lower",
        0.05,
        memory(0.05, 0.8, step=True),
        memory(0.2, 0.8, step=True),
        "20 %",
    )


def longer_cases(names: list[str]) -> Iterator[Unproven]:
    """Statements that are true and mostly unproven in runs of so many requests; those of these names."""
    cases = [
        Unproven("rate < 5 %, is 2 %", 60, 0.05, one_by_one(lambda rng, n: scattered(n, 0.02)(rng))),
        Unproven("rate < 5 %, is 3 %", 300, 0.05, one_by_one(lambda rng, n: scattered(n, 0.03)(rng))),
        Unproven("incidents of 5, 2 %", 300, 0.05, one_by_one(lambda rng, n: incidents(n, 0.02, 5)(rng))),
    ]
    draws: dict[str, tuple[int, Callable[[np.random.Generator, int], FloatArray]]] = {
        "log-normal 0.3": (40, lambda rng, n: skewed(rng, n, 0.3)),
        "log-normal 1": (100, lambda rng, n: skewed(rng, n, 1.0)),
        "autoregressive 0.8": (200, lambda rng, n: wandering(rng, n, 0.8)),
        "closed queue 10/3": (100, lambda rng, n: closed_queue(rng, n, 10, 3)),
    }
    for name, (count, draw) in draws.items():
        long_run = draw(np.random.default_rng(99), 400_000)
        mean, p95 = 1.1 * float(long_run.mean()), 1.1 * float(np.percentile(long_run, 95))
        means = one_by_one(lambda rng, n, draw=draw: Mean(draw(rng, n)))
        p95s = one_by_one(lambda rng, n, draw=draw: Percentile(draw(rng, n), 95))
        cases += [Unproven(f"{name}, mean", count, mean, means), Unproven(f"{name}, p95", count, p95, p95s)]
    for case in chain(cases, of_open_loads()):
        if not names or any(name in case.name for name in names):
            yield case


def minimum_table() -> None:
    """The worst error of "proven" on a mean, by the least number of effective requests that allows it."""
    worlds: dict[str, Callable[[np.random.Generator, int], FloatArray]] = {
        "log-normal 0.3": lambda rng, n: skewed(rng, n, 0.3),
        "log-normal 1": lambda rng, n: skewed(rng, n, 1.0),
        "autoregressive 0.8": lambda rng, n: wandering(rng, n, 0.8),
        "closed queue 10/3": lambda rng, n: closed_queue(rng, n, 10, 3),
    }
    print(f"{'worst error over n = 10 … 200, by minimum':58}" + "".join(f"{least:8}" for least in MINIMA))
    for name, draw in worlds.items():
        truth = float(draw(np.random.default_rng(99), 400_000).mean())
        worst = dict.fromkeys(MINIMA, 0.0)
        for count in (10, 15, 20, 30, 50, 100, 200):
            rng = np.random.default_rng(count)
            samples = [draw(rng, count) for _ in range(400)]
            for least in MINIMA:
                means = [Mean(values, least=least) for values in samples]
                for side in ("upper", "lower"):
                    wrong = sum(proven(mean, side, truth) for mean in means) / len(means)
                    worst[least] = max(worst[least], wrong)
        print(f"{name:58}" + "".join(f"{worst[least]:8.1%}" for least in MINIMA), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--polled", action="store_true", help="only the worlds whose jobs are seen by polls")
    parser.add_argument("--runs", type=int, default=RUNS, help="of each of these worlds")
    parser.add_argument("--open", action="store_true", help="only open loads: who comes does not wait")
    parser.add_argument("--pooled", action="store_true", help="only pools of several runs")
    parser.add_argument("--longer", nargs="*", metavar="WORLD", help="only the longer runs that are named")
    options = parser.parse_args()
    begin = time.monotonic()
    if options.longer is not None:
        report_longer(longer_cases(options.longer), options.runs)
        return
    if options.pooled:
        report_pooled()
        return
    if not (options.polled or options.open):
        report_numbers()
        print()
        report_pooled()
        print()
    if not options.open:
        report_polled(options.runs)
        print()
    if not options.polled:
        report_open(options.runs)
    print(f"\n{time.monotonic() - begin:.0f} s")


def report_numbers() -> None:
    """Worlds whose times are known exactly."""
    print(f"means are proven from {MIN_EFFECTIVE} effective requests on\n")
    print(f"{'claim, world, size':58} {'error':>7} {'power':>7}  at")
    for number, case in enumerate(cases()):
        error, power = measure(case, seed=number)
        print(f"{case.name:58} {error:7.1%} {power:7.1%}  {case.distance}", flush=True)
    print()
    minimum_table()


if __name__ == "__main__":
    main()
