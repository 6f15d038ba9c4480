"""The page as text: whole, escaped, and closed to everything but itself."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest

from genload.analysis.judged import JudgedRun, JudgedSuite
from genload.extensions import load
from genload.reporting.page.worst import Margin, worst

from ..judged_jobs import criterion
from .recorded_runs import job_records, recorded

MakeSuite = Callable[..., JudgedSuite]
Kinds = dict[str, Callable[[], JudgedRun]]


def written(suite: JudgedSuite, folder: Path) -> str:
    [path] = load("reports", "html").render(suite, folder)
    assert path == folder / "report.html"
    return str(path.read_text(encoding="utf-8"))


class Elements(HTMLParser):
    """Every element with its attributes, and the text of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.own: dict[str, str] = {}
        self._within = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self._within = tag

    def handle_data(self, data: str) -> None:
        if self._within in ("script", "style"):
            self.own[self._within] = self.own.get(self._within, "") + data

    def handle_endtag(self, tag: str) -> None:
        self._within = ""


def test_every_kind_of_run_has_a_page(any_run: JudgedRun, make_suite: MakeSuite, tmp_path: Path) -> None:
    text = written(make_suite(any_run, missing=("peak",)), tmp_path)
    assert text.startswith("<!doctype html>")
    assert any_run.scenario in text
    assert "Not run:" in text and "There is no chart".lower() in text.lower()


def test_nothing_of_a_service_is_markup(
    make_suite: MakeSuite, kinds: Kinds, tmp_path: Path, hostile_text: str
) -> None:
    hostile = written(make_suite(kinds["hostile"]()), tmp_path)
    tame = written(make_suite(kinds["failed"]()), tmp_path)
    elements = {tag for tag, _ in Elements(tame).found} | {"tr", "td", "th"}
    assert {tag for tag, _ in Elements(hostile).found} <= elements | {"p"}
    assert [tag for tag, _ in Elements(hostile).found].count("script") == 1
    assert not any(character in hostile for character in "\x1b\x00\x08\u202e")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in hostile


def test_hostile_marks_and_names_in_charts_are_escaped(
    make_suite: MakeSuite, tmp_path: Path, hostile_text: str
) -> None:
    run = recorded(
        tmp_path / "normal", job_records(20, failed_every=5, error=hostile_text), notice=hostile_text
    )
    text = written(make_suite(run), tmp_path)
    assert [tag for tag, _ in Elements(text).found].count("script") == 1
    assert "<title>30 s: " in text and "&lt;script&gt;" in text


def test_the_policy_lets_only_its_own_script_and_style_in(
    make_suite: MakeSuite, kinds: Kinds, tmp_path: Path
) -> None:
    page = Elements(written(make_suite(kinds["failed"]()), tmp_path))
    policy = next(
        attributes["content"] or ""
        for tag, attributes in page.found
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    )
    for name in ("script", "style"):
        digest = b64encode(sha256(page.own[name].encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy
    # Attributes that the policy would refuse, and addresses that would leave the file.
    for tag, attributes in page.found:
        assert not any(name == "style" or name.startswith("on") for name in attributes), tag
        assert not re.match(r"\w+:|//", attributes.get("src") or attributes.get("href") or "") or tag == "img"


def test_the_first_lines_say_what_was_tested_and_whether_it_is_valid(
    make_suite: MakeSuite, make_run: Callable[..., JudgedRun], kinds: Kinds, tmp_path: Path
) -> None:
    text = written(make_suite(kinds["invalid"](), make_run("normal", identity={"model": "m1"})), tmp_path)
    assert "The measurement is not valid" in text and "the client used 97 % of a core for 12 s" in text
    assert "tested: model m1" in text
    assert "REHEARSAL at time scale 0.02" in written(make_suite(kinds["scaled"]()), tmp_path)


def test_the_scenario_that_failed_is_open(make_suite: MakeSuite, kinds: Kinds, tmp_path: Path) -> None:
    page = Elements(written(make_suite(kinds["passed"](), kinds["failed"](), exit_code=1), tmp_path))
    scenarios = [attributes for tag, attributes in page.found if attributes.get("class") == "scenario"]
    assert ["open" in attributes for attributes in scenarios] == [False, True]


@pytest.mark.parametrize(
    ("others", "first"),
    [
        ([], "near"),
        ([{"name": "lost", "result": "fail", "must": False}], "near"),
        ([{"name": "open", "result": "inconclusive", "value": None}], "open"),
        (
            [{"name": "failed", "result": "fail", "value": 1.1}, {"name": "open", "result": "inconclusive"}],
            "failed",
        ),
        ([{"name": "a", "result": "fail", "value": 1.1}, {"name": "b", "result": "fail", "value": 1.7}], "b"),
        ([{"name": "a", "result": "fail", "value": 1.7}, {"name": "=", "result": "fail", "op": "=="}], "="),
        ([{"name": "sure", "evidence": "exact", "value": 1.0}], "near"),
    ],
)
def test_the_criterion_that_matters_most_stands_first(
    make_run: Callable[..., JudgedRun], others: list[dict[str, object]], first: str
) -> None:
    base = {"op": "<=", "threshold": 1.0, "value": 0.5}
    run = make_run()
    run.verdict.criteria = [
        criterion("far", **{**base, "value": 0.1}),
        criterion("near", **{**base, "value": 0.9}),
        *(criterion(**{**base, **other}) for other in others),
    ]
    found = worst(run)
    assert found is not None
    assert found.name == first


@pytest.mark.parametrize(
    ("value", "text", "left", "width"),
    [
        (0.75, "25 % inside", 50.0, 12.5),
        (1.5, "50 % past", 25.0, 25.0),
        (9.0, "800 % past", 0.0, 50.0),
        (657.9, "658 times", 0.0, 50.0),
        (None, "", 50.0, 0.0),
    ],
)
def test_a_margin_is_a_bar_from_its_threshold(
    value: float | None, text: str, left: float, width: float
) -> None:
    assert Margin.of(criterion(op="<=", threshold=1.0, value=value)) == Margin(text, left, width)
