"""How many cores this process may use."""

from __future__ import annotations

import os
from pathlib import Path

_CPU_MAX = Path("/sys/fs/cgroup/cpu.max")


def cores_there() -> int:
    """Those that it may run on, or fewer where a container has a smaller share of them; at least 1."""
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota_us, period_us = map(int, _CPU_MAX.read_text(encoding="ascii").split())
    except (OSError, ValueError):  # no container, or one without a limit: "max 100000"
        return there
    return max(min(there, quota_us // period_us), 1)
