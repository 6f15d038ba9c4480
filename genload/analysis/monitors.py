"""How the monitors themselves did during the load, and when the service was there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import inf
from statistics import median

import msgspec

from genload.analysis.load import Load
from genload.analysis.series import TICKS_FORGIVEN, Series, SeriesStore, ticks_owed
from genload.analysis.table import RequestTable
from genload.runlog.records import HANGS, MonitorPlan, Sample

UPTIME = "service.up"


class MonitorSummary(msgspec.Struct, kw_only=True):
    """What one monitor delivered during the load.

    A tick counts as come when it brought a number, whatever else went wrong in it.
    """

    monitor: str
    expected: int  # ticks owed
    came: int
    errors: int  # ticks with an error, whether or not they brought numbers
    last_error: str  # "" when there was none
    hung: bool  # a tick that had not ended when it was looked for
    interval_s: float = 0.0  # as planned, or as it was slowed down to
    tick_s: float = 0.0  # how long a tick that delivered took, the median

    @property
    def silent(self) -> bool:
        """Whether it never delivered, where it should have."""
        return self.came == 0 and self.expected > 0

    @property
    def failing(self) -> bool:
        """Whether a reader must hear of it: it is silent, lacks ticks, had errors or hung."""
        return self.silent or self.expected - self.came > TICKS_FORGIVEN or self.errors > 0 or self.hung


class Downtime(msgspec.Struct, kw_only=True):
    """Seconds since the run began; no end when the service was still down at the load's.

    `served` is how many requests were begun and succeeded in it: then the service was there, and only its
    probe had no answer.
    """

    start_s: float
    end_s: float | None
    served: int = 0


class Uptime(msgspec.Struct, kw_only=True):
    """When the service answered its health probe during the load, to the probe's interval.

    `share` is that of the time, as a criterion on the mean of ``service.up`` has it; of `unknown_s` nothing
    is known, because no probe was made.
    """

    share: float
    down: list[Downtime]
    unknown_s: float = 0.0
    reason: str = ""  # why the last probe without an answer had none


def monitor_summaries(
    plans: Sequence[MonitorPlan], samples: Iterable[Sample], load: Load
) -> list[MonitorSummary]:
    """One for each monitor of the run, in the suite's order."""
    ticks: dict[str, list[Sample]] = {plan.name: [] for plan in plans}
    for sample in samples:
        # A tick that hangs is told of after a while, which may be after the end.
        end_s = inf if sample.error.startswith(HANGS) else load.end_s
        if sample.monitor in ticks and load.start_s <= sample.t_s <= end_s:
            ticks[sample.monitor].append(sample)
    return [_summary(plan, ticks[plan.name], load) for plan in plans]


def _summary(plan: MonitorPlan, ticks: Sequence[Sample], load: Load) -> MonitorSummary:
    delivered = [tick for tick in ticks if tick.values]
    # A monitor that wrote its history is measured by it: the first looks before it do not count.
    history = sum(not tick.live for tick in delivered)
    failed = [tick for tick in ticks if tick.error]
    hangs = [tick for tick in failed if tick.error.startswith(HANGS)]
    return MonitorSummary(
        monitor=plan.name,
        expected=0 if plan.nothing_here else ticks_owed([(load.start_s, load.end_s)], plan.interval_s),
        came=history or len(delivered),
        errors=len(failed) - len(hangs),
        last_error=failed[-1].error if failed else "",
        hung=bool(hangs),
        interval_s=plan.interval_s,
        tick_s=median(tick.took_s for tick in delivered) if delivered else 0.0,
    )


def silent_notices(monitors: Iterable[MonitorSummary]) -> Iterator[str]:
    """A sentence on each monitor that delivered nothing during the load."""
    for each in monitors:
        if each.silent:
            why = each.last_error or "it gave no sign"
            yield f"the monitor {each.monitor} delivered nothing during the load: {why}"


def uptime(store: SeriesStore, load: Load, samples: Iterable[Sample], table: RequestTable) -> Uptime | None:
    """None when no monitor asked the service, or none of its answers came."""
    series = store.find(UPTIME)
    held = series.held([(load.start_s, load.end_s)]) if series else None
    if series is None or held is None or held.share is None:
        return None
    down = _down(series, load)
    for each in down:
        until_s = load.end_s if each.end_s is None else each.end_s
        served = table.ok & (table.start_s >= each.start_s) & (table.end_s <= until_s)
        each.served = int(served.sum())
    words = [s.error for s in samples if s.values.get(UPTIME) == 0 and load.start_s <= s.t_s <= load.end_s]
    return Uptime(
        share=held.share,
        down=down,
        unknown_s=held.unknown_s,
        reason=words[-1] if words else "",
    )


def _down(series: Series, load: Load) -> list[Downtime]:
    """From the first probe without an answer to the next that had one, or to where no probe was made."""
    spells, found = series.spells, list[Downtime]()
    off = (series.values <= 0) & (spells.within([(load.start_s, load.end_s)]) > 0)
    for begin_s, end_s in zip(series.times_s[off].tolist(), spells.end_s[off].tolist(), strict=True):
        until_s = end_s if end_s < load.end_s else None
        if found and found[-1].end_s == begin_s:
            found[-1].end_s = until_s
        else:
            found.append(Downtime(start_s=max(begin_s, load.start_s), end_s=until_s))
    return found


def broken_monitors(samples: Iterable[Sample]) -> list[str]:
    """Of each monitor whose own code has raised something: its name, where and what."""
    found: dict[tuple[str, str], str] = {}
    for sample in samples:
        if sample.raised_at:
            words = f"monitor {sample.monitor}, {sample.raised_at}: {sample.error}"
            found.setdefault((sample.monitor, sample.raised_at), words)
    return list(found.values())
