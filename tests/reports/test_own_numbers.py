"""The service's own numbers in the reports: expected families, and its counts against the client's."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from genload.analysis.judged import JudgedRun, JudgedSuite
from genload.extensions import load

from .findings import comparison, families

MakeSuite = Callable[..., JudgedSuite]
Kinds = dict[str, Callable[[], JudgedRun]]
SCHEMA = Path(__file__).resolve().parents[2] / "config" / "schema" / "results.schema.json"


@pytest.fixture
def run(kinds: Kinds) -> JudgedRun:
    """One with findings of every kind."""
    run = kinds["passed"]()
    run.contract = families(
        http_requests_total="idle", gpu_cached_mb="absent", jobs="live", pages_total="idle"
    )
    run.reconciliation = [
        comparison(),
        comparison(count="in_flight", server=6.0, difference=0.0, result="equal", meaning=[]),
        comparison(count="failed", client=None, server=None, result="unknown", meaning=["no samples"]),
    ]
    return run


def test_people_read_them_by_state_and_with_what_a_difference_means(
    tmp_path: Path, make_suite: MakeSuite, run: JudgedRun
) -> None:
    [path] = load("reports", "markdown").render(make_suite(run), tmp_path)
    text = path.read_text(encoding="utf-8")
    states = ["- absent: `gpu_cached_mb`", "- there, never moved: `http_requests_total`, `pages_total`"]
    assert "\n".join(["Expected metrics:", "", *states, "- live: `jobs`", ""]) in text
    assert "- completed: 6 here, 11 in prom.generated: 5 failures counted as successes\n" in text
    assert "- in\\_flight: 6 here, 6 in prom.generated: no difference\n" in text
    assert "- failed: no samples\n" in text


def test_machines_read_them_by_the_schema(tmp_path: Path, make_suite: MakeSuite, run: JudgedRun) -> None:
    [path] = load("reports", "results_json").render(make_suite(run), tmp_path)
    document = json.loads(path.read_text(encoding="utf-8"))
    jsonschema.validate(document, json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert document["contract"][0] == {"family": "http_requests_total", "state": "idle"}
    assert document["reconciliation"][0]["difference"] == 5.0


def test_a_suite_that_asks_for_neither_has_no_section(
    tmp_path: Path, make_suite: MakeSuite, kinds: Kinds
) -> None:
    suite = make_suite(kinds["passed"]())
    [path] = load("reports", "markdown").render(suite, tmp_path)
    assert "Expected metrics" not in path.read_text(encoding="utf-8")
    [path] = load("reports", "results_json").render(suite, tmp_path)
    assert not {"contract", "reconciliation"} & json.loads(path.read_text(encoding="utf-8")).keys()
