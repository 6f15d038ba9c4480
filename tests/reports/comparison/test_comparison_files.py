"""A comparison in files: what differs first, the same numbers in each, nothing that a text could break."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import msgspec
import pytest

from genload.analysis.comparison import ComparedSuite, CompareSettings, MetricShift, compare_suites
from genload.extensions import builtin_folder
from genload.reporting.comparison import FILES, write_comparison
from genload.reporting.comparison.document import schema
from genload.reporting.comparison.page import Bar
from genload.reporting.comparison.wording import allowed, bounds, row, signed

from ...analysis.comparison.builds import rounds
from ..judged_hostile import HOSTILE

SCHEMA_FILE = builtin_folder("config") / "schema" / "compare.schema.json"


@pytest.fixture(scope="module")
def slower(tmp_path_factory: pytest.TempPathFactory) -> ComparedSuite:
    """Slower by 10 %, with errors, another image and hostile texts."""
    folder = tmp_path_factory.mktemp("slower")
    base, new = rounds(
        folder,
        1.1,
        base={"facts": {"image": "one"}},
        new={"facts": {"image": HOSTILE}, "failed": [HOSTILE] * 4},
    )
    return compare_suites(base, new)


@pytest.fixture(scope="module")
def files(slower: ComparedSuite, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What is in each file, by kind."""
    written = write_comparison(slower, tmp_path_factory.mktemp("files"))
    assert [path.name for path in written] == [name for name, _ in FILES.values()]
    return {kind: path.read_text(encoding="utf-8") for kind, path in zip(FILES, written, strict=True)}


def metric(suite: ComparedSuite, name: str) -> MetricShift:
    return next(each for each in suite.scenarios[0].metrics if each.metric == name)


def test_the_schema_in_the_repository_is_current() -> None:
    text = json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"
    if os.environ.get("GENLOAD_WRITE_SCHEMA"):
        SCHEMA_FILE.write_text(text, encoding="utf-8")
    assert SCHEMA_FILE.read_text(encoding="utf-8") == text, "GENLOAD_WRITE_SCHEMA=1 writes it anew"


def test_json_is_as_its_schema_says(files: dict[str, str]) -> None:
    document: dict[str, Any] = json.loads(files["json"])
    jsonschema.validate(document, schema())
    assert (document["verdict"], document["exit_code"]) == ("regression", 1)
    [scenario] = document["scenarios"]
    p95 = next(each for each in scenario["metrics"] if each["metric"] == "generate.duration.p95")
    assert p95["shift"]["value"] == pytest.approx(0.1, abs=0.001)
    assert p95["base"] == pytest.approx([2.0, 2.024, 1.98, 2.012, 1.97])
    assert len(scenario["pictures"]["levels"]) == len(scenario["pictures"]["new"])


def test_markdown_says_what_differs_before_any_number(files: dict[str, str]) -> None:
    text = files["markdown"]
    assert text.startswith("# ❌ REGRESSION")
    assert text.index("| what differs |") < text.index("| metric | BASE |")
    assert "| `generate.duration.p95` | 2 s | 2.2 s | +10 % | +8.57 … +11.5 % | +5 % | ❌ worse |" in text
    assert "<script>" not in re.sub(r"(`+).*?\1", "", text)  # within a code span it is only told


def test_junit_has_a_testcase_a_judged_metric(files: dict[str, str], slower: ComparedSuite) -> None:
    root = ET.fromstring(files["junit"].encode())  # noqa: S314  our own
    cases = list(root.iter("testcase"))
    judged = slower.scenarios[0].judged
    assert [case.get("name") for case in cases] == [each.metric for each in judged]
    worse = [case for case in cases if case.find("failure") is not None]
    assert root.get("failures") == str(len(worse)) == str(sum(each.result == "regression" for each in judged))


def test_what_cannot_be_told_is_an_error_in_junit(tmp_path: Path) -> None:
    few = compare_suites(*rounds(tmp_path, count=1))
    [path] = write_comparison(few, tmp_path / "out", ["junit"])
    root = ET.fromstring(path.read_bytes())  # noqa: S314  our own
    assert root.get("errors") == root.get("tests") == str(len(few.scenarios[0].judged))


def test_the_page_says_what_differs_before_any_number(files: dict[str, str]) -> None:
    page = files["html"]
    assert page.index("What differs") < page.index("generate.duration.p95</code>")
    assert page.index("What differs") < page.index("Durations of both")
    assert "<script>alert" not in page
    assert all(title in page for title in ("NEW against BASE", "median duration", "95 % bounds"))


def test_changes_are_told_in_the_unit_of_their_scale(slower: ComparedSuite) -> None:
    rate, throughput = metric(slower, "generate.error_rate"), metric(slower, "generate.throughput")
    assert signed(0.04, rate) == "+4 points"
    assert signed(-0.101, throughput) == "−10.1 %"
    assert signed(0.0, throughput) == "0 %"
    assert (allowed(0.02, rate), allowed(0.05, throughput)) == ("+2 points", "−5 %")
    assert bounds(throughput).endswith(" %")
    up = msgspec.structs.replace(rate, metric="server.up.mean", unit="state", base_value=1.0, new_value=0.5)
    assert row(up)[1:3] == ("100 %", "50 %")  # a share of the time is one, as that of requests is


def test_a_bar_shows_worse_to_the_right(slower: ComparedSuite) -> None:
    slow, throughput = metric(slower, "generate.duration.p50"), metric(slower, "generate.throughput")
    bar, other = Bar.of(slow), Bar.of(throughput)
    assert bar is not None
    assert other is not None
    assert bar.low is not None and bar.high is not None
    assert bar.allowed[1] < bar.low < bar.value < bar.high
    assert other.value > 50  # fewer a second
    assert bar.allowed[0] == 0  # better is allowed without end


def test_a_scenario_that_only_one_side_has_makes_all_inconclusive(tmp_path: Path) -> None:
    base, new = rounds(tmp_path / "same")
    extra, _ = rounds(tmp_path / "extra", header={"scenario": "peak"}, count=1, scenarios=_two())
    suite = compare_suites([*base, *extra], new, CompareSettings())
    assert (suite.verdict, suite.exit_code) == ("inconclusive", 3)
    texts = [path.read_text() for path in write_comparison(suite, tmp_path / "out")]
    assert all("peak" in text for text in texts)


def _two() -> dict[str, Any]:
    scenario = {"shape": {"kind": "normal", "users": 2}, "criteria": {}}
    return {"normal": scenario, "peak": scenario}
