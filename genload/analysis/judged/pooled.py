"""One of the runs that were judged together."""

from __future__ import annotations

import msgspec


class PooledRun(msgspec.Struct, kw_only=True, frozen=True):
    """A run of a pool, and what it is by itself.

    `duration_s` is that of its load; `failed` counts its failed requests among `requests`; `proven` says how
    many of its criteria it proves alone, or has exactly.
    """

    run: str
    start_time: str
    duration_s: float
    seed: int
    requests: int
    failed: int
    avg_duration: float | None
    p95_duration: float | None
    proven: int
