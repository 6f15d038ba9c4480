"""What parent and child say to each other: one JSON line each way."""

from __future__ import annotations

from typing import Any

import msgspec

from genload.runlog.records import MonitorPlan


class SamplerConfig(msgspec.Struct):
    """The line on stdin.

    Attributes:
        folder: the run directory.
        t0_monotonic_s: the monotonic clock when the run began; one machine's processes share that clock.
        host: URL of the service under test.
        monitors: settings by name, `kind` among them where it is another; secrets as references.
        longest_s: by name, up to what interval one may be slowed down whose ticks take long: as its suite has
            it, where a time scale has shortened it.
    """

    folder: str
    t0_monotonic_s: float
    host: str
    monitors: dict[str, dict[str, Any]]
    longest_s: dict[str, float] = {}


class SamplerAnswer(msgspec.Struct, omit_defaults=True):
    """The first line on stdout: what the monitors promise, or why there is no sampling."""

    plans: list[MonitorPlan] = []
    refusal: str = ""
    remedy: str = ""
    file: str = ""
    key: str = ""
