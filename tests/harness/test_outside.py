"""Who hears of a run besides its directory, and what is said of those who could not."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from genload import tracing
from genload.harness.outside import Outside
from genload.outlets import NO_OUTLETS, Outlets
from genload.tracing.messages import Sent

from .fake_run import FakeRun


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
