"""How an open load was kept: who came, and who was let in when."""

from __future__ import annotations

import msgspec


class Arrivals(msgspec.Struct, kw_only=True):
    """The arrivals of an open load that was planned, and the delays of those that were started, in seconds
    after their moment: None where none was. That of `late` of them was longer than `validity.lag_floor`."""

    planned: int
    started: int
    late: int
    max_in_flight: int  # as the shape allows
    p50_start_delay: float | None
    p99_start_delay: float | None
    max_start_delay: float | None
