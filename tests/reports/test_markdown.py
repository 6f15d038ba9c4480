"""summary.md: the verdicts for people, safe on GitHub whatever the service said."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from genload.analysis.judged import ErrorGroup, JudgedRun, JudgedSuite
from genload.extensions import load

report = load("reports", "markdown")
MakeSuite = Callable[..., JudgedSuite]
Kinds = dict[str, Callable[[], JudgedRun]]


def written(suite: JudgedSuite, folder: Path) -> str:
    [path] = report.render(suite, folder)
    assert path == folder / "summary.md"
    return str(path.read_text(encoding="utf-8"))


def outside_code(text: str) -> str:
    """The text without its code spans (a fence is matched by one of the same length)."""
    return re.sub(r"(?<![\\`])(`+)(?!`).*?(?<!`)\1(?!`)", "", text)


def test_the_verdict_of_suite_and_scenario_stands_in_their_headings(
    tmp_path: Path, make_suite: MakeSuite, kinds: Kinds
) -> None:
    text = written(make_suite(kinds["passed"](), kinds["failed"](), exit_code=1), tmp_path)
    assert text.startswith("# orfeas: ❌ FAIL\n")
    assert "## baseline: ✅ PASS" in text and "## spike: ❌ FAIL" in text


def test_a_scaled_run_says_so_on_the_first_line(tmp_path: Path, make_suite: MakeSuite, kinds: Kinds) -> None:
    first = written(make_suite(kinds["passed"](), kinds["scaled"]()), tmp_path).splitlines()[0]
    assert "REHEARSAL at time scale 0.02" in first


def test_criteria_phases_stages_and_errors_are_there(
    tmp_path: Path, make_suite: MakeSuite, kinds: Kinds
) -> None:
    text = written(make_suite(kinds["failed"](), missing=("peak",)), tmp_path)
    assert r"| ❌ fail | spike\_error\_rate\_ok | `generate.error_rate{phase=spike} < 10%` | 25 % |" in text
    assert r"❌ fail (reported only) | gpu\_memory\_stable" in text
    assert "| spike | 20 |" in text and "| run | 81 s |" in text
    assert "- timeout × 2: `no answer within 300 s`" in text
    assert "Not run: `peak`" in text


def test_without_criteria_it_says_what_to_add(tmp_path: Path, make_suite: MakeSuite, kinds: Kinds) -> None:
    text = written(make_suite(kinds["no_criteria"]()), tmp_path)
    assert text.startswith("# orfeas: ⚠️ NO CRITERIA\n")
    assert "it cannot pass: add one under" in text


def test_what_users_slept_stands_below_the_errors(
    tmp_path: Path, make_suite: MakeSuite, kinds: Kinds
) -> None:
    run = kinds["failed"]()
    run.client.user_seconds_asleep = 41.05
    text = written(make_suite(run), tmp_path)
    assert re.search(r"^- timeout .*\n- users slept 10 % of their time after", text, re.MULTILINE)


def test_reasons_come_with_what_to_change(tmp_path: Path, make_suite: MakeSuite, kinds: Kinds) -> None:
    text = written(make_suite(kinds["invalid"]()), tmp_path)
    assert "- **the client used 97 % of a core for 12 s** → use more workers" in text


def test_a_percentile_that_failures_made_infinite_is_not_unknown(
    tmp_path: Path, make_suite: MakeSuite, kinds: Kinds
) -> None:
    failed, empty = kinds["failed"](), kinds["inconclusive"]()
    rows = [line for line in written(make_suite(failed, empty), tmp_path).splitlines() if "| " in line]
    assert next(row for row in rows if row.startswith("| spike")).count("∞") == 1
    assert "∞" not in next(row for row in rows if row.startswith("| sustained"))


def test_every_row_of_a_table_has_its_number_of_cells(
    tmp_path: Path, make_suite: MakeSuite, any_run: JudgedRun
) -> None:
    cells = 0
    for line in written(make_suite(any_run), tmp_path).splitlines():
        if not line.startswith("|"):
            cells = 0
            continue
        count = len(re.findall(r"(?<!\\)\|", line))
        assert cells in (0, count), line
        cells = count


def test_hostile_text_is_neither_markup_nor_link_nor_mention(
    tmp_path: Path, make_suite: MakeSuite, kinds: Kinds
) -> None:
    text = written(make_suite(kinds["hostile"]()), tmp_path)
    prose = outside_code(text)
    assert "job\\_failed × 3:" in prose
    for forbidden in ("<script", "@admin", "http://", "\x1b", "\x00", "\u202e"):
        assert forbidden not in prose
    assert not re.search(r"(?<!\\)\[", prose)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", text)


@pytest.mark.parametrize("message", ["`", "``", "a`b``c", "`start and end`", "\n\n# heading", "|", "</code>"])
def test_a_message_stays_inside_its_code_span(
    tmp_path: Path, make_suite: MakeSuite, kinds: Kinds, message: str
) -> None:
    run = kinds["passed"]()
    run.errors = [ErrorGroup(error_class="x", count=1, messages=[message])]
    line = next(
        line for line in written(make_suite(run), tmp_path).splitlines() if line.startswith("- x × 1: ")
    )
    span = line.removeprefix("- x × 1: ")
    fence = re.match("`+", span)
    assert fence is not None and span.endswith(fence[0])
    inner = span[len(fence[0]) : -len(fence[0])]
    assert inner.strip() == " ".join(message.split())
    assert not re.search(rf"(?<!`){fence[0]}(?!`)", inner)


def test_speech_has_a_row_a_voice_and_a_line_a_finding(
    tmp_path: Path, make_suite: MakeSuite, kinds: Kinds
) -> None:
    text = written(make_suite(kinds["spoken"](), kinds["whole_answers"]()), tmp_path)
    assert r"| voice am\_puck | 6 | 2 | 33.3 % | 210 ms | ∞ | 1.2 s | ∞ | 0.31 | 0.5 | 80 % |" in text
    assert "- text length: 4.2 ms a character (95 %: 3.9 ms to 4.6 ms; 10 requests)" in text
    assert "- playback: 10 streams, 0.5 stalls each; longest wait 340 ms; no wait over 50 ms in 80 %" in text
    assert "| 0.31 | not streamed | – |" in text
    assert "- playback: not applicable: no answer was streamed" in text


def test_a_job_has_no_section_on_speech(tmp_path: Path, make_suite: MakeSuite, kinds: Kinds) -> None:
    assert not re.search("speech|TTFA|Heard|playback", written(make_suite(kinds["passed"]()), tmp_path))


def test_a_sample_is_told_by_its_size(tmp_path: Path, make_suite: MakeSuite, kinds: Kinds) -> None:
    run = kinds["spoken"]()
    assert run.speech is not None
    run.speech.overall.inspected_requests, run.speech.overall.streamed_requests = 2, 7
    run.speech.overall.stalls_per_stream = None
    text = written(make_suite(run), tmp_path)
    assert "| 7 of 10 streamed | 90.9 % of 2 |" in text
    assert "- inspection: 2 of 11 answers, 90.9 % of them valid" in text
