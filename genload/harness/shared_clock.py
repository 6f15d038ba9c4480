"""Whether two processes read the same monotonic clock."""

from __future__ import annotations

from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_NAMESPACE = Path("/proc/self/ns/time")


def clock_name() -> str:
    """The same in all processes that read one clock: those of a machine since it was started, also in its
    containers. "" where that cannot be known."""
    try:
        return f"{_BOOT.read_text(encoding='ascii').strip()} {_NAMESPACE.readlink()}"
    except OSError:
        return ""
