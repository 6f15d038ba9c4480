"""What became of the metric families that a suite expects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from genload.exposition.family_state import FamilyState
from genload.runlog.records import Sample
from genload.settings.metrics.labelled import unlabelled
from genload.settings.suite import Suite

STATE = "contract.state"


class FamilyFinding(msgspec.Struct, kw_only=True):
    """One expected family; ``unknown`` when no page ever came."""

    family: str
    state: Literal["absent", "idle", "live", "unknown"]


_NAMES: dict[FamilyState, Literal["absent", "idle", "live"]] = {
    FamilyState.ABSENT: "absent",
    FamilyState.IDLE: "idle",
    FamilyState.LIVE: "live",
}


def expected_families(suite: Suite) -> list[str]:
    """Those that any of the suite's monitors expects, each once."""
    every = (family for monitor in suite.monitors.values() for family in getattr(monitor, "expects", ()))
    return list(dict.fromkeys(str(family) for family in every))


def family_findings(expected: Sequence[str], samples: Iterable[Sample]) -> list[FamilyFinding]:
    """The last state of each expected family, in the suite's order.

    Args:
        samples: of the whole run; a state is written when it changes.
    """
    states: dict[str, FamilyState] = {}
    for sample in samples:
        for name, value in sample.values.items():
            if name.startswith(STATE):
                states[unlabelled(name)[1]["family"]] = FamilyState(int(value))
    return [
        FamilyFinding(family=family, state=_NAMES[states[family]] if family in states else "unknown")
        for family in expected
    ]
