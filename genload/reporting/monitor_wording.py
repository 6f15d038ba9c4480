"""How reports say how the monitors did, and when the service was there: whoever shows it escapes it."""

from __future__ import annotations

from genload.analysis.judged import JudgedRun
from genload.analysis.monitors import Downtime, MonitorSummary
from genload.human import count_of, human
from genload.plain import plain
from genload.reporting.wording import moment

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
    if summary.came < due and summary.tick_s > summary.interval_s:
        tick, interval = human(summary.tick_s, "s"), human(summary.interval_s, "s")
        parts.append(f"each took {tick}, longer than its interval of {interval}: give it a longer one")
    last = f", the last: {plain(summary.last_error)}" if summary.last_error else ""
    return f"{summary.monitor}: {', '.join(parts)}{last}"


def uptime_words(run: JudgedRun) -> str | None:
    """The service's uptime, and the moments when it was down; None where nobody asked it."""
    found = run.uptime
    if found is None:
        return None
    share = human(found.share, "ratio")
    times = [_downtime(run, each) for each in found.down]
    if len(times) > _MOST_DOWNTIMES:
        times[_MOST_DOWNTIMES:] = [f"{len(times) - _MOST_DOWNTIMES} more times"]
    served = sum(each.served for each in found.down)
    if served:  # then it was there, and only its probe had no answer
        text = (
            f"the health probe had an answer {share} of the time, and none {', '.join(times)}; "
            f"{count_of(served, 'request')} succeeded meanwhile, so the service was there"
        )
        text += f": {plain(found.reason)}" if found.reason else ""
    else:
        text = f"the service was up {share} of the time"
        if times:  # users that wait in vain make few requests: the error rate alone would look small
            failed = human((run.overall.error_rate or 0.0) / 100, "ratio")
            text += f", down {', '.join(times)}; of the requests {failed} failed"
    if found.unknown_s:
        text += f"; of {human(found.unknown_s, 's')} nothing is known, as no probe was made"
    return text


def _downtime(run: JudgedRun, down: Downtime) -> str:
    begin = moment(run, down.start_s)
    if down.end_s is None:
        return f"from {begin} to the end"
    return f"from {begin} for {human(down.end_s - down.start_s, 's')}"
