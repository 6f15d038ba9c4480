"""results_<scenario>.json: the specification's fields, a schema that fits, names that do not change."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from genload.analysis.judged import JudgedRun, JudgedSuite, PhaseSummary, Summary
from genload.extensions import builtin_folder, load

report = load("reports", "results_json")
SCHEMA_FILE = builtin_folder("config") / "schema" / "results.schema.json"
GOLDEN = Path(__file__).parent / "golden_results_spike.json"

# The specification's "Example JSON Structure", verbatim.
EXAMPLE: dict[str, Any] = {
    "scenario": "baseline",
    "duration_seconds": 410.5,
    "total_requests": 5,
    "successful_requests": 5,
    "failed_requests": 0,
    "success_rate": 100.0,
    "error_rate": 0.0,
    "avg_duration": 82.1,
    "min_duration": 79.5,
    "max_duration": 85.3,
    "p50_duration": 82.0,
    "p95_duration": 84.8,
    "p99_duration": 85.2,
    "throughput_per_minute": 0.73,
    "errors": {},
    "validation": {
        "avg_time_ok": True,
        "zero_errors": True,
        "full_success": True,
        "all_completed": True,
        "overall": True,
    },
}


def document(run: JudgedRun) -> dict[str, Any]:
    """The document as a strict JSON reader meets it."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    decoded: dict[str, Any] = json.loads(report.encode(report.results(run)), parse_constant=refuse)
    return decoded


def test_the_specifications_example_comes_out_in_its_order(make_run: Callable[..., JudgedRun]) -> None:
    written = document(make_run())
    assert [(name, written[name]) for name in written if name in EXAMPLE] == list(EXAMPLE.items())


def test_every_kind_of_run_fits_the_schema(any_run: JudgedRun) -> None:
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA_FILE.read_text()))
    assert [error.message for error in validator.iter_errors(document(any_run))] == []


def test_the_schema_file_is_current() -> None:
    jsonschema.Draft202012Validator.check_schema(report.schema())
    assert json.loads(SCHEMA_FILE.read_text()) == report.schema(), (
        "run: python reports/results_json.py > config/schema/results.schema.json"
    )


def test_the_schema_refuses_what_is_no_results_file(make_run: Callable[..., JudgedRun]) -> None:
    written = document(make_run())
    del written["avg_duration"]
    with pytest.raises(jsonschema.ValidationError, match="avg_duration"):
        jsonschema.validate(written, report.schema())


def test_a_whole_document_stays_as_it_is(kinds: dict[str, Callable[[], JudgedRun]]) -> None:
    """A field renamed, dropped or moved is a change for every reader of these files: make it on purpose."""
    assert report.encode(report.results(kinds["failed"]())) == GOLDEN.read_text(encoding="utf-8")


def test_inconclusive_is_null_and_overall_false(kinds: dict[str, Callable[[], JudgedRun]]) -> None:
    assert document(kinds["inconclusive"]())["validation"] == {"memory_stable": None, "overall": False}


def test_overall_is_false_for_an_invalid_run_whose_criteria_hold(
    kinds: dict[str, Callable[[], JudgedRun]],
) -> None:
    assert document(kinds["invalid"]())["validation"] == {"zero_errors": True, "overall": False}


def test_a_criterion_that_is_reported_only_has_no_say_in_overall(make_run: Callable[..., JudgedRun]) -> None:
    run = make_run()
    run.verdict.criteria[1].must, run.verdict.criteria[1].result = False, "fail"
    validation = document(run)["validation"]
    assert (validation["zero_errors"], validation["overall"]) == (False, True)


def test_a_scaled_run_says_so_first(make_run: Callable[..., JudgedRun]) -> None:
    written = document(make_run(time_scale=0.02))
    assert next(iter(written)) == "rehearsal_note"
    assert "0.02" in written["rehearsal_note"]
    assert "rehearsal_note" not in document(make_run())


def test_numbers_that_json_does_not_have_are_null(make_run: Callable[..., JudgedRun]) -> None:
    run = make_run(effective={"limit": math.inf})
    for name, value in msgspec.structs.asdict(run.overall).items():
        if isinstance(value, float):
            setattr(run.overall, name, math.nan if name == "avg_duration" else math.inf)
    run.verdict.criteria[0].value = math.inf
    run.verdict.criteria[0].bound = -math.inf
    written = document(run)
    assert (written["avg_duration"], written["p99_duration"]) == (None, None)
    assert written["verdict"]["criteria"][0]["value"] is None
    assert written["settings"]["effective"] == {"limit": None}
    jsonschema.validate(written, report.schema())


def test_each_phase_is_a_flat_block_of_its_own(kinds: dict[str, Callable[[], JudgedRun]]) -> None:
    phases = document(kinds["failed"]())["phases"]
    assert list(phases) == ["baseline", "spike", "recovery"]
    flat = set(EXAMPLE) - {"scenario", "errors", "validation"}
    assert flat <= set(phases["spike"])
    assert phases["spike"]["start_time"] == "2026-11-21T10:12:00.000Z"
    assert phases["spike"]["duration_seconds"] == 120.0


def test_a_start_time_that_is_none_is_left_as_it_is(make_run: Callable[..., JudgedRun]) -> None:
    phase = PhaseSummary(name="steady", start_s=1.0, end_s=2.0, target_users=1, summary=_numbers(make_run()))
    assert document(make_run(start_time="", phases=[phase]))["phases"]["steady"]["start_time"] == ""


def _numbers(run: JudgedRun) -> Summary:
    return run.overall


def test_sustained_blocks_are_there_for_sustained_load_only(
    kinds: dict[str, Callable[[], JudgedRun]],
) -> None:
    written = document(kinds["inconclusive"]())
    assert written["degradation_analysis"]["change_percent"] == 5.0
    memory = written["system_monitoring"]["server.memory"]
    assert (memory["initial"], memory["final"], memory["growth_percent"]) == (1.0e9, 1.02e9, 2.0)
    assert not {"degradation_analysis", "system_monitoring"} & set(document(kinds["passed"]()))


def test_errors_are_counted_by_class_and_told_in_the_services_words(
    kinds: dict[str, Callable[[], JudgedRun]], hostile_text: str
) -> None:
    written = document(kinds["failed"]())
    assert written["errors"] == {"rejected": 8, "timeout": 2}
    assert written["error_details"][1]["messages"] == ["no answer within 300 s"]
    assert document(kinds["hostile"]())["error_details"][0]["messages"][0] == hostile_text


def test_one_file_a_scenario_whatever_its_name(
    tmp_path: Path, make_run: Callable[..., JudgedRun], make_suite: Callable[..., JudgedSuite]
) -> None:
    paths = report.render(make_suite(make_run("peak"), make_run("../evil x")), tmp_path)
    assert [path.name for path in paths] == ["results_peak.json", "results_.._evil_x.json"]
    assert sorted(tmp_path.iterdir()) == sorted(paths)
