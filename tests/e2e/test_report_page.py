"""report.html in Chromium: what a reader sees, can do, and is asked to trust."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from genload.analysis.judge import judge_log
from genload.analysis.judged import Change, JudgedSuite, MetricChange
from genload.analysis.plan import constant
from genload.extensions import load

from ..harness.simulated_search import plan_of, search
from ..reports.judged_hostile import HOSTILE
from ..reports.page.recorded_runs import job_records, keep_box, keep_silence, recorded, spoken
from .conftest import SCREEN

pytestmark = pytest.mark.processes

PHONE = {"width": 390, "height": 844}

QUESTIONS = {
    "Did it pass?": "h1 .badge",
    "What was the suite?": "h1",
    "Is the measurement valid, and why not?": "#validity",
    "What was tested?": "#identity",
    "When?": "#when",
    "Was everything run?": "#validity b:has-text('Not run:')",
    "Which scenario decides?": ".scenarios tbody tr:nth-child(2) .badge",
    "Which of its criteria?": ".scenarios tbody tr:nth-child(2) td:nth-child(3)",
    "How near is it to its limit?": ".scenarios tbody tr:nth-child(2) td:nth-child(6)",
    "What has changed since the baseline?": "#change",
    "What most, in this scenario?": ".scenarios tbody tr:nth-child(2) td:nth-child(7)",
    "How many requests, how many failed, how fast?": ".scenarios tbody tr:nth-child(2) td:last-child",
}
"""What docs/reports.md says that the first screen answers, and where the answer is."""


CHANGE = Change(
    baseline="main",
    verdict="regression",
    summary="1 of 3 judged metrics got worse: generate.duration.mean",
    base_runs=3,
    new_runs=1,
    floor="2026-11-20T09:00:00+00:00",
    differences=["seed: 1, 2, 3 → 7"],
    metrics=[
        MetricChange(
            metric="generate.duration.mean",
            unit="s",
            base=1.0,
            new=1.3,
            change=0.3,
            low=0.25,
            high=0.35,
            is_difference=False,
            in_points=False,
            result="regression",
            reason="worse by 30 % for sure (p < 0.0001), more than 5 %",
        )
    ],
)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three scenarios: one that passes, one with failures and hostile texts, speech of several lengths."""
    folder = tmp_path_factory.mktemp("suite")
    failed = recorded(folder / "failed", job_records(100, failed_every=7, error=HOSTILE), notice=HOSTILE)
    keep_box(failed)
    runs = [recorded(folder / "passed"), failed, spoken(folder / "spoken")]
    for run, name in zip(runs, ("passed", "failed", "spoken"), strict=True):
        run.scenario, run.identity = name, {"model": "relief 2", "gpu": "H200"}
    for run in runs:
        run.change = CHANGE
    suite = JudgedSuite(suite="orfeas", runs=runs, missing=["peak"], exit_code=1)
    [path] = load("reports", "html").render(suite, folder)
    return Path(path)


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_first_screen_answers(page: Page, question: str) -> None:
    answer = page.locator(QUESTIONS[question]).first
    box = answer.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= SCREEN["height"]
    assert box["x"] + box["width"] <= SCREEN["width"]
    assert answer.inner_text().strip()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [SCREEN, PHONE], ids=["screen", "phone"])
def test_it_meets_wcag_aa(page: Page, scheme: str, size: dict[str, int]) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size(size)  # type: ignore[arg-type]
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    rules = {
        "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"],
        "resultTypes": ["violations"],
    }
    found = Axe().run(page, options=rules)
    assert found.violations_count == 0, found.generate_report()


def test_it_fits_a_phone(page: Page) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_one_line_reads_all_charts_at_a_moment(page: Page) -> None:
    timeline = page.locator("details[open] .timeline")
    plot = timeline.locator(".plot").nth(2)
    box = plot.bounding_box()
    assert box is not None
    plot.hover(position={"x": box["width"] / 2, "y": 20})
    words = timeline.locator(".readout").inner_text()
    assert words.startswith("30 s · ")
    for expected in (
        "users: asked for 2, working 2",
        "gpu 0, exposition 90 %",
        "gpu 1, exposition 10 %",
        "p50 1 s",
        "queue 0.2 s, run 0.8 s",
    ):
        assert expected in words
    places = timeline.locator(".cross").evaluate_all("all => all.map((each) => each.getAttribute('d'))")
    assert len(set(places)) == 1 and len(places) >= 6


