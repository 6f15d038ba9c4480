"""How Locust deals users out to workers, so that each knows which numbers its own have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from genload.harness.tickets import Share


def in_order(worker_ids: Iterable[str]) -> list[str]:
    """Workers in the order in which each in turn gets a user: one of each host, then the second of each, …

    Args:
        worker_ids: Locust's, which begin with the name of the host.
    """
    of_host: Counter[str] = Counter()
    order = []
    for worker_id in sorted(worker_ids):
        host = worker_id.partition("_")[0]
        order.append((of_host[host], worker_id))
        of_host[host] += 1
    return [worker_id for _, worker_id in sorted(order)]


def shares(place: int, workers: int, users: Sequence[int]) -> list[Share]:
    """The shares of the worker at `place`, one of each population: Locust is asked for all users of the
    first, then for all of the second, and goes on with the next worker each time.

    Args:
        users: how many each population has at most. A single one may have fewer, and more of them later.
    """
    before = 0
    found = []
    for count in users:
        found.append(Share((place - before) % workers, workers))
        before += count
    return found
