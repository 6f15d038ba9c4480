"""What the terminal says beside the criteria: a line where there is something to say, none otherwise."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from genload import console
from genload.analysis.contract import FamilyFinding
from genload.analysis.judged import JudgedRun
from genload.analysis.judged_efficiency import Cost, Efficiency, Energy, GpuTime, Sharing
from genload.analysis.judged_trends import Incidents, LevelChange, MemoryTrend, Trends
from genload.analysis.reconciliation import Comparison

MakeRun = Callable[..., JudgedRun]


def lines(run: JudgedRun) -> list[str]:
    """The lines below the table of criteria."""
    output = io.StringIO()
    Console(file=output, width=500, color_system=None).print(console.verdict_view(run))
    return output.getvalue().partition("load 410.5 s")[2].splitlines()[1:]


def families(**states: Any) -> list[FamilyFinding]:
    return [FamilyFinding(family=name, state=state) for name, state in states.items()]


def comparison(**fields: Any) -> Comparison:
    base: dict[str, Any] = {"metric": "prom.done", "client": 6.0, "server": 11.0, "difference": 5.0}
    return Comparison(count="completed", unsure=1, **{**base, **fields})


def memory(**fields: Any) -> MemoryTrend:
    level = LevelChange(before=1e9, after=1e9, change=0.0, before_samples=5, after_samples=5)
    base = {"growth": 0.1, "growth_low": 0.09, "growth_high": 0.11, "blocks": 40}
    return MemoryTrend(metric="gpu.memory_used", source="NVML", level=level, **{**base, **fields})


def incidents(**fields: Any) -> Incidents:
    base: dict[str, Any] = {"throttled": 0.0, "throttled_otherwise": 0.0, "restarts": 0, "errors": 0}
    shares = {"error_share": 0.0, "error_share_otherwise": 0.0}
    return Incidents(begin_s=0.0, end_s=9.0, **{**base, **shares, **fields})


@pytest.mark.parametrize(
    "fields",
    [
        {"contract": families(jobs="live", pages="live")},
        {"reconciliation": [comparison(difference=0.0, result="equal", meaning=[])]},
        {"reconciliation": [comparison(client=None, result="unknown", meaning=["no samples"])]},
        {"trends": Trends(memory=[memory(kind="none"), memory(kind=None, missing="few blocks")])},
        {"trends": Trends(memory=[memory(kind="falling")])},
        {"efficiency": Efficiency(outputs=5, seconds=9.0, gpus=1, sharing=Sharing(shared=False))},
        {"efficiency": Efficiency(outputs=5, seconds=9.0, gpus=1, sharing=Sharing(processes=2))},
    ],
)
def test_what_is_well_or_not_known_has_no_line(make_run: MakeRun, fields: dict[str, Any]) -> None:
    assert lines(make_run(**fields)) == []


@pytest.mark.parametrize(
    ("states", "said"),
    [
        (
            {"jobs": "live", "cached": "absent", "pages": "idle", "errors": "idle"},
            "  expected metrics: absent: cached; there, never moved: pages, errors",
        ),
        (dict.fromkeys("abcde", "absent"), "  expected metrics: 5 of 5 absent"),
        ({"a": "unknown"}, "  expected metrics: no page came: a"),
    ],
)
def test_metrics_that_a_suite_expects_and_nobody_writes(
    make_run: MakeRun, states: dict[str, Any], said: str
) -> None:
    assert lines(make_run(contract=families(**states))) == [said]


def test_a_count_that_the_service_has_otherwise(make_run: MakeRun) -> None:
    run = make_run(reconciliation=[comparison(result="differs", meaning=["5 failures counted as successes"])])
    assert lines(run) == ["  completed differs: 6 here, 11 in prom.done; 5 failures counted as successes"]


def test_a_change_for_the_worse_and_what_came_with_it(make_run: MakeRun) -> None:
    leak = memory(kind="leak", incidents=incidents(restarts=2))
    filling = memory(kind="filling", incidents=incidents())
    run = make_run(trends=Trends(memory=[leak, filling], slower=incidents(throttled=0.4)))
    bounds = r"\+10 % over the load \(95 % bounds \+9 % and \+11 %; 40 blocks of jobs\)"
    expected = [
        rf"  gpu\.memory_used: .* a leak; {bounds}; coincides with 2 restarts of the service",
        rf"  gpu\.memory_used: grows and flattens, .*; {bounds}",
        r"  duration: the last part .*; coincides with the GPU throttled in 40 % of the samples",
    ]
    for line, pattern in zip(lines(run), expected, strict=True):
        assert re.fullmatch(pattern, line)


def test_what_an_output_cost_in_one_line_and_who_else_was_on_the_board(make_run: MakeRun) -> None:
    found = Efficiency(
        outputs=50,
        seconds=100.0,
        gpus=1,
        energy=Energy(metric="gpu.energy", joules=30_000.0, per_output=600.0),
        gpu_time=GpuTime(seconds=50.0, per_output=1.0),
        cost=Cost(currency="EUR", per_1000_outputs=2.0),
        sharing=Sharing(shared=True, others=["trainer\x1b[31m"]),
    )
    cost, board = lines(make_run(efficiency=found))
    assert cost == "  an output cost: 600 J, 1 s of GPU time, 2 EUR a thousand"
    assert board == "  board: shared: trainer worked on it too, which is in these numbers"
