"""The first users at the gate: a load begins when they are there, with their inputs made."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import inf

import gevent
from gevent.event import Event

from genload.harness.crew import Crew
from genload.harness.plan import RunPlan

GATHER_S = 10.0  # for the first users to come to the gate with their inputs, before the load begins …
GATHER_USER_S = 0.01  # … and so much more for each: they make them one at a time
NOBODY_S = 1.0  # … when Locust has made them all and none has come: they are not held by the gate at all
LOOK_S = 0.02


def first_users(plan: RunPlan) -> int:
    """Users to have before the load begins: those it begins with, waiting at the gate; one to warm up.

    Of several populations it is all that there will be: which of them has which numbers is settled by the
    order in which they come.
    """
    if len(plan.populations) > 1:
        return sum(own.timeline.max_users for own in plan.populations)
    return max(plan.timeline.target(0.0), 1)


def gather(
    wanted: int,
    crew: Crew,
    locust_users: Callable[[], int],
    cut: Event,
    clock: Callable[[], float] = time.monotonic,
) -> str:
    """Wait for so many users at the gate, their inputs made, or until `cut`. Locust's word that they are
    spawned says neither, and a burst that begins with half of its users is none.

    Returns what to tell where some were not there in time; "" when all were.
    """
    began_s, seen_s = clock(), inf
    while not cut.is_set():
        waiting, now_s = crew.status().users.waiting, clock()
        if waiting == 0 and locust_users() >= wanted:
            seen_s = min(seen_s, now_s)
        if waiting >= wanted or now_s - seen_s >= NOBODY_S:
            break
        if now_s - began_s >= GATHER_S + GATHER_USER_S * wanted:
            return f"the load began with {waiting} of {wanted} users: the others were not ready"
        gevent.sleep(LOOK_S)
    return ""
