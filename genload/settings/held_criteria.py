"""Whether the criteria of a scenario fit the capacity that it looks for."""

from __future__ import annotations

from collections.abc import Iterator

from genload.settings.capacity import Capacity
from genload.settings.criteria.ast import Comparison, Each, Subject
from genload.settings.criteria.comparisons import parts, threshold_of
from genload.settings.criteria.criterion import Criterion
from genload.settings.criteria.running import is_running
from genload.settings.criteria.subjects import subjects
from genload.settings.criteria.write import subject_text
from genload.settings.metrics.catalogue import Catalogue
from genload.settings.scenario import Scenario
from genload.settings.suggestion import suggest


def capacity_misfits(scenario: Scenario, catalogue: Catalogue) -> Iterator[tuple[list[str], str, str]]:
    """What is wrong between a scenario's capacity and its criteria: where, what, and what to do."""
    capacity = scenario.capacity
    if capacity is None:
        return
    for held in capacity.holds:
        criterion = scenario.criteria.get(held)
        if criterion is None:
            known = suggest(held, [one for one in scenario.criteria if one != "capacity"])
            yield ["capacity", "holds"], f"the scenario has no criterion '{held}'", known
            continue
        for message, remedy in _not_of_a_level(criterion, catalogue):
            yield ["criteria", held], f"{message} cannot be said of a level while the load runs", remedy
    for own, criterion in scenario.criteria.items():
        for part in parts(criterion.expression, lambda each: ()):
            if _asks_beyond(part.comparison, capacity):
                yield (
                    ["criteria", own],
                    "asks for more than the highest level of the search",
                    "raise capacity.to, or ask for less",
                )


def _not_of_a_level(criterion: Criterion, catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    if isinstance(criterion.expression, Each):
        yield f"each({criterion.expression.label})", "write a criterion without each"
        return
    for subject in subjects(criterion.expression):
        metric = catalogue.metrics.get(subject.metric)
        if subject.filters or subject.window is not None:
            plain = Subject(subject.metric, subject.stat, subject.percentile, ok_only=subject.ok_only)
            yield subject_text(subject), f"write {subject_text(plain)}: it is said of each level alone"
        elif metric is None or metric.source != "requests" or not is_running(subject, metric):
            yield subject_text(subject), "name times, rates and counts of requests, such as error_rate or p95"


def _asks_beyond(comparison: Comparison, capacity: Capacity) -> bool:
    if comparison.subject.metric != capacity.metric or comparison.op not in (">", ">=", "=="):
        return False
    # A hair of tolerance: rates are scaled.
    return threshold_of(comparison) > capacity.highest * (1 + 1e-9)
