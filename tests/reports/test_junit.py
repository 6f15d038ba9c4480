"""junit.xml: what a CI system reads, whatever the service said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from genload.analysis.judged import JudgedRun, JudgedSuite, Verdict
from genload.extensions import load

report = load("reports", "junit")
MakeSuite = Callable[..., JudgedSuite]
MakeRun = Callable[..., JudgedRun]
Kinds = dict[str, Callable[[], JudgedRun]]
OUTCOMES = ("failure", "error", "skipped")


def parsed(suite: JudgedSuite, folder: Path) -> ET.Element:
    [path] = report.render(suite, folder)
    return ET.fromstring(path.read_text(encoding="utf-8"))  # noqa: S314  our own file


def outcomes(root: ET.Element) -> dict[str, str]:
    """By testcase: the tag and type of what it holds, "pass" for nothing."""
    found = {}
    for case in root.iter("testcase"):
        tags = [f"{child.tag} {child.get('type', '')}".strip() for child in case if child.tag in OUTCOMES]
        found[case.attrib["name"]] = tags[0] if tags else "pass"
    return found


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (
            "passed",
            dict.fromkeys(("avg_time_ok", "zero_errors", "full_success", "all_completed"), "pass"),
        ),
        ("failed", {"spike_error_rate_ok": "failure fail", "gpu_memory_stable": "skipped"}),
        ("inconclusive", {"memory_stable": "error inconclusive"}),
        ("invalid", {"measurement": "error invalid", "zero_errors": "pass"}),
        ("interrupted", {"measurement": "error interrupted"}),
        ("no_criteria", {"criteria": "error no criteria", "zero_errors": "pass"}),
        ("observed", {}),
    ],
)
def test_one_testcase_a_criterion(
    tmp_path: Path, make_suite: MakeSuite, kinds: Kinds, kind: str, expected: dict[str, str]
) -> None:
    assert outcomes(parsed(make_suite(kinds[kind]()), tmp_path)) == expected


def test_a_scenarios_notices_are_its_output(tmp_path: Path, make_suite: MakeSuite, make_run: MakeRun) -> None:
    root = parsed(make_suite(make_run(notices=["output not inspected", "a \x1b[31mred one"])), tmp_path)
    (suite,) = root
    assert suite[-1].tag == "system-out"
    assert (suite[-1].text or "").splitlines()[0] == "output not inspected"
    assert "\x1b" not in (suite[-1].text or "")


def test_counts_are_those_of_the_elements(tmp_path: Path, make_suite: MakeSuite, kinds: Kinds) -> None:
    root = parsed(make_suite(*(make() for make in kinds.values()), missing=("x",)), tmp_path)
    for element in (root, *root.iter("testsuite")):
        cases = list(element.iter("testcase"))
        assert int(element.attrib["tests"]) == len(cases)
        for plural, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(element.attrib[plural]) == sum(case.find(tag) is not None for case in cases)


def test_an_exit_code_other_than_0_is_never_green(
    tmp_path: Path, make_suite: MakeSuite, any_run: JudgedRun
) -> None:
    root = parsed(make_suite(any_run), tmp_path)
    red = int(root.attrib["failures"]) + int(root.attrib["errors"])
    assert (red > 0) == (any_run.verdict.exit_code != 0)


def test_strict_makes_an_unproven_must_an_error(
    tmp_path: Path, make_suite: MakeSuite, make_run: MakeRun
) -> None:
    verdict = make_run().verdict
    verdict.exit_code = 3
    run = make_run(strict=True, verdict=verdict)
    assert outcomes(parsed(make_suite(run), tmp_path))["zero_errors"] == "error unproven"
    assert outcomes(parsed(make_suite(run), tmp_path))["avg_time_ok"] == "pass"


def test_a_service_that_was_never_ready_is_an_error(
    tmp_path: Path, make_suite: MakeSuite, make_run: MakeRun
) -> None:
    verdict = Verdict(result="inconclusive", valid=True, reasons=[], criteria=[], exit_code=4)
    assert outcomes(parsed(make_suite(make_run(verdict=verdict)), tmp_path)) == {
        "measurement": "error not ready"
    }


@pytest.mark.parametrize(("exit_code", "expected"), [(0, "skipped"), (3, "error not run")])
def test_a_missing_scenario_is_an_error_only_when_it_decided_the_suite(
    tmp_path: Path, make_suite: MakeSuite, kinds: Kinds, exit_code: int, expected: str
) -> None:
    root = parsed(make_suite(kinds["passed"](), missing=("spike",), exit_code=exit_code), tmp_path)
    assert outcomes(root)["spike"] == expected


def test_hostile_text_stays_text(tmp_path: Path, make_suite: MakeSuite, kinds: Kinds) -> None:
    root = parsed(make_suite(kinds["hostile"]()), tmp_path)
    assert not list(root.iter("script"))
    message = next(root.iter("error")).attrib["message"]
    assert "<script>alert(1)</script>" in message
    assert not [c for c in message if ord(c) < 32]


def test_a_scaled_run_says_so_in_its_first_property(
    tmp_path: Path, make_suite: MakeSuite, kinds: Kinds
) -> None:
    root = parsed(make_suite(kinds["scaled"]()), tmp_path)
    first = next(root.iter("property"))
    assert first.attrib["name"] == "rehearsal" and "0.02" in first.attrib["value"]
