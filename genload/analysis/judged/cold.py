"""What reports show of a service's first answer after a time without work."""

from __future__ import annotations

import msgspec


class ColdStart(msgspec.Struct, kw_only=True):
    """One answer, beside those of the load. Seconds.

    `after`: ``start``, the first request of the run, before which nobody knows what the service did; or
    ``idle``: `idle` seconds without a request came before it. `duration` and `ttfa` (of speech) are None
    where it failed, with `error_class`. `warm_` are of the load's requests with the same class of length,
    over every attempt: None where there is none, or failed ones reach it. `times_slower` is duration ÷ warm
    p50.
    """

    after: str
    idle: float | None
    duration: float | None
    ttfa: float | None
    error_class: str
    warm_requests: int
    warm_p50: float | None
    warm_p95: float | None
    warm_p50_ttfa: float | None
    times_slower: float | None
