"""How long a job is left alone between two polls.

The pauses of all jobs of a process end on a common grid, because waking up is expensive: the first poll after
a time without work takes fifteen times as long as the polls right after it, for no data is in a cache. The
grid is much finer than the jitter, so that users do not poll in step: of 5,000 users with 2 s ± 20 %, 100
poll together every 40 ms.
"""

from __future__ import annotations

from random import Random

from genload.settings.service import Service

_LONGEST_GRID_S, _SHORTEST_GRID_S = 0.040, 1e-6
_GRIDS_A_SPREAD = 10
_MOST_DOUBLINGS = 20
_RARELY = 10


def poll_pause_s(
    service: Service, age_s: float, now_s: float, rng: Random, *, refusals: float = 0.0, rarely: bool = False
) -> float:
    """The pause before the next poll of a job that was accepted `age_s` ago: `service.poll` × (1 ± jitter).

    Args:
        now_s: monotonic.
        refusals: polls of this job that were refused for now; after each the pause becomes twice as long, up
            to the longest one between retries.
        rarely: the service tells of the job by itself, and polls are for what it forgets: ten times the
            longest of `service.poll`.
    """
    poll = service.poll
    middle_s = poll.pause_s(age_s) if poll.adaptive and not rarely else poll.interval_s
    if rarely:  # an update that its service never sent must not keep a user until the deadline
        middle_s *= _RARELY
    if refusals:
        slower_s = middle_s * 2 ** min(refusals, _MOST_DOUBLINGS)
        middle_s = min(slower_s, max(middle_s, service.retry.max_wait_s))
    spread_s = middle_s * poll.jitter
    grid_s = min(_LONGEST_GRID_S, spread_s / _GRIDS_A_SPREAD)
    pause_s = middle_s + (spread_s - grid_s / 2) * (2 * rng.random() - 1)
    return pause_s if grid_s < _SHORTEST_GRID_S else round((now_s + pause_s) / grid_s) * grid_s - now_s
