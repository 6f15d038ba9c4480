"""How reports say how the monitors did, and when the service was there: whoever shows it escapes it."""

from __future__ import annotations

from genload.analysis.judged import JudgedRun
from genload.analysis.monitors import Downtime, MonitorSummary
from genload.reporting.wording import human, moment, plain

_MOST_DOWNTIMES = 5


def monitor_words(summary: MonitorSummary) -> str:
    """One monitor in a line: its ticks, what went wrong, and what it said last."""
    came = min(summary.came, summary.expected) or summary.came
    due = max(summary.expected, came)
    parts = [f"{came} of {due} ticks" if due else "no tick was due in the load"]
    if summary.errors:
        parts.append(f"{summary.errors} with an error")
    if summary.hung:
        parts.append("hung")
    last = f", the last: {plain(summary.last_error)}" if summary.last_error else ""
    return f"{summary.monitor}: {', '.join(parts)}{last}"


def uptime_words(run: JudgedRun) -> str | None:
    """The service's uptime, and the moments when it was down; None where nobody asked it."""
    if run.uptime is None:
        return None
    share = f"the service was up {human(run.uptime.share, 'ratio')} of the time"
    down = [_downtime(run, each) for each in run.uptime.down]
    if len(down) > _MOST_DOWNTIMES:
        down[_MOST_DOWNTIMES:] = [f"{len(down) - _MOST_DOWNTIMES} more times"]
    return f"{share}, down {', '.join(down)}" if down else share


def _downtime(run: JudgedRun, down: Downtime) -> str:
    begin = moment(run, down.start_s)
    if down.end_s is None:
        return f"from {begin} to the end"
    return f"from {begin} for {human(down.end_s - down.start_s, 's')}"
