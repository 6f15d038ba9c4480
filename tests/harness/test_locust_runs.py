"""How a run's end reaches Locust, which looks at its shape once a second."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import gevent
import pytest

from genload.harness import locust_runs
from genload.harness.locust_runs import LocustRuns


def test_what_locust_is_told_stays_the_same_while_a_run_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks once a second; at another answer it would start anew, and kill a start that takes longer."""
    monkeypatch.setattr(locust_runs, "take_classes", lambda *_: [])
    monkeypatch.setattr(locust_runs, "first_users", lambda _: 2)
    monkeypatch.setattr(locust_runs, "Staff", lambda *_: SimpleNamespace(next=lambda: (2, 2.0, [object()])))
    runs: Any = SimpleNamespace(_began=False, _first=None, web_ui=None, plan="a plan", environment=None)
    first = LocustRuns._wanted(runs)
    assert first is not None and first == LocustRuns._wanted(runs)


@pytest.mark.parametrize(
    ("web_ui", "asked", "ends_itself", "woken"),
    [
        (None, False, True, True),
        (None, True, True, False),  # it is told by the answer, and is about to quit
        (None, False, False, False),  # it has stopped the run itself
        ("page", False, True, False),  # the next run may follow
    ],
)
def test_locust_quits_when_its_run_has_ended_and_not_at_its_next_look(
    web_ui: Any, asked: bool, ends_itself: bool, woken: bool
) -> None:
    pausing = gevent.spawn(gevent.sleep, 60.0)
    runs: Any = SimpleNamespace(web_ui=web_ui, _asked=asked, runner=SimpleNamespace(shape_greenlet=pausing))
    run: Any = SimpleNamespace(wait_until_done=lambda: None, ends_itself=ends_itself)
    LocustRuns._end_with(runs, run)
    gevent.sleep(0)
    gevent.sleep(0)
    assert pausing.dead == woken
    pausing.kill()
