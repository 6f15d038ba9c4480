"""A search's answer as a sentence that a person can repeat, and what would narrow it."""

from __future__ import annotations

from collections.abc import Iterator

from genload.analysis.judged import CriterionVerdict
from genload.analysis.judged.capacity import Capacity, LevelResult
from genload.human import human
from genload.settings.criteria.ast import Dimension

NOUNS = {"speech": "listener", "generate": "user"}
"""Who is at work, by the operation."""

_SIGNS = {"<=": "≤", ">=": "≥", "==": "=", "!=": "≠"}


def sentence_of(found: Capacity, operation: str) -> str:
    """All of it in one sentence."""
    return "; ".join([_found(found, operation), *_not_proven(found)])


def needs_of(found: Capacity) -> list[str]:
    """What more would decide at the two levels next to the answer."""
    words = []
    for value, outcome in ((found.highest_observed, "holds"), (found.lowest_observed_not, "does not hold")):
        levels = [one for one in found.levels if one.value == value and one.outcome == outcome]
        if levels and not any(one.proven for one in levels):
            words.append(f"at {_value(found, levels[-1].value)}: {_lacking(levels[-1])}")
    return words


def _found(found: Capacity, operation: str) -> str:
    noun = NOUNS.get(operation, "user") if found.of == "users" else ""
    low, high = found.highest_observed, found.lowest_observed_not
    prefix = {
        "interrupted": "interrupted: so far it ",
        "broken off": "broken off: so far it ",
        "invalid": "no capacity, for a level could not be measured soundly: below it, it ",
        "not monotone": f"not monotone, for {_contradiction(found)}: below that, it ",
    }.get(found.end, "")
    if found.end == "not even one":
        return f"does not even hold {_value(found, found.lowest, noun)}: {_why(found, high)}"
    if low is None:
        return f"{prefix}held no level" if prefix else "held no level"
    text = f"{prefix}holds {_value(found, low, noun)}"
    if found.end == "beyond the range":
        return f"{text}, the end of the range: it may hold more"
    return text if high is None else f"{text}; at {_value(found, high)} {_why(found, high)}"


def _contradiction(found: Capacity) -> str:
    if not found.contradictions:
        return "levels contradict each other"
    low, high = found.contradictions[0]
    if low == high:
        return f"{_value(found, low)} held and, measured again, did not"
    return f"{_value(found, high)} held and {_value(found, low)} did not"


def _not_proven(found: Capacity) -> Iterator[str]:
    low, high = found.highest_observed, found.lowest_observed_not
    if low is not None and found.highest_proven != low:
        yield f"{_value(found, low)} is not proven{_more(found, low, 'holds')}"
    if high is not None and found.lowest_proven_not != high and found.end not in ("invalid",):
        yield f"that {_value(found, high)} is too much is not proven{_more(found, high, 'does not hold')}"
    if low is not None and found.highest_proven == low and found.lowest_proven_not == high:
        yield "both are proven"


def _more(found: Capacity, value: float, outcome: str) -> str:
    levels = [one for one in found.levels if one.value == value and one.outcome == outcome]
    words = _lacking(levels[-1]) if levels else ""
    return f": {words}" if words else ""


def _lacking(level: LevelResult) -> str:
    """What the level's criteria need to be proven: all of them, or one that does not hold."""
    is_held = level.outcome == "holds"
    open_ones = [one for one in level.criteria if (one.result == "pass") == is_held]
    told = [f"{one.name} needs {_needs(one)}" for one in open_ones if one.evidence != "proven"]
    return "; ".join(told if is_held else told[:1])


def _needs(criterion: CriterionVerdict) -> str:
    if criterion.evidence == "exact":
        return "a rate in the place of a count, which is a fact about these requests and proves nothing"
    return criterion.needs or "a longer measurement"


def _why(found: Capacity, value: float | None) -> str:
    """Which criterion does not hold at a level, and how far it is off."""
    level = next((x for x in found.levels if x.value == value and x.outcome == "does not hold"), None)
    for one in level.criteria if level is not None else ():
        if one.op is not None and one.value is not None and one.result != "pass":
            sign = _SIGNS.get(one.op, one.op)
            is_now, must_be = human(one.value, one.unit), human(one.threshold, one.unit)
            return f"{one.name} does not hold ({is_now}, must be {sign} {must_be})"
    return "it does not"


def _value(found: Capacity, value: float, noun: str = "") -> str:
    number = amount_of(value, found.unit)
    return f"{number} {noun if value == 1 else noun + 's'}" if noun else number


def amount_of(value: float, unit: str) -> str:
    """A level: users, or a rate."""
    return rate(value) if unit == Dimension.RATE else human(value, Dimension.COUNT)


def rate(per_s: float) -> str:
    """As people say it: by the hour where a minute has less than two."""
    return human(per_s, Dimension.RATE) if per_s >= 2 / 60 else f"{human(per_s * 3600, '')}/h"
