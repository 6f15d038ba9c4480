"""What reports say of trends: plain sentences, and in the files nothing where nothing was watched."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from genload.analysis.judged import JudgedRun, JudgedSuite
from genload.analysis.judged.trends import LevelChange, Trends
from genload.extensions import load
from genload.reporting.machine_wording import coincidence, notable_trends, trend_findings

from .findings import GIB, incidents, leak


def test_a_leak_is_told_from_its_level_to_the_time_that_is_left() -> None:
    memory = leak(exhausted_after_s=7200.0, limit="gpu.memory_free", incidents=incidents(restarts=None))
    assert list(trend_findings(Trends(memory=[memory]))) == [
        ("gpu.memory_used, idle", "1 GiB before the load, 1.5 GiB after it (+50 %)"),
        (
            "gpu.memory_used, under load",
            "grows on in the second half: a leak; +10 % over the load (95 % bounds +9 % and +11 %; "
            "40 blocks of jobs); nothing is left 2 h after the load if that goes on (gpu.memory_free)",
        ),
        ("gpu.memory_used, meanwhile", "nothing seen that coincides with it (not watched: restarts)"),
    ]


def test_a_step_is_told_by_its_height_and_moment() -> None:
    said = dict(trend_findings(Trends(memory=[leak(kind="step", step_at_s=2520.0, step=-GIB)])))
    assert said["gpu.memory_used, under load"] == (
        "one step, level before and after it; −1 GiB 42 min after the load began"
    )


def test_what_is_no_leak_yet_is_not_called_one() -> None:
    slight = leak(kind="slight", growth=0.0005, growth_low=0.0001, growth_high=0.001, matters=0.05)
    said = dict(trend_findings(Trends(memory=[slight])))["gpu.memory_used, under load"]
    assert said.startswith("grows, too little to say; +0.05 % over the load (95 % bounds")
    assert said.endswith("; less than 5 % does not matter here")
    assert list(notable_trends(Trends(memory=[slight]))) == [], "no line on the terminal"
    ((_, short),) = notable_trends(Trends(memory=[leak(kind="short")]))
    assert short.startswith("grows, watched too short to say: a leak shows in 10 min or more; +10 % over the")


def test_what_decides_nothing_says_why() -> None:
    few = LevelChange(
        before=None, after=None, change=None, before_samples=0, after_samples=1, missing="too few"
    )
    said = dict(trend_findings(Trends(memory=[leak(kind=None, level=few, missing="there are 9 blocks")])))
    assert said["gpu.memory_used, idle"] == "no comparison of before and after: too few"
    assert said["gpu.memory_used, under load"] == "inconclusive: there are 9 blocks"


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"restarts": 2}, "coincides with 2 restarts of the service"),
        (
            {"restarts": 1, "errors": 1, "error_share": 0.1},
            "coincides with 1 failed request, 1 restart of the service",
        ),
        ({"throttled": 0.4, "throttled_otherwise": 0.5}, "nothing seen that coincides with it"),
        (
            {"throttled": 0.4, "errors": 3, "error_share": 0.5},
            "coincides with the GPU throttled in 40 % of the samples, 3 failed requests",
        ),
        (
            {"throttled": None, "errors": 3, "error_share": 0.5},
            "coincides with 3 failed requests (not watched: throttling)",
        ),
    ],
)
def test_only_what_was_more_frequent_then_coincides(fields: dict[str, Any], text: str) -> None:
    assert coincidence(incidents(**fields)) == text


def test_trends_are_in_the_files_where_there_are_some(
    tmp_path: Path, make_run: Callable[..., JudgedRun], make_suite: Callable[..., JudgedSuite]
) -> None:
    results, markdown = load("reports", "results_json"), load("reports", "markdown")
    run, without = make_run(trends=Trends(memory=[leak()], slower=incidents())), make_run()
    written = json.loads(results.encode(results.results(run)))
    jsonschema.validate(written, results.schema())
    assert written["trends"]["memory"][0]["kind"] == "leak"
    assert "trends" not in json.loads(results.encode(results.results(without)))
    text = markdown.render(make_suite(run), tmp_path)[0].read_text(encoding="utf-8")
    assert "- duration: the last part of the load is slower than the first; nothing seen" in text
    assert "Trends:" not in markdown.render(make_suite(without), tmp_path)[0].read_text(encoding="utf-8")
