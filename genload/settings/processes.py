"""How many load generating processes a scenario needs, from what its requests cost one of them.

The costs were measured by `bench/whole.py` and `bench/streams.py` (docs/processes.md has the table). What a
suite does not say, how fast its service is, is assumed on the fast side.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from math import ceil

from genload.settings.phases import Phase, Timeline
from genload.settings.service import Service
from genload.settings.speech import SpeechRequest

WORKER_SHARE = 0.6
"""Of a core: what a process may have to do, so that it does it in time. Above it, there are to be more."""

ANSWER_US = 200.0
"""A speech request with a whole answer, decoded and judged."""
STREAMED_SECOND_US = 1800.0
"""A second of a stream: 50 chunks of 20 ms."""
JOB_US = 2300.0
"""A job, without its polls and without what the inspector's process does for it."""
POLL_US = 110.0
"""A poll over a connection of its own."""

BUSY_S = 5.0
"""Stretches of an open load, each of which has to be sent in time."""
FASTEST_ANSWER_S = 0.1
STREAM_S = 5.0
JOB_POLLS = 20
"""A job is assumed to last ten of its longest pauses between polls, and to be polled so often in them."""


def processes_for(timeline: Timeline, service: Service, think_s: float = 0.0) -> int:
    """How many processes can make this load in time; 1: it needs no workers.

    Args:
        service: as the scenario asks it.
        think_s: the shortest pause of a user before each request.
    """
    return processes_for_all([(timeline, service, think_s)])


def processes_for_all(loads: Sequence[tuple[Timeline, Service, float]]) -> int:
    """How many can make several loads at the same time, with as many phases each; see `processes_for`."""
    by_load = [[_cores(phase, service, think_s) for phase in line.phases] for line, service, think_s in loads]
    share = max(map(sum, zip(*by_load, strict=True)))
    return max(min(ceil(share / WORKER_SHARE), sum(line.max_users for line, _, _ in loads)), 1)


def _cores(phase: Phase, service: Service, think_s: float) -> float:
    """How much of a core the load of a phase takes, its users all at work."""
    request_us, request_s = _request(service)
    users_per_s = max(phase.users, phase.users_from or 0) / (request_s + think_s)
    if phase.arrivals is not None and phase.duration_s:
        users_per_s = min(users_per_s, _busiest_per_s(phase, phase.duration_s))
    return users_per_s * request_us / 1e6


def _busiest_per_s(phase: Phase, duration_s: float) -> float:
    """Arrivals a second where they come closest together: at the end of a ramp twice the phase's mean."""
    length_s = min(BUSY_S, duration_s)
    ends_s = (length_s * n for n in range(ceil(duration_s / length_s) + 1))
    come = [bisect_right(phase.due_s, end_s) for end_s in ends_s]
    return max(after - before for before, after in pairwise(come)) / length_s


def _request(service: Service) -> tuple[float, float]:
    """What a request costs in µs, and how many seconds it is assumed to take."""
    request = service.request
    if not isinstance(request, SpeechRequest):
        return JOB_US + JOB_POLLS * POLL_US, 10 * service.poll.interval_s
    if request.is_streamed:
        return STREAM_S * STREAMED_SECOND_US, STREAM_S
    return ANSWER_US, FASTEST_ANSWER_S
