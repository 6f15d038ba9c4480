"""What Locust would keep for good during a load of days, and send beside us."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from locust import env, main, runners

from genload.harness.locust_hooks import HISTORY_ENTRIES, apply, bounding_history, send_own_traces


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


def test_no_source_is_looked_up_when_locust_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs: Any = runners
    methods = vars(runners.Runner).items()
    assert [name for name, each in methods if "inspect" in _names_in(each)] == ["stop"]  # and no other
    apply()
    assert theirs.inspect is None
    runner = env.Environment().create_local_runner()
    runner.start(0, 1)
    runner.stop()
    assert runner.state == runners.STATE_STOPPED


def _names_in(member: object) -> tuple[str, ...]:
    code = getattr(member, "__code__", None)
    return () if code is None else code.co_names
