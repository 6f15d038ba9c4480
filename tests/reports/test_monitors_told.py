"""Reports on the monitors themselves: ticks, errors, hangs, and the service's uptime."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from genload import console
from genload.analysis.judged import JudgedRun, JudgedSuite
from genload.analysis.monitors import Downtime, MonitorSummary, Uptime
from genload.extensions import load
from genload.reporting.machine_wording import monitor_words, uptime_words

from .judged_jobs import summary as summary_of

MakeRun = Callable[..., JudgedRun]


def summary(**fields: Any) -> MonitorSummary:
    base: dict[str, Any] = {"expected": 60, "came": 60, "errors": 0, "last_error": "", "hung": False}
    return MonitorSummary(monitor="gpu", **{**base, **fields})


BROKEN = summary(came=12, errors=48, last_error="GPU is lost\x1b[31m", hung=True)
SILENT = summary(came=0, errors=60, last_error="no driver")


@pytest.fixture
def told(make_run: MakeRun) -> JudgedRun:
    """Monitors well, broken and silent, and a service that was down twice; the load began 90 s in."""
    return make_run(
        monitors=[summary(), BROKEN, SILENT],
        uptime=Uptime(
            share=0.95, down=[Downtime(start_s=100.0, end_s=112.5), Downtime(start_s=490.0, end_s=None)]
        ),
    )


def test_a_line_says_ticks_errors_and_the_last_words() -> None:
    assert monitor_words(summary()) == "gpu: 60 of 60 ticks"
    assert monitor_words(summary(came=61)) == "gpu: 60 of 60 ticks"
    assert monitor_words(summary(came=0, expected=0)) == "gpu: no tick was due in the load"
    assert monitor_words(BROKEN) == "gpu: 12 of 60 ticks, 48 with an error, hung, the last: GPU is lost"


def test_ticks_that_are_missing_because_each_takes_too_long_say_so() -> None:
    crowded = summary(came=30, interval_s=0.05, tick_s=0.107)
    assert monitor_words(crowded) == (
        "gpu: 30 of 60 ticks, each took 107 ms, longer than its interval of 50 ms: give it a longer one"
    )


def test_uptime_names_its_moments(told: JudgedRun, make_run: MakeRun) -> None:
    assert uptime_words(told) == (
        "the service was up 95 % of the time, down from 2026-11-21T10:00:10.000Z for 12.5 s, "
        "from 2026-11-21T10:06:40.000Z to the end; of the requests 0 % failed"
    )
    assert uptime_words(make_run()) is None
    many = [Downtime(start_s=100.0 + second, end_s=100.5 + second) for second in range(9)]
    assert str(uptime_words(make_run(uptime=Uptime(share=0.5, down=many)))).endswith(
        ", 4 more times; of the requests 0 % failed"
    )


def test_what_failed_stands_beside_the_time_that_the_service_was_down(make_run: MakeRun) -> None:
    down = [Downtime(start_s=100.0, end_s=112.5)]
    run = make_run(uptime=Uptime(share=0.95, down=down), overall=summary_of(error_rate=12.5))
    words = (
        "the service was up 95 % of the time, down from 2026-11-21T10:00:10.000Z for 12.5 s; "
        "of the requests 12.5 % failed"
    )
    assert uptime_words(run) == words
    output = io.StringIO()
    Console(file=output, width=200, color_system=None).print(console.verdict_view(run))
    assert words in output.getvalue()


def test_a_probe_without_an_answer_is_not_called_a_service_that_was_down(make_run: MakeRun) -> None:
    down = [Downtime(start_s=100.0, end_s=None, served=24)]
    reason = "http://gpu1:5000/ready: did not answer within 4 s"
    run = make_run(uptime=Uptime(share=0.0, down=down, reason=reason))
    assert uptime_words(run) == (
        "the health probe had an answer 0 % of the time, and none from 2026-11-21T10:00:10.000Z to the end; "
        "24 requests succeeded meanwhile, so the service was there: "
        "http://gpu1:5000/ready: did not answer within 4 s"
    )


def test_time_without_a_probe_is_told(make_run: MakeRun) -> None:
    run = make_run(uptime=Uptime(share=1.0, down=[], unknown_s=30.0))
    assert uptime_words(run) == (
        "the service was up 100 % of the time; of 30 s nothing is known, as no probe was made"
    )


def test_the_results_file_has_every_monitor_and_the_moments(told: JudgedRun) -> None:
    report = load("reports", "results_json")
    written = json.loads(report.encode(report.results(told)))
    assert [each["came"] for each in written["monitors"]] == [60, 12, 0]
    assert written["uptime"] == {
        "percent": 95.0,
        "unknown_seconds": 0.0,
        "down": [
            {"start_time": "2026-11-21T10:00:10.000Z", "end_time": "2026-11-21T10:00:22.500Z", "served": 0},
            {"start_time": "2026-11-21T10:06:40.000Z", "end_time": None, "served": 0},
        ],
    }


def test_the_terminal_has_a_line_for_each_that_fails_and_none_for_the_others(told: JudgedRun) -> None:
    output = io.StringIO()
    Console(file=output, width=200, color_system=None).print(console.verdict_view(told))
    text = output.getvalue()
    assert text.count("monitor: ") == 1, "one that is well has no line, one that never came is a notice"
    assert "monitor: gpu: 12 of 60 ticks" in text
    assert "the service was up 95 % of the time" in text


def test_the_summary_for_people_has_all_that_came(
    told: JudgedRun, make_suite: Callable[..., JudgedSuite], tmp_path: Path
) -> None:
    (file,) = load("reports", "markdown").render(make_suite(told), tmp_path)
    text = file.read_text(encoding="utf-8")
    assert "- gpu: 60 of 60 ticks\n" in text
    assert "- gpu: 12 of 60 ticks, 48 with an error, hung" in text
    assert "no driver" not in text, "it is a notice, which the analysis adds"
