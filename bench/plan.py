"""What a plan of 50,000 requests costs: CPU time of its simulation and judging, for users and for an open
schedule.

    python bench/plan.py [--rounds 3]
"""

from __future__ import annotations

import argparse
import time

from genload import extensions
from genload.analysis.plan import AssumedService, constant, plan_scenario
from genload.settings.loader import load_suite
from genload.settings.suite import Suite

LIMIT_S, REQUESTS = 2.0, 50_000
# By name: the settings of `normal`, and the service that makes 50,000 requests of it.
LOADS = {
    "users": (["shape={kind: normal, users: 50, duration: 1000min}"], constant(59.0, 50)),
    "open": (["shape={kind: paced, every: 1s, duration: 50000s, max_users: 500}"], constant(59.0, 80)),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    held = True
    for name, (settings, service) in LOADS.items():
        suite = _suite(settings)
        least_s = min(_planned_s(suite, service) for _ in range(rounds))
        held = held and least_s <= LIMIT_S
        print(f"{name}: {REQUESTS:,} requests planned in {least_s:.2f} s of CPU (limit {LIMIT_S:.0f})")
    return 0 if held else 1


def _suite(settings: list[str]) -> Suite:
    overrides = [f"scenarios.normal.{each}" for each in settings]
    folders, wings = extensions.suite_folders(), extensions.Wings()
    return load_suite("orfeas", folders=folders, wings=wings, overrides=overrides).suite


def _planned_s(suite: Suite, service: AssumedService) -> float:
    began_s = time.process_time()
    plan = plan_scenario(suite, "normal", service)
    took_s = time.process_time() - began_s
    if plan.figures.attempted != REQUESTS:
        raise SystemExit(f"{plan.figures.attempted:,} requests instead of {REQUESTS:,}")
    return took_s


if __name__ == "__main__":
    raise SystemExit(main())
