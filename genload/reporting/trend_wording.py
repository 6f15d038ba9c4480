"""How reports say what became of memory and speed: a line on each finding."""

from __future__ import annotations

from collections.abc import Iterator

from genload.analysis.judged.trends import SHORTEST_S, Incidents, LevelChange, MemoryTrend, Trends
from genload.human import count_of, human

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
