"""No criterion of a built-in suite asks for what no run can prove."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from genload import extensions
from genload.settings.criteria.ast import Comparison, Quantity
from genload.settings.criteria.comparisons import parts
from genload.settings.loader import load_suite, suite_names
from genload.settings.parts import parts_of
from genload.settings.scenario_catalogue import scenario_catalogue

SUITES = extensions.builtin_folder("config") / "suites"


def comparisons(suite_name: str) -> Iterator[tuple[str, Comparison, bool]]:
    """Each with its place, and whether it is about the share of requests of some kind."""
    suite = load_suite(suite_name, folders=[SUITES], wings=extensions.Wings()).suite
    for one in (part for name in suite.scenarios for part in parts_of(suite, name)):
        metrics = scenario_catalogue(one.suite, one.scenario, extensions.Wings()).metrics
        for criterion_name, criterion in one.load.criteria.items():
            for part in parts(criterion.expression, lambda each: ((),)):
                metric = metrics.get(part.comparison.subject.metric)
                is_share = metric is not None and metric.per is not None
                yield ".".join([*one.path, criterion_name]), part.comparison, is_share


@pytest.mark.parametrize("suite", suite_names([SUITES]))
def test_a_share_of_requests_is_held_to_no_end_of_its_range(suite: str) -> None:
    # That none of so many failed leaves a true rate above 0 open, however many they are; a count is exact.
    asked = list(comparisons(suite))
    assert asked
    unprovable = [
        place
        for place, comparison, is_share in asked
        if is_share
        and isinstance(comparison.right, Quantity)
        and (comparison.op in ("==", "!=") or comparison.right.value in (0.0, 1.0))
    ]
    assert unprovable == []
