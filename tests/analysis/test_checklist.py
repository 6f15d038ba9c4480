"""A suite's questions, answered by its judged runs."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from genload.analysis.checklist import answers
from genload.analysis.contract import FamilyFinding
from genload.analysis.judge import judge_log
from genload.analysis.judged import JudgedRun
from genload.settings.checklist import Condition

from .memory_log import jobs, sound_run

CRITERIA = {"few_errors": "generate.error_rate < 10%", "fast": "generate.duration.p95 < 2s"}


def run(scenario: str, failed: int = 0, **fields: Any) -> JudgedRun:
    judged = judge_log(sound_run(jobs(["failed"] * failed + ["ok"] * (100 - failed)), CRITERIA))
    for name, value in {"scenario": scenario, **fields}.items():
        setattr(judged, name, value)
    return judged


def answer(condition: dict[str, Any], *runs: JudgedRun, **suite: Any) -> tuple[str, str]:
    settings = {"scenarios": {"one": {}, "two": {}}, "reports": ["html"], **suite}
    [found] = answers({**settings, "checklist": {"At the end": {"Is it so?": condition}}}, runs)
    assert (found.heading, found.question) == ("At the end", "Is it so?")
    return found.state, found.reason


def test_all_scenarios_ran_or_some_did_not() -> None:
    asked = {"scenarios": "all"}
    assert answer(asked, run("one"), run("two")) == ("ticked", "all 2 have run")
    assert answer(asked, run("one")) == ("open", "not run to the end: two")
    assert answer(asked, run("one"), run("two", interrupted="SIGINT")) == ("open", "not run to the end: two")


def test_criteria_hold_fail_or_were_not_judged() -> None:
    asked = {"criteria": ["one/few_errors", "two/few_errors"]}
    state, reason = answer(asked, run("one"), run("two"))
    assert (state, reason.count("holds (proven)")) == ("ticked", 2)
    assert answer(asked, run("one"), run("two", failed=30)) == ("open", "two/few_errors fails")
    assert answer(asked, run("one")) == ("open", "two/few_errors was not judged")
    assert answer(asked, run("three")) == ("not applicable", "not run: one/few_errors, two/few_errors")
    assert answer({"criteria": ["one/no_such"]}, run("one"))[0] == "not applicable"


def test_a_service_that_fails_restarts_or_is_not_watched_did_not_hold_up() -> None:
    asked = {"error_rate_below": "10%"}
    state, reason = answer(asked, run("one"), run("two", failed=30))
    assert (state, reason) == ("open", "at most 30 % errors (two); restarts were not watched")
    judged = run("one")
    judged.series = [
        type(judged.series[0])(**{**_fields(judged.series[0]), "metric": "server.restarts", "max": 0.0})
    ]
    assert answer(asked, judged) == ("ticked", "at most 0 % errors (one); 0 restarts")
    judged.series[0].max = 1.0
    assert answer(asked, judged) == ("open", "at most 0 % errors (one); 1 restart")


def _fields(series: Any) -> dict[str, Any]:
    return {name: getattr(series, name) for name in series.__struct_fields__}


def test_live_metric_families_are_counted_over_all_runs() -> None:
    asked = {"live_families": 2}
    one = run(
        "one", contract=[FamilyFinding(family="a", state="live"), FamilyFinding(family="b", state="idle")]
    )
    two = run(
        "two", contract=[FamilyFinding(family="a", state="live"), FamilyFinding(family="b", state="live")]
    )
    assert answer(asked, one) == ("open", "1 of 2 expected are live")
    assert answer(asked, one, two) == ("ticked", "2 of 2 expected are live")
    assert answer(asked, run("one"))[0] == "not applicable"


def test_reports_are_written_or_not_and_people_decide_the_rest() -> None:
    assert answer({"report": "html"}, run("one")) == ("ticked", "html is written")
    assert answer({"report": "pdf"}, run("one")) == ("open", "pdf is not written")
    assert answer({"by_hand": "it is a decision"}, run("one")) == ("open", "for a person: it is a decision")


def test_a_suite_without_a_checklist_has_no_answers() -> None:
    assert answers({}, [run("one")]) == []


@pytest.mark.parametrize(
    "condition", [{}, {"report": "html", "by_hand": "x"}, {"criteria": ["few_errors"]}, {"live_families": 0}]
)
def test_a_question_has_exactly_one_condition(condition: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Condition.model_validate(condition)


def test_a_condition_is_read_again_from_a_run_directory() -> None:
    for condition in (Condition(scenarios="all"), Condition(criteria=("spike/no_errors",))):
        assert Condition.model_validate(condition.model_dump(mode="json")) == condition