def test_a_stretch_is_looked_at_closely_and_all_again(page: Page) -> None:
    timeline = page.locator("details[open] .timeline")
    plot, data = timeline.locator(".plot").first, timeline.locator(".data").first
    whole, times = data.get_attribute("viewBox"), timeline.locator(".times").inner_html()
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 10, steps=3)
    page.mouse.up()
    views = timeline.locator(".data").evaluate_all("all => all.map((each) => each.getAttribute('viewBox'))")
    assert len(set(views)) == 1
    left, _, width, _ = (float(number) for number in views[0].split())
    assert (left, width) == (pytest.approx(2500, abs=20), pytest.approx(2500, abs=20))
    assert (timeline.locator(".times text").first.text_content() or "").startswith("15")
    timeline.focus()
    page.keyboard.press("Escape")
    assert data.get_attribute("viewBox") == whole
    assert timeline.locator(".times").inner_html() == times


def test_the_keys_move_the_line_and_zoom(page: Page) -> None:
    timeline = page.locator("details[open] .timeline")
    timeline.focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    assert timeline.locator(".cross").first.get_attribute("d") == "M1000 0v1000"
    page.keyboard.press("+")
    assert (timeline.locator(".data").first.get_attribute("viewBox") or "").startswith("500 ")


def test_a_link_opens_its_scenario(page: Page) -> None:
    scenarios = page.locator("details.scenario")
    assert [each.get_attribute("open") is not None for each in scenarios.all()] == [True, False, False]
    page.locator(".scenarios a", has_text="spoken").click()
    assert scenarios.nth(2).get_attribute("open") is not None
    assert page.locator("#scenario-3").bounding_box() is not None


def test_failed_outputs_can_be_seen(page: Page) -> None:
    image = page.locator(".sample img")
    assert image.evaluate("each => each.decode().then(() => each.naturalWidth)") == 320
    link = page.locator(".sample a").get_attribute("href")
    assert link == "failed/failures/job_failed/1-a.stl"


def test_what_is_printed_is_all_of_it(page: Page) -> None:
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details.scenario:not([open])").count() == 0
    page.emulate_media(media="print")
    assert page.locator("h2:visible").count() == 3


def test_audio_can_be_played(browser: Browser, tmp_path: Path) -> None:
    run = recorded(tmp_path / "spoken", job_records(20, failed_every=5))
    keep_silence(run)
    [path] = load("reports", "html").render(
        JudgedSuite(suite="s", runs=[run], missing=[], exit_code=1), tmp_path
    )
    opened = browser.new_page()
    opened.goto(Path(path).as_uri())
    play = """each => new Promise((done, failed) => {
        each.onended = () => done(each.duration);
        each.onerror = failed;
        each.muted = true;
        each.play();
    })"""
    assert opened.locator("audio").evaluate(play) == pytest.approx(0.5, abs=0.01)
    opened.close()


def test_names_of_levels_do_not_lie_on_each_other(browser: Browser, tmp_path: Path) -> None:
    """A level has three phases, some of them narrow; the name of the measured one is the one to read."""
    capacity = "{of: users, from: 1, to: 8, step: {settle: 10s, measure: 30s}, holds: [fast]}"
    run = judge_log(search(plan_of(tmp_path, capacity), constant(1.0, 3)).log)
    [path] = load("reports", "html").render(
        JudgedSuite(suite="s", runs=[run], missing=[], exit_code=0), tmp_path
    )
    opened = browser.new_page(viewport=SCREEN)  # type: ignore[arg-type]
    opened.goto(Path(path).as_uri())
    seen = opened.locator(".names text").evaluate_all(
        """names => names.filter(name => name.style.visibility !== "hidden").map(name => {
            const { left, right } = name.getBoundingClientRect();
            return [name.textContent, left, right];
        })"""
    )
    assert [name for name, *_ in seen] == [f"level{number}" for number in range(1, 6)]
    assert all(right < left for (_, _, right), (_, left, _) in pairwise(seen))
    opened.close()
