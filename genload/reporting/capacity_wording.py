"""How reports say how much a service holds."""

from __future__ import annotations

from collections.abc import Iterator

from genload.analysis.capacity.words import rate
from genload.analysis.judged.capacity import Capacity, LevelResult
from genload.human import human


def level_name(found: Capacity, level: LevelResult) -> str:
    """How much it is, as ``4 users`` or ``30/min``."""
    if found.of == "rate":
        return rate(level.value)
    return f"{human(level.value, 'count')} {'user' if level.value == 1 else 'users'}"


def capacity_findings(found: Capacity) -> Iterator[tuple[str, str]]:
    """Title and text of what is said beside the table of levels."""
    if found.needs:
        yield "what would narrow it", "; ".join(found.needs)
    if found.limited_by:
        yield "what limited it", "; ".join(found.limited_by)
    for level in found.levels:
        for reason in level.reasons:
            yield f"level of {level_name(found, level)} not valid", f"{reason.text} → {reason.remedy}"
    if (drawn := found.saturation) is not None:
        until = "" if drawn.slots is None else f", up to {human(drawn.slots, '')} at once"
        yield (
            "for comparison",
            f"users who never queue would make N ÷ {human(drawn.cycle_seconds, 's')}{until}; "
            f"a bound may be wrong in 5 % ÷ {found.looks} looks",
        )
