"""Who hears of a run besides its directory, and what is said of those who could not."""

from __future__ import annotations

import gc
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from genload import tracing
from genload.harness.live import LiveStats, followed
from genload.harness.outside import Outside
from genload.outlets import NO_OUTLETS, Outlets
from genload.tracing.messages import Sent

from .fake_run import WATCHED, FakeRun


def test_nobody_hears_of_a_run_unless_it_was_asked_for(tmp_path: Path) -> None:
    outside, run = Outside(NO_OUTLETS), FakeRun(tmp_path)
    run.folder = tmp_path
    plan: Any = run.plan
    assert (outside.wants_verdict, outside.watched(plan)) == (False, ())
    outside.began(run, tmp_path)  # type: ignore[arg-type]
    outside.recorded(lambda code, text: pytest.fail(text))
    outside.concluded(run, tmp_path)  # type: ignore[arg-type]
    outside.linger()
    assert list(tmp_path.iterdir()) == []


def calls_of(watched: Sequence[str], folder: Path) -> Counter[str]:
    """Every call, of Python and of C, that counting 600 records makes."""
    plan, run = FakeRun(folder).plan, FakeRun(folder)
    run.live = LiveStats("generate", run.samples, followed(plan.scenario, plan.catalogue, watched))
    found: Counter[str] = Counter()

    def seen(frame: Any, event: str, what: Any) -> None:
        if event in ("call", "c_call"):
            found[frame.f_code.co_qualname if event == "call" else what.__qualname__] += 1

    gc.disable()  # what it ends would be counted, too
    sys.setprofile(seen)
    try:
        for n in range(600):
            run.add(1.0 + n / 100, upload=0.1, run=0.9)
        run.live.phases  # noqa: B018  those that wait are counted now
    finally:
        sys.setprofile(None)
        gc.enable()
    return found


def test_a_record_that_nobody_watches_costs_not_one_call(tmp_path: Path) -> None:
    plan: Any = FakeRun(tmp_path).plan
    calls_of((), tmp_path)  # what is asked for once is known from here on
    without = calls_of((), tmp_path)
    assert without and calls_of(Outside(NO_OUTLETS).watched(plan), tmp_path) == without
    assert calls_of(WATCHED, tmp_path).total() > without.total()


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (Sent(sent=7), []),
        (Sent(sent=7, lost=3, reason="refused"), ["3 of 10 spans were not sent", "refused"]),
        (Sent(reason="killed"), ["some or all of the spans were not sent", "killed"]),
    ],
)
def test_traces_that_were_not_sent_are_told_of_once(
    sent: Sent,
    told: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tracing, "start_tracing", lambda folder: SimpleNamespace(stop=lambda: sent))
    outside, run = Outside(Outlets(traces=True)), FakeRun(tmp_path)
    run.folder = tmp_path
    outside.began(run, tmp_path)  # type: ignore[arg-type]
    notices: list[tuple[str, str]] = []
    for _ in range(2):
        outside.recorded(lambda code, text: notices.append((code, text)))
    assert [code for code, _ in notices] == ["traces"] * bool(told)
    assert all(words in text for _, text in notices for words in told)
