"""A page that a proxy answers is quoted once in a report, wherever else its words come."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from genload import console
from genload.analysis.judged import ErrorGroup, JudgedRun, JudgedSuite
from genload.analysis.monitors import MonitorSummary
from genload.extensions import load
from genload.reporting.quotes import SAID, Quotes

PAGE = "502 Bad Gateway nginx/1.22.1 the backend gpu1:5000 gave no answer"
NO_JSON = "not a JSON object but text/html: is this an ORFEAS? It says: "


@pytest.fixture
def behind_a_proxy(make_run: Callable[..., JudgedRun]) -> JudgedRun:
    """The page came as an answer of three kinds, in the warm-up, and to a monitor."""
    monitor = MonitorSummary(
        monitor="gpu", expected=60, came=12, errors=48, last_error=f"gpu1: {PAGE}", hung=False
    )
    return make_run(
        errors=[
            ErrorGroup(error_class="bad_answer", count=9, messages=[NO_JSON + PAGE]),
            ErrorGroup(error_class="http_502", count=3, messages=[PAGE, "the upstream closed"]),
            ErrorGroup(error_class="http_504", count=2, messages=[f"submit: {PAGE}"]),
        ],
        monitors=[monitor],
        notices=[f"of the warm-up's 5 requests 5 failed (http_502: {PAGE}): it was not warm"],
    )


def on_terminal(run: JudgedRun) -> str:
    output = io.StringIO()
    Console(file=output, width=300, color_system=None).print(console.verdict_view(run, verbose=True))
    return output.getvalue()


def test_the_terminal_quotes_a_page_once(behind_a_proxy: JudgedRun) -> None:
    text = on_terminal(behind_a_proxy)
    assert text.count(PAGE) == 1
    assert NO_JSON + PAGE in text, "where it comes first"
    lines = [line.strip() for line in text.splitlines()]
    assert lines[lines.index("http_502 × 3") + 1 :][:2] == [SAID, "the upstream closed"]
    assert lines[lines.index("http_504 × 2") + 1] == f"submit: {SAID}"
    assert f"the last: gpu1: {SAID}" in text
    assert f"5 failed (http_502: {SAID}): it was not warm" in text


def test_the_summary_for_people_quotes_a_page_once(
    behind_a_proxy: JudgedRun, make_suite: Callable[..., JudgedSuite], tmp_path: Path
) -> None:
    (file,) = load("reports", "markdown").render(make_suite(behind_a_proxy, behind_a_proxy), tmp_path)
    text = file.read_text(encoding="utf-8")
    assert text.count(PAGE) == 2, "once for each scenario"
    assert f"- http\\_502 × 3: `{SAID}`, `the upstream closed`" in text
    assert f"- http\\_504 × 2: `submit: {SAID}`" in text


def test_short_words_and_words_that_only_begin_alike_are_told_again() -> None:
    quotes = Quotes()
    for text in ("Connection refused", "poll: Connection refused", f"{PAGE} (1)", f"{PAGE} (2)"):
        assert quotes.once(text, text) == text


def test_what_genload_says_itself_is_said_of_each() -> None:
    quotes = Quotes()
    for worker in ("w0", "w1"):
        text = f"worker {worker} was lost: its last sign came 12 s into the run, and nothing after it"
        assert quotes.once(text) == text


def test_a_page_of_full_length_is_known_in_the_sentence_around_it() -> None:
    """Cut to a line's length first, the sentence would lose its end, and the page would not be known."""
    page = ("502 Bad Gateway " * 40)[:499] + "…"
    quotes = Quotes()

    assert quotes.once(page, page) == page
    assert (
        quotes.once(f"1 failed (http_502: {page}): it was not warm")
        == f"1 failed (http_502: {SAID}): it was not warm"
    )
