"""How reports show what polls leave open, and what was tried again."""

from __future__ import annotations

import io
from collections.abc import Callable
from math import inf
from pathlib import Path

import jsonschema
import pytest
from rich.console import Console

from genload import console
from genload.analysis.judged import (
    CriterionVerdict,
    JudgedRun,
    JudgedSuite,
    Retries,
    ShortestDurations,
    StageSummary,
    StageTimes,
    WaitedOut,
)
from genload.extensions import load
from genload.reporting.request_wording import human_range

from .judged_jobs import criterion, summary

markdown, results = load("reports", "markdown"), load("reports", "results_json")
MakeRun = Callable[..., JudgedRun]

RETRIES = Retries(
    waited_out=[
        WaitedOut(call="poll", count=12, seconds=60.0),
        WaitedOut(call="upload", count=1, seconds=5.0),
    ],
    lost_polls=3,
    share_of_mean=0.78,
)


def told(run: JudgedRun) -> str:
    output = io.StringIO()
    Console(file=output, width=500, color_system=None).print(console.verdict_view(run, verbose=True))
    return output.getvalue()


@pytest.mark.parametrize(
    ("value", "low", "high", "unit", "text"),
    [
        (1.87, 1.47, 1.87, "s", "1.47–1.87 s"),
        (1.2, 0.98, 1.2, "s", "980 ms – 1.2 s"),
        (2.0, 0.0, 2.0, "s", "0–2 s"),
        (1.0, 0.792, 1.324, "ratio", "79.2–132.4 %"),
        (82.1, 81.3, 82.1, "s", "82.1 s"),  # less than 1 % of it
        (82.1, 80.0, 82.1, "s", "80–82.1 s"),
        (82.1, None, None, "s", "82.1 s"),
        (inf, None, None, "s", "∞"),
        (1.0, 0.5, None, "ratio", "100 %"),
        (None, None, None, "s", "–"),
    ],
)
def test_a_number_is_a_range_where_polls_leave_open_more_than_a_hundredth_of_it(
    value: float | None, low: float | None, high: float | None, unit: str, text: str
) -> None:
    assert human_range(value, low, high, unit) == text


def open_run(make_run: MakeRun) -> JudgedRun:
    shortest = ShortestDurations(
        avg_duration=70.0,
        min_duration=69.0,
        max_duration=72.0,
        p50_duration=70.0,
        p95_duration=71.0,
        p99_duration=71.5,
    )
    least, most = (StageTimes(mean=n, p50=n, p95=n, max=n) for n in (60.0, 90.0))
    stages = {
        "queue": StageSummary(count=5, mean=80.0, p50=80.0, p95=80.0, max=80.0, shortest=least, longest=most),
        "download": StageSummary(count=5, mean=1.0, p50=1.0, p95=1.0, max=1.0),
    }
    open_one: CriterionVerdict = criterion(
        "fast",
        expression="generate.duration.mean < 80s",
        result="inconclusive",
        value=82.1,
        low=70.0,
        high=82.1,
        unit="s",
        evidence=None,
        bound=None,
        assumption=None,
        needs="more polls: service.poll.interval: 200ms should decide",
    )
    run = make_run(overall=summary(shortest=shortest), stages=stages)
    run.verdict.criteria = [open_one]
    return run


def test_ranges_stand_in_every_report(make_run: MakeRun, tmp_path: Path) -> None:
    run = open_run(make_run)
    terminal = told(run)
    assert "70–82.1 s" in terminal and "service.poll.interval: 200ms should decide" in terminal
    assert "mean 70–82.1 s (ranges: what polls leave open of when jobs ended)" in terminal
    suite = JudgedSuite(suite="orfeas", runs=[run], missing=[], exit_code=3)
    [path] = markdown.render(suite, tmp_path)
    text = path.read_text(encoding="utf-8")
    assert "| 70–82.1 s | 71–84.8 s |" in text
    assert "| queue | 60–90 s | 60–90 s | 60–90 s | 60–90 s |" in text and "| download | 1 s |" in text
    assert "Ranges: what polls leave open of when jobs ended." in text
    document = results.results(run)
    jsonschema.validate(written := results.msgspec.to_builtins(document), results.schema())
    assert (written["avg_duration"], written["shortest"]["avg_duration"]) == (82.1, 70.0)
    assert written["stages"]["queue"]["longest"]["mean"] == 90.0
    assert "longest" not in written["stages"]["download"] and "shortest" not in written["warmup"]
    (one,) = written["verdict"]["criteria"]
    assert (one["low"], one["high"], one["value"]) == (70.0, 82.1, 82.1)


def test_without_polls_nothing_is_said_of_ranges(make_run: MakeRun) -> None:
    assert "ranges" not in told(make_run())


def test_what_was_tried_again_stands_in_every_report(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run(retries=RETRIES)
    waited = (
        "poll × 12 (60 s); upload × 1 (5 s); where polls are refused, a longer service.poll.interval "
        "(adaptive: false) asks less often, and service.retry (max_retries, default_wait, max_wait) waits "
        "for longer"
    )
    terminal = told(run)
    assert f"refusals waited out: {waited}" in terminal
    assert "polls without an answer: 3, asked again" in terminal
    assert "mean 82.1 s (78 % of it are genload's own pauses after refusals)" in terminal
    [path] = markdown.render(JudgedSuite(suite="orfeas", runs=[run], missing=[], exit_code=0), tmp_path)
    text = path.read_text(encoding="utf-8").replace("\\", "")
    assert f"- refusals waited out: {waited}" in text
    assert "- the mean duration: 78 % of it are genload's own pauses after refusals" in text
    document = results.msgspec.to_builtins(results.results(run))
    assert document["retries"] == results.msgspec.to_builtins(RETRIES)


def test_pauses_that_are_less_than_half_of_the_mean_are_only_counted(make_run: MakeRun) -> None:
    few = Retries(
        waited_out=[WaitedOut(call="upload", count=1, seconds=5.0)], lost_polls=0, share_of_mean=0.2
    )
    terminal = told(make_run(retries=few))
    assert "refusals waited out: upload × 1 (5 s)\n" in terminal.replace(" \n", "\n").replace("  ", "")
    assert "own pauses" not in terminal and "asked again" not in terminal
    assert "waited" not in told(make_run())
