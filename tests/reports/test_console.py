"""The terminal: fits 80 columns, says every verdict, and obeys no escape sequence of a service."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console, RenderableType

from genload import console
from genload.analysis.judged import ErrorGroup, JudgedRun, JudgedSuite

from .judged_jobs import criterion
from .judged_speech import heard, speech

Kinds = dict[str, Callable[[], JudgedRun]]
MakeSuite = Callable[..., JudgedSuite]


def shown(view: RenderableType, *, width: int = 80, terminal: bool = False) -> str:
    output = io.StringIO()
    Console(file=output, width=width, force_terminal=terminal, color_system=None).print(view)
    return output.getvalue()


@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_line_is_wider_than_the_terminal(any_run: JudgedRun, make_suite: MakeSuite, width: int) -> None:
    for view in (console.verdict_view(any_run), console.suite_view(make_suite(any_run, missing=("x",)))):
        assert max(cell_len(line) for line in shown(view, width=width).splitlines()) <= width


def test_a_verdict_shows_a_line_a_criterion(kinds: Kinds) -> None:
    text = shown(console.verdict_view(kinds["passed"]()))
    assert "orfeas/baseline  PASS" in text
    assert re.search(r"^pass +avg_time_ok +82\.1 s +≤ 90 s +proven *$", text, re.MULTILINE)
    assert re.search(r"^pass +zero_errors +0 % += 0 % +unproven *$", text, re.MULTILINE)
    assert "generate.duration.mean" not in text
    assert "5 requests, 0 failed, mean 82.1 s, load 410.5 s, 1 ended after it" in text


def test_it_fits_a_screen_of_40_lines_however_much_there_is_to_say(
    make_run: Callable[..., JudgedRun],
) -> None:
    run = make_run(
        speech=speech(strata={"voice": {f"v{n}": heard() for n in range(30)}}),
        errors=[ErrorGroup(error_class=f"e{n}", count=9, messages=["a", "b", "c"]) for n in range(3)],
        notices=[f"notice {n}" for n in range(30)],
    )
    run.verdict.criteria = [criterion(f"criterion_{n}") for n in range(12)]
    text = shown(console.verdict_view(run))
    assert len(text.splitlines()) <= 40
    assert "26 more notes: --verbose" in text
    everything = shown(console.verdict_view(run, verbose=True))
    assert "notice 29" in everything and "voice v29" in everything


def test_of_many_rows_of_speech_its_phases_stay(make_run: Callable[..., JudgedRun]) -> None:
    voices = {f"v{n}": heard() for n in range(30)}
    strata = {"phase": {"stay": heard(), "crowd": heard()}, "voice": voices}
    text = shown(console.verdict_view(make_run(speech=speech(strata=strata))))
    assert "phase stay" in text and "phase crowd" in text and "voice v0" not in text


def test_verbose_shows_rule_and_evidence_in_sentences(kinds: Kinds) -> None:
    text = shown(console.verdict_view(kinds["passed"](), verbose=True))
    assert re.search(r"pass +avg_time_ok +82\.1 s", text)
    assert "generate.duration.mean in 75s..90s" in text
    assert "proven: 95 % bound 84.9 s if requests are independent" in text
    assert "5 requests, 0 failed, mean 82.1 s, load 410.5 s, 1 ended after it" in text


def test_what_users_slept_stands_beside_the_failures(kinds: Kinds) -> None:
    run = kinds["passed"]()
    run.client.user_seconds_asleep = 41.05
    text = " ".join(shown(console.verdict_view(run)).split())
    assert "5 requests, 0 failed, users slept 10 % of their time after failures" in text


def test_an_invalid_run_says_why_and_what_to_change(kinds: Kinds) -> None:
    text = shown(console.verdict_view(kinds["invalid"]()))
    assert "INVALID" in text
    assert "not valid: the client used 97 % of a core for 12 s\n    → use more workers" in text


def test_without_criteria_it_says_what_to_add(kinds: Kinds, make_suite: MakeSuite) -> None:
    text = " ".join(shown(console.verdict_view(kinds["no_criteria"]())).split())
    assert "orfeas/baseline NO CRITERIA → the scenario has no criterion that must hold" in text
    assert "add one under `criteria`, or `observe: true`" in text
    assert "observe: true" not in shown(console.verdict_view(kinds["observed"]()))
    assert "OBSERVED" in shown(console.suite_view(make_suite(kinds["observed"]())))


def test_what_is_reported_only_is_marked(kinds: Kinds) -> None:
    text = shown(console.verdict_view(kinds["failed"]()))
    assert text.count("reported only") == 1


def test_a_scaled_run_says_so_first(kinds: Kinds, make_suite: MakeSuite) -> None:
    for view in (
        console.verdict_view(kinds["scaled"]()),
        console.suite_view(make_suite(kinds["passed"](), kinds["scaled"]())),
    ):
        assert shown(view).startswith("REHEARSAL at time scale 0.02")


def test_a_suite_shows_each_scenario_and_what_was_not_run(kinds: Kinds, make_suite: MakeSuite) -> None:
    suite = make_suite(kinds["passed"](), kinds["failed"](), missing=("peak",), exit_code=1)
    text = shown(console.suite_view(suite))
    assert re.search(r"spike +FAIL +40 +10 +82\.1 s +∞ +410\.5 s", text)
    assert "not run: peak" in text
    assert text.rstrip().endswith("orfeas  FAIL")


@pytest.mark.parametrize("terminal", [True, False])
def test_text_of_a_service_is_shown_as_text(kinds: Kinds, terminal: bool) -> None:
    text = shown(console.verdict_view(kinds["hostile"]()), width=400, terminal=terminal)
    assert "[bold]rich[/bold] [/]" in text
    # Everything that rich itself writes with an escape is a style; a service's would be here as well.
    unstyled = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", unstyled)
    assert "owned" not in unstyled


def test_paths_are_printed_whole(
    kinds: Kinds, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    path = Path("/tmp/results/orfeas-20261121T140000Z/results_baseline.json")  # noqa: S108  only printed
    console.print_verdict(kinds["passed"](), [path])
    assert str(path) in capsys.readouterr().out


def test_a_suite_is_printed(kinds: Kinds, make_suite: MakeSuite, capsys: pytest.CaptureFixture[str]) -> None:
    console.print_suite(make_suite(kinds["passed"]()))
    assert "orfeas  PASS" in capsys.readouterr().out


def test_speech_is_told_by_voice_and_in_words(kinds: Kinds) -> None:
    text = shown(console.verdict_view(kinds["spoken"]()))
    assert re.search(r"voice am_puck +6 +2 +∞ +∞ +0.31 +0.5 +80 %", text)
    assert "length short" not in text  # the only one: it is what "all" says already
    assert "text length: 4.2 ms a character (95 %: 3.9 ms to 4.6 ms; 10 requests)" in text
    assert "pauses between arrivals: p50 20.3 ms, p95 24 ms, p99 41.1 ms" in text
    assert "audio: 3.9 s of audio a second, 39 s during the load" in text


def test_what_does_not_apply_to_speech_is_said(kinds: Kinds) -> None:
    text = " ".join(shown(console.verdict_view(kinds["whole_answers"]())).split())
    assert "playback: not applicable: no answer was streamed" in text
    assert "stalls valid" not in text
    assert "inspection: none: no answer was inspected" in text


def test_a_job_has_nothing_of_speech(kinds: Kinds) -> None:
    text = shown(console.verdict_view(kinds["passed"]()))
    assert not re.search("speech|playback|voice|audio", text)
