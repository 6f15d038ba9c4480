"""What runs are compared with when they have ended; looked for before they begin."""

from __future__ import annotations

from collections.abc import Sequence

from genload.targets import SuiteTarget


def check_baselines(targets: Sequence[SuiteTarget]) -> None:
    """See that each scenario has something to be compared with, where one is named.

    Raises:
        UsageError: no such baseline, or it has no run of a scenario.
        RunDirectoryError: it cannot be read.
    """
    for target in targets:
        if (named := target.suite.baseline) is not None:
            # Here, not above: a run without a baseline needs none of it.
            from genload.reporting.baselines import find_baseline

            for scenario in target.scenarios:
                find_baseline(named, target.suite.name, scenario)
