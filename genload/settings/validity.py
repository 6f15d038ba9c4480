"""When a measurement is sound: ``validity`` of a suite."""

from __future__ import annotations

from genload.settings.model import Settings
from genload.settings.units import Ratio, RealSeconds


class Validity(Settings):
    """When a measurement is not sound enough to be judged."""

    min_user_seconds: Ratio = 0.95
    """Least share of the target's user-seconds that users were really there for."""
    max_asleep: Ratio = 0.05
    """Largest share of them that users may sleep after failures, unless the suite asked for that pause."""
    clock_bound_floor_s: RealSeconds = 0.005
    """Largest clock uncertainty that is always allowed."""
    clock_bound_share: Ratio = 0.01
    """Largest clock uncertainty: the floor, or this share of the median duration if that is more."""
    lag_floor_s: RealSeconds = 0.010
    """Largest scheduling lag p99 that is always allowed."""
    lag_share: Ratio = 0.01
    """Largest scheduling lag p99: the floor, or this share of the smallest time threshold judged."""
    late_share: Ratio = 0.10
    """Largest delay p99 of an open schedule's starts: the largest lag, or this share of their interval."""
    burst_spread_floor_s: RealSeconds = 0.050
    """Time over which a burst may always start."""
    burst_spread_share: Ratio = 0.10
    """Longest time over which a burst may start: the floor, or this share of its median duration."""
    max_cpu: Ratio = 0.90
    """Largest CPU share of one core that the client's process may use …"""
    max_cpu_for_s: RealSeconds = 5.0
    """… for this long."""
    min_coverage: Ratio = 0.95
    """Least share of its ticks that a monitor must have delivered for a criterion on it."""
