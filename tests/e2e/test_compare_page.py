"""compare.html in Chromium: what a reader sees first, in light and dark, on a screen and on a phone."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from genload.analysis.comparison import CompareSettings, compare_suites
from genload.reporting.comparison import write_comparison

from ..analysis.comparison.builds import rounds
from ..reports.judged_hostile import HOSTILE
from .conftest import SCREEN

pytestmark = pytest.mark.processes

PHONE = {"width": 390, "height": 844}

QUESTIONS = {
    "Is it worse?": "h1 .badge",
    "What was compared?": ".compare h2",
    "What differs besides the build?": ".differences tbody tr",
    "How many runs?": ".side",
    "Which metric is worse?": ".judged tbody tr:has(.badge.fail) th",
    "By how much?": ".judged tbody tr:has(.badge.fail) td:nth-child(4)",
    "How sure is that?": ".judged tbody tr:has(.badge.fail) td:nth-child(6)",
}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A slower build with hostile texts, another image and another seed."""
    folder = tmp_path_factory.mktemp("compared")
    new = {"facts": {"image": HOSTILE}, "failed": [HOSTILE] * 4, "header": {"seed": 8}}
    sides = rounds(folder, 1.1, base={"facts": {"image": "one"}}, new=new)
    [path] = write_comparison(compare_suites(*sides, CompareSettings(allow_different=True)), folder, ["html"])
    return path


def test_the_first_screen_answers_and_what_differs_comes_before_any_number(page: Page) -> None:
    places = []
    for selector in QUESTIONS.values():
        answer = page.locator(selector).first
        box = answer.bounding_box()
        assert box is not None, selector
        assert box["y"] + box["height"] <= SCREEN["height"], selector
        assert answer.inner_text().strip(), selector
        places.append(box["y"])
    assert places == sorted(places)


def test_both_sides_are_on_one_axis(page: Page) -> None:
    names = page.locator(".panel").evaluate_all(
        "all => all.map((each) => [...each.querySelectorAll('path[data-name]')].map((p) => p.dataset.name))"
    )
    assert names == [["BASE", "NEW"], ["equal builds", "percentiles 1 to 99.9"], ["BASE", "NEW"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [SCREEN, PHONE], ids=["screen", "phone"])
def test_it_fits_and_meets_wcag_aa(page: Page, scheme: str, size: dict[str, int]) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size(size)  # type: ignore[arg-type]
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    rules = {
        "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"],
        "resultTypes": ["violations"],
    }
    found = Axe().run(page, options=rules)
    assert found.violations_count == 0, found.generate_report()
