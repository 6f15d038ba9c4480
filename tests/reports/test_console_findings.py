"""What the terminal says beside the criteria: a line where there is something to say, none otherwise."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from genload import console
from genload.analysis.judged import JudgedRun
from genload.analysis.judged.efficiency import Efficiency, Sharing
from genload.analysis.judged.trends import Trends

from .findings import comparison, costs, families, incidents, leak

MakeRun = Callable[..., JudgedRun]


def lines(run: JudgedRun) -> list[str]:
    """The lines below the table of criteria."""
    output = io.StringIO()
    Console(file=output, width=500, color_system=None).print(console.verdict_view(run))
    return output.getvalue().partition("load 410.5 s")[2].splitlines()[1:]


@pytest.mark.parametrize(
    "fields",
    [
        {"contract": families(jobs="live", pages="live")},
        {"reconciliation": [comparison(difference=0.0, result="equal", meaning=[])]},
        {"reconciliation": [comparison(client=None, result="unknown", meaning=["no samples"])]},
        {"trends": Trends(memory=[leak(kind="none"), leak(kind=None, missing="few blocks")])},
        {"trends": Trends(memory=[leak(kind="falling")])},
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


def test_beside_dead_metrics_stand_the_live_ones_of_the_page(make_run: MakeRun) -> None:
    run = make_run(contract=families(gpu_usage_percent="absent"))
    run.effective = {
        "monitors": {
            "exposition": {
                "expects": ["gpu_usage_percent"],
                "series": {"server.memory": "process_resident_memory_bytes", "prom.dead": "a_total"},
            },
            "other": {"series": {"server.memory": "elsewhere"}},
        }
    }
    (line,) = lines(run)
    assert line == (
        "  expected metrics: absent: gpu_usage_percent; live on the same page: "
        "server.memory (process_resident_memory_bytes)"
    )


def test_a_count_that_the_service_has_otherwise(make_run: MakeRun) -> None:
    said = "  completed differs: 6 here, 11 in prom.generated; 5 failures counted as successes"
    assert lines(make_run(reconciliation=[comparison()])) == [said]


def test_a_change_for_the_worse_and_what_came_with_it(make_run: MakeRun) -> None:
    memory = [leak(incidents=incidents(restarts=2)), leak(kind="filling", incidents=incidents())]
    run = make_run(trends=Trends(memory=memory, slower=incidents(throttled=0.4)))
    bounds = r"\+10 % over the load \(95 % bounds \+9 % and \+11 %; 40 blocks of jobs\)"
    expected = [
        rf"  gpu\.memory_used: .* a leak; {bounds}; coincides with 2 restarts of the service",
        rf"  gpu\.memory_used: grows and flattens, .*; {bounds}",
        r"  duration: the last part .*; coincides with the GPU throttled in 40 % of the samples",
    ]
    for line, pattern in zip(lines(run), expected, strict=True):
        assert re.fullmatch(pattern, line)


def test_what_an_output_cost_in_one_line_and_who_else_was_on_the_board(make_run: MakeRun) -> None:
    found = costs()
    found.sharing = Sharing(shared=True, others=["trainer\x1b[31m"])
    cost, board = lines(make_run(efficiency=found))
    assert cost == "  an output cost: 600 J, 1 s of GPU time, 2 EUR a thousand"
    assert board == "  board: shared: trainer worked on it too, which is in these numbers"
