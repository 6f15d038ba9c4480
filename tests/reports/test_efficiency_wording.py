"""What reports say of the cost of an output: only what is known."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from genload.analysis.judged import JudgedRun, JudgedSuite
from genload.analysis.judged.efficiency import Cost, Efficiency, Energy, Sharing
from genload.extensions import load
from genload.reporting.machine_wording import efficiency_findings, sharing_text

from .findings import costs


def test_every_cost_that_is_known_has_its_line() -> None:
    assert dict(efficiency_findings(costs())) == {
        "energy": "600 J an output, 150 J a second of audio; above idle (80 W) 440 J an output, "
        "110 J a second of audio (gpu.energy)",
        "GPU time": "1 s an output",
        "cost": "2 EUR per 1000 outputs, 1.8 EUR per hour of audio (1 GPU, 100 s, 50 outputs)",
        "board": "shared: trainer-9 worked on it too, which is in these numbers",
    }


def test_without_an_idle_level_energy_says_that_idling_is_in_it() -> None:
    found = Efficiency(
        outputs=1, seconds=1.0, gpus=1, energy=Energy(metric="gpu.power", joules=9.0, per_output=9.0)
    )
    assert dict(efficiency_findings(found)) == {
        "energy": "9 J an output, idling included (gpu.power; no idle level was seen before the load)"
    }


@pytest.mark.parametrize(
    ("sharing", "text"),
    [
        (Sharing(shared=False, processes=1), "not shared"),
        (Sharing(processes=3), "not known: 3 processes were on it"),
        (Sharing(), "not known: no process on it could be seen"),
    ],
)
def test_what_is_not_known_of_the_board_is_said(sharing: Sharing, text: str) -> None:
    assert text in sharing_text(sharing)


def test_unknown_parts_are_absent_from_the_files(
    tmp_path: Path, make_run: Callable[..., JudgedRun], make_suite: Callable[..., JudgedSuite]
) -> None:
    results, markdown = load("reports", "results_json"), load("reports", "markdown")
    cost = Cost(currency="EUR", per_1000_outputs=2.0)
    run, without = make_run(efficiency=Efficiency(outputs=5, seconds=9.0, gpus=1, cost=cost)), make_run()
    written = json.loads(results.encode(results.results(run)))
    jsonschema.validate(written, results.schema())
    assert written["efficiency"] == {
        "outputs": 5,
        "seconds": 9.0,
        "gpus": 1,
        "cost": {"currency": "EUR", "per_1000_outputs": 2.0},
    }
    assert "efficiency" not in json.loads(results.encode(results.results(without)))
    text = markdown.render(make_suite(run), tmp_path)[0].read_text(encoding="utf-8")
    assert "- cost: 2 EUR per 1000 outputs (1 GPU, 9 s, 5 outputs)" in text
    assert "What an output cost:" not in markdown.render(make_suite(without), tmp_path)[0].read_text(
        encoding="utf-8"
    )
