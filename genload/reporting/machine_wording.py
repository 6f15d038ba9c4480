"""How reports say what the machines did and what it cost: memory, speed, monitors, metrics, energy.

What a monitor or a service said itself is escaped by whoever shows it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from genload.analysis.contract import FamilyFinding
from genload.analysis.judged import JudgedRun
from genload.analysis.judged.efficiency import Efficiency, Energy, GpuTime, Sharing
from genload.analysis.judged.trends import SHORTEST_S, Incidents, LevelChange, MemoryTrend, Trends
from genload.analysis.monitors import Downtime, MonitorSummary
from genload.analysis.reconciliation import Comparison
from genload.human import count_of, human
from genload.plain import plain
from genload.reporting.wording import moment

# --- what became of memory and speed -------------------------------------------------------------

_KINDS = {
    "none": "no change is shown",
    "step": "one step, level before and after it",
    "filling": "grows and flattens, as a cache does that fills",
    "leak": "grows on in the second half: a leak",
    "growing": "grows; whether it goes on, the second half alone does not show",
    "slight": "grows, too little to say",
    "short": f"grows, watched too short to say: a leak shows in {human(SHORTEST_S, 's')} or more",
    "falling": "falls",
}


def trend_findings(trends: Trends) -> Iterator[tuple[str, str]]:
    """Title and text of each finding: level and growth of each memory, then the speed."""
    for memory in trends.memory:
        yield f"{memory.metric}, idle", _level(memory.level)
        yield f"{memory.metric}, under load", _growth(memory)
        if memory.incidents is not None:
            yield f"{memory.metric}, meanwhile", coincidence(memory.incidents)
    if trends.slower is not None:
        yield _slower(trends.slower)


def notable_trends(trends: Trends) -> Iterator[tuple[str, str]]:
    """Title and text of each change for the worse that is shown, with what came with it."""
    for memory in trends.memory:
        if memory.kind not in (None, "none", "slight", "falling"):
            text = _growth(memory)
            if memory.incidents is not None and memory.incidents.coinciding:
                text += f"; {coincidence(memory.incidents)}"
            yield memory.metric, text
    if trends.slower is not None:
        yield _slower(trends.slower)


def _slower(incidents: Incidents) -> tuple[str, str]:
    return "duration", f"the last part of the load is slower than the first; {coincidence(incidents)}"


def _level(level: LevelChange) -> str:
    if level.missing:
        return f"no comparison of before and after: {level.missing}"
    before, after = human(level.before, "bytes"), human(level.after, "bytes")
    return f"{before} before the load, {after} after it ({_signed(level.change)})"


def _growth(memory: MemoryTrend) -> str:
    if memory.kind is None:
        return f"inconclusive: {memory.missing}"
    parts = [_KINDS[memory.kind]]
    if memory.step_at_s is not None:
        parts.append(f"{_signed(memory.step, 'bytes')} {human(memory.step_at_s, 's')} after the load began")
    else:
        bounds = f"95 % bounds {_signed(memory.growth_low)} and {_signed(memory.growth_high)}"
        parts.append(f"{_signed(memory.growth)} over the load ({bounds}; {memory.blocks} blocks of jobs)")
    if memory.kind == "slight":
        parts.append(f"less than {human(memory.matters, 'ratio')} does not matter here")
    if memory.exhausted_after_s is not None:
        left = human(memory.exhausted_after_s, "s")
        parts.append(f"nothing is left {left} after the load if that goes on ({memory.limit})")
    return "; ".join(parts)


def _signed(value: float | None, unit: str = "ratio") -> str:
    if value is None:
        return human(value, unit)
    return f"{'−' if value < 0 else '+'}{human(abs(value), unit)}"


def coincidence(incidents: Incidents) -> str:
    """Whether throttling, restarts or errors came with a change, and which of these nobody watched."""
    words = {
        "throttling": f"the GPU throttled in {human(incidents.throttled, 'ratio')} of the samples",
        "errors": count_of(incidents.errors, "failed request"),
        "a restart": f"{count_of(incidents.restarts or 0, 'restart')} of the service",
    }
    unwatched = {"throttling": incidents.throttled is None, "restarts": incidents.restarts is None}
    found = [words[name] for name in incidents.coinciding]
    text = f"coincides with {', '.join(found)}" if found else "nothing seen that coincides with it"
    blind = [name for name, is_so in unwatched.items() if is_so]
    return f"{text} (not watched: {', '.join(blind)})" if blind else text


# --- how the monitors did, and when the service was there ----------------------------------------

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


# --- which expected metrics a service has, and how its counts differ from the client's -----------

_STATES = {"unknown": "no page came", "absent": "absent", "idle": "there, never moved", "live": "live"}
_MOST_NAMED = 3


def families(found: Sequence[FamilyFinding]) -> Iterator[tuple[str, list[str]]]:
    """The families of each state that there is, in its words, the worst first."""
    for state, words in _STATES.items():
        names = [one.family for one in found if one.state == state]
        if names:
            yield words, names


def lacking_words(found: Sequence[FamilyFinding]) -> str | None:
    """How many expected families are not live, in a line, and which where these are few; None: all are."""
    parts = [
        f"{words}: {', '.join(names)}"
        if len(names) <= _MOST_NAMED
        else f"{len(names)} of {len(found)} {words}"
        for words, names in families(found)
        if words != _STATES["live"]
    ]
    return "; ".join(parts) or None


def live_words(run: JudgedRun) -> str | None:
    """Which series of the same pages move, to use in the place of expected ones that do not; None: none."""
    moved = {one.metric for one in run.series if one.count and (one.min != one.max or one.last)}
    pages = [each for each in run.effective.get("monitors", {}).values() if each.get("expects")]
    named = [
        f"{metric} ({selector})"
        for page in pages
        for metric, selector in (page.get("series") or {}).items()
        if metric in moved
    ]
    return f"live on the same page: {', '.join(named)}" if named else None


def counted(run: JudgedRun, one: Comparison, metric: str) -> str:
    """One count, here and there, without what a difference means. Empty where one of them is not known.

    Args:
        metric: its name, as the report shows names.
    """
    if one.client is None or one.server is None:
        return ""
    when = "" if one.at_s is None else f" at {moment(run, one.at_s)}"
    return f"{human(one.client, '')} here, {human(one.server, '')} in {metric}{when}"


# --- what an output cost -------------------------------------------------------------------------


def efficiency_findings(found: Efficiency) -> Iterator[tuple[str, str]]:
    """Title and text of each finding."""
    if found.energy is not None:
        yield "energy", _energy(found.energy)
    if found.gpu_time is not None:
        yield "GPU time", _gpu_time(found.gpu_time)
    if found.cost is not None:
        currency = found.cost.currency
        text = f"{human(found.cost.per_1000_outputs, currency)} per 1000 outputs"
        if found.cost.per_audio_hour is not None:
            text += f", {human(found.cost.per_audio_hour, currency)} per hour of audio"
        yield "cost", f"{text} ({found.gpus} GPU, {human(found.seconds, 's')}, {found.outputs} outputs)"
    if found.sharing is not None:
        yield "board", sharing_text(found.sharing)


def cost_words(found: Efficiency) -> str | None:
    """What one output cost, in a line; None where nothing of it is known."""
    parts = []
    if found.energy is not None:
        parts.append(human(found.energy.per_output, "J"))
    if found.gpu_time is not None:
        parts.append(f"{human(found.gpu_time.per_output, 's')} of GPU time")
    if found.cost is not None:
        parts.append(f"{human(found.cost.per_1000_outputs, found.cost.currency)} a thousand")
    return ", ".join(parts) or None


def _energy(energy: Energy) -> str:
    text = f"{human(energy.per_output, 'J')} an output"
    if energy.per_audio_second is not None:
        text += f", {human(energy.per_audio_second, 'J')} a second of audio"
    if energy.per_output_above_idle is None:
        return f"{text}, idling included ({energy.metric}; no idle level was seen before the load)"
    above = f"{human(energy.per_output_above_idle, 'J')} an output"
    if energy.per_audio_second_above_idle is not None:
        above += f", {human(energy.per_audio_second_above_idle, 'J')} a second of audio"
    return f"{text}; above idle ({human(energy.idle_watts, 'W')}) {above} ({energy.metric})"


def _gpu_time(gpu_time: GpuTime) -> str:
    text = f"{human(gpu_time.per_output, 's')} an output"
    if gpu_time.per_audio_second is not None:
        text += f", {human(gpu_time.per_audio_second, 's')} a second of audio"
    return text


def sharing_text(sharing: Sharing) -> str:
    """Whether others were on the board, in one sentence."""
    if sharing.shared:
        return f"shared: {', '.join(sharing.others)} worked on it too, which is in these numbers"
    if sharing.shared is False:
        return "not shared: only the service's processes were on it"
    if sharing.processes is None:
        return "whether it was shared is not known: no process on it could be seen"
    return (
        f"whether it was shared is not known: {sharing.processes} processes were on it, and which are the "
        "service's is for `processes` of the gpu monitor to say"
    )
