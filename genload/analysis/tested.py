"""What was tested: what the suite said where to read, and what the monitors know of what they measure."""

from __future__ import annotations

from collections.abc import Iterable

from genload.runlog.records import Event, Identified, MonitorPlan, Sample
from genload.settings.service import UNKNOWN_FACT
from genload.settings.suite import Suite


def tested(
    suite: Suite, events: Iterable[Event], samples: Iterable[Sample], plans: Iterable[MonitorPlan] = ()
) -> tuple[dict[str, str], list[str]]:
    """The facts by name, the suite's first and in its order, then those of monitors; and what to tell of
    facts that a monitor should have known and did not. Of others the run itself has told.
    """
    read = {
        name: text for event in events if isinstance(event, Identified) for name, text in event.facts.items()
    }
    known = {plan.name: {plan.name: plan.nothing_here} for plan in plans if plan.nothing_here}
    not_here = frozenset(known)
    for sample in samples:
        if sample.facts:
            known.setdefault(sample.monitor, {}).update(sample.facts)
    facts: dict[str, str] = {}
    missing = []
    for name, source in suite.service.identity.items():
        own = known.get(source.monitor or "", {})
        if name in read or source.monitor is None:
            facts[name] = read.get(name, UNKNOWN_FACT)
        elif source.field in own:
            facts[name] = own.pop(source.field)
        elif source.monitor in not_here:
            facts[name] = UNKNOWN_FACT
        elif source.field is not None or not own:
            facts[name] = UNKNOWN_FACT
            what = source.field or "what it measures"
            missing.append(f"what was tested: no {name}: the monitor {source.monitor} did not say {what}")
    of_monitors = {name: text for own in known.values() for name, text in own.items()}
    return facts | {name: text for name, text in of_monitors.items() if name not in facts}, missing
