"""What Locust would keep for good during a load of days, and send beside us."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from locust import main

from genload.harness.locust_hooks import HISTORY_ENTRIES, bounding_history, send_own_traces


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


def test_locust_s_own_traces_are_not_set_up(monkeypatch: pytest.MonkeyPatch) -> None:
    locust_main: Any = main
    theirs = locust_main.setup_opentelemetry
    monkeypatch.setattr(locust_main, "setup_opentelemetry", theirs)
    # Looked up when the options are known, after the locustfile was read.
    assert "setup_opentelemetry" in locust_main.main.__code__.co_names
    send_own_traces()
    assert locust_main.setup_opentelemetry("locustfile.py", None) is True
    assert locust_main.setup_opentelemetry is not theirs
