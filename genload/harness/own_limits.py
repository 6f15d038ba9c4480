"""Whether this machine lets a process have all of its users: files and ports, before the load."""

from __future__ import annotations

from math import ceil
from pathlib import Path

from genload.errors import UsageError
from genload.harness.plan import RunPlan

FILES_OF_A_PROCESS = 50
"""Open files besides those of the users: 15 of Locust, the monitors, the inspector and the run directory, and
what is open for a moment only."""

_PORTS = Path("/proc/sys/net/ipv4/ip_local_port_range")


def check_limits(plan: RunPlan, processes: int = 1, of: int = 1) -> None:
    """See that the users of a plan can each have their connections.

    Args:
        processes: how many on this machine share its users.
        of: how many machines, or processes that look for themselves, share those of the plan.

    Raises:
        UsageError: not all of them; the remedy has the number.
    """
    here = [(ceil(own.timeline.max_users / of), own.service) for own in plan.populations]
    users = sum(count for count, _ in here)
    share = sum(ceil(count / processes) for count, _ in here)
    connections = sum(ceil(count / processes) * (1 + len(each.allow_origins)) for count, each in here)
    files, allowed = connections + FILES_OF_A_PROCESS, _files_allowed()
    if allowed is not None and files > allowed:
        raise UsageError(
            f"{share:,} users need {files:,} open files, and a process may have {allowed:,}",
            remedy=f"allow it more (`ulimit -n {files}`), ask for fewer users, or spread them over workers "
            "on several machines",
        )
    ports = _ports_there()
    if ports is not None and users > ports:
        raise UsageError(
            f"{users:,} users need a port each, and this machine has {ports:,} for one service",
            remedy="widen sysctl net.ipv4.ip_local_port_range, ask for fewer users, or spread them over "
            "workers on several machines",
        )


def _files_allowed() -> int | None:
    """How many files this process may open, its limit raised as far as that can be; None: any number."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return None
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard and soft != resource.RLIM_INFINITY:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (OSError, ValueError):  # macOS: no process may have all that it says
            return soft
        soft = hard
    return None if soft == resource.RLIM_INFINITY else soft


def _ports_there() -> int | None:
    """How many ports connections to one address and port can come from; None where that is not known."""
    try:
        low, high = map(int, _PORTS.read_text(encoding="ascii").split())
    except (OSError, ValueError):
        return None
    return high - low + 1
