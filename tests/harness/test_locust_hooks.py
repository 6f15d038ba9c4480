"""What Locust would keep for good during a load of days."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from genload.harness.locust_hooks import HISTORY_ENTRIES, bounding_history


def test_the_history_of_charts_stays_bounded_and_spans_the_whole_run() -> None:
    runner = SimpleNamespace(stats=SimpleNamespace(history=[]))

    def update(runner: Any, timestamp: int) -> None:
        runner.stats.history.append(timestamp)

    bounded = bounding_history(update)
    for tick in range(10 * HISTORY_ENTRIES):
        bounded(runner, tick)
    history = runner.stats.history
    assert HISTORY_ENTRIES // 2 <= len(history) <= HISTORY_ENTRIES
    assert history[0] == 0 and history[-1] == 10 * HISTORY_ENTRIES - 1
    assert history == sorted(history)
