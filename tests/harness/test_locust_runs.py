"""How a run's end reaches Locust, which looks at its shape once a second."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import gevent
import pytest

from genload.harness.locust_runs import LocustRuns


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
