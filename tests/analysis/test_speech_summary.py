"""What reports are handed about speech: strata, playback, pauses, text length."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rich.console import Console

from genload import console
from genload.analysis.judge import judge_log
from genload.analysis.judged import CriterionVerdict
from genload.analysis.judged.speech import Bursts, SpeechSummary
from genload.artifacts.audio.playback import gap_class
from genload.extensions import load
from genload.reporting.findings import Finding, findings
from genload.reporting.request_wording import speech_findings, strata
from genload.runlog.records import RequestRecord

from .memory_log import job, never_ready, sound_run
from .speech_log import LABELS, speech_run, spoken

Judge = Callable[..., CriterionVerdict]
GOLDEN = Path(__file__).parent / "golden_results_speech.json"


def streamed(n: int) -> RequestRecord:
    """Request n of twelve: 10 ms a character beside 100 ms, its sound after 50 ms; every third stalls."""
    characters = (5, 50, 246)[n % 3]
    waits = 2 if n % 3 == 2 else 0
    record = spoken(
        n,
        n * 2.0,
        0.1 + characters * 0.01,
        characters=characters,
        ttfa_s=0.05 + n / 1000,
        audio_duration_s=characters * 0.05,
        rtf=(0.1 + characters * 0.01) / (characters * 0.05),
        streamed=1.0,
        stalls=waits,
        underrun_s=0.06 * waits,
        startup_buffer_s=0.06 * waits,
        valid=1.0,
    )
    record.labels = {
        "voice": ("af_heart", "am_puck")[n % 2],
        "length": ("short", "medium", "long")[n % 3],
        "text": "new",
        "cache": ("miss", "hit")[n >= 9],
    }
    record.gaps = {gap_class(0.02): 9, gap_class(0.3): 1}
    return record


RECORDS = [streamed(n) for n in range(12)]
BROKEN = streamed(12)
BROKEN.outcome, BROKEN.error_class, BROKEN.error = "failed", "silent_audio", "0.4 s of silence"
BROKEN.numbers, BROKEN.gaps = {"characters": 5.0, "valid": 0.0}, {}

CRITERIA = {
    "first_audio": "speech.ttfa.p50 < 300ms",
    "all_audio_valid": "speech.valid_rate == 100%",
    "every_voice": "each(voice): speech.error_rate < 20%",
    "speed": "speech.per_character < 20ms",
}


def summary_of(records: list[RequestRecord]) -> SpeechSummary:
    speech = judge_log(speech_run(records)).speech
    assert speech is not None
    return speech


def test_every_stratum_that_was_planned_or_came() -> None:
    strata = summary_of([*RECORDS, BROKEN]).strata
    assert {label: list(values) for label, values in strata.items()} == {
        "phase": ["steady"],
        "voice": ["af_heart", "am_puck"],
        "length": ["short", "long", "medium"],  # the planned first
        "text": ["new", "repeat"],
        "cache": ["hit", "miss"],
    }
    heart, puck = strata["voice"]["af_heart"], strata["voice"]["am_puck"]
    assert (heart.total_requests, heart.failed_requests, heart.inspected_requests) == (7, 1, 7)
    assert heart.error_rate == pytest.approx(100 / 7)
    assert heart.valid_rate == pytest.approx(600 / 7)
    assert heart.p50_ttfa == pytest.approx(0.056)  # 50, 52, 54, 56, 58, 60 ms and one infinite
    assert heart.p95_ttfa == float("inf")
    assert puck.p95_duration == pytest.approx(2.56)
    assert puck.stalls_per_stream == pytest.approx(4 / 6)
    nothing = strata["text"]["repeat"]
    assert (nothing.total_requests, nothing.error_rate, nothing.p50_ttfa) == (0, None, None)
    assert strata["cache"]["hit"].total_requests == 4  # the broken one among them
    long = strata["length"]["long"]
    assert long.avg_rtf == pytest.approx(2.56 / 12.3)


def test_each_phase_has_its_own_numbers() -> None:
    for record in (records := [streamed(n) for n in range(12)])[6:]:
        record.phase = "crowd"
        record.numbers["ttfa_s"] = 0.5
    names = [("steady", 12.0), ("crowd", 48.0), ("after", 60.0)]
    log = speech_run(records, phases=[{"name": name, "duration_s": s, "users": 2} for name, s in names])
    speech = judge_log(log).speech
    assert speech is not None
    phases = speech.strata["phase"]
    assert list(phases) == ["steady", "crowd", "after"]
    assert [phase.total_requests for phase in phases.values()] == [6, 6, 0]
    assert phases["steady"].p95_ttfa == pytest.approx(0.055)
    assert phases["crowd"].p95_ttfa == pytest.approx(0.5)
    assert phases["crowd"].stalls_per_stream == pytest.approx(4 / 6)
    assert phases["after"].avg_rtf is None
    assert [name for name, _ in strata(speech)][:4] == ["all", "phase steady", "phase crowd", "phase after"]


def test_a_cache_that_nothing_was_planned_for_has_the_rows_that_it_answered() -> None:
    labels = {name: values for name, values in LABELS.items() if name != "text"}

    def rows(*, cache: str, labels: dict[str, list[str]]) -> list[str]:
        records = [streamed(n) for n in range(12)]
        for record in records:
            record.labels["cache"] = cache
        speech = judge_log(speech_run(records, labels=labels)).speech
        assert speech is not None
        return list(speech.strata["cache"])

    assert rows(cache="miss", labels=labels) == ["miss"]
    assert rows(cache="hit", labels=labels) == ["hit"]
    assert rows(cache="miss", labels=LABELS) == ["hit", "miss"], "repeats were asked for, and hit no cache"


def test_what_is_said_of_all_answers() -> None:
    speech = summary_of([*RECORDS, BROKEN])
    assert (speech.answers, speech.overall.total_requests) == (13, 13)
    assert speech.audio_seconds == pytest.approx(4 * (5 + 50 + 246) * 0.05)
    assert speech.audio_per_second == pytest.approx(4 * (5 + 50 + 246) * 0.05 / 60)
    assert speech.per_character is not None and speech.playback is not None and speech.gaps is not None
    assert speech.per_character.requests == 12
    assert speech.per_character.slope == pytest.approx(0.01)
    assert speech.per_character.low == pytest.approx(0.01) == speech.per_character.high
    assert speech.playback.streams == 12
    assert speech.playback.stalls_per_stream == pytest.approx(8 / 12)
    assert speech.playback.longest_underrun == pytest.approx(0.12)
    assert speech.playback.underrun_within_50ms == pytest.approx(800 / 12)
    assert speech.playback.underrun_within_100ms == pytest.approx(800 / 12)
    assert speech.playback.underrun_within_200ms == 100
    # 108 pauses of 20 ms and 12 of 300 ms, each to 1 %.
    assert speech.gaps.count == 120
    assert speech.gaps.p50 == pytest.approx(0.02, rel=0.011)
    assert speech.gaps.p95 == pytest.approx(0.3, rel=0.011)
    assert speech.missing == {}


def test_what_there_is_nothing_to_say_of_is_said_in_words() -> None:
    speech = summary_of([spoken(n, n / 10, characters=50, streamed=0.0) for n in range(20)])
    assert (speech.per_character, speech.gaps, speech.playback) == (None, None, None)
    assert set(speech.missing) == {"per_character", "gaps", "playback", "inspection"}
    assert speech.missing["playback"].startswith("not applicable: no answer was streamed")
    assert speech.overall.stalls_per_stream is None
    speech = summary_of([spoken(n, n / 10, 1.0, "failed") for n in range(20)])
    assert speech.missing["inspection"] == "none: no answer came"
    assert (speech.audio_per_second, speech.overall.p50_ttfa) == (None, float("inf"))
    assert summary_of([]).overall.error_rate is None


def test_answers_that_cannot_be_inspected_are_counted_apart() -> None:
    records = [spoken(n, n / 10, valid=1.0) for n in range(10)]
    for record in records[:4]:
        record.numbers = {"cannot_inspect": 1.0}
    speech = summary_of(records)
    assert (speech.answers, speech.overall.inspected_requests, speech.overall.valid_rate) == (10, 6, 100.0)
    assert speech.overall.cannot_inspect_requests == 4
    assert (
        dict(speech_findings(speech))["inspection"]
        == "6 of 10 answers, 100 % of them valid; 4 cannot be inspected here"
    )
    speech = summary_of(records[:4])
    assert dict(speech_findings(speech))["inspection"] == "none: 4 answers cannot be inspected here"


def test_of_a_sample_the_playback_is_of_those_decoded() -> None:
    records = [streamed(n) for n in range(60)]
    for record in records[1::2]:
        for name in ("valid", "stalls", "underrun_s", "startup_buffer_s", "ttfa_s", "rtf"):
            del record.numbers[name]
    speech = summary_of(records)
    assert speech.playback is not None and speech.playback.streams == 30
    assert (speech.answers, speech.overall.inspected_requests) == (60, 30)
    assert speech.overall.stalls_per_stream == pytest.approx(20 / 30)


def test_everything_in_one_burst_is_a_finding_with_the_share_of_answers(judge_one: Judge) -> None:
    long = [spoken(n, n / 10, sent_as_made=float(n >= 3), streamed=float(n >= 3)) for n in range(8)]
    log = speech_run([*long, *(spoken(n, n / 10, streamed=1.0) for n in range(8, 20))])
    assert judge_one(log, "speech.sent_as_made == 100%").value == pytest.approx(5 / 8)
    run = judge_log(log)
    assert run.speech is not None and run.speech.bursts == Bursts(
        answers=8, in_one_burst=3, in_one_burst_rate=37.5
    )
    title = "everything in one burst at the end"
    text = dict(speech_findings(run.speech))[title]
    assert text.startswith("3 of 8 answers (37.5 %) were sent as streams and made whole first")
    assert Finding(title, text) in dict(findings(run))["Heard"]  # as summary.md and report.html have it
    output = io.StringIO()
    Console(file=output, width=300, color_system=None).print(console.verdict_view(run))
    assert f"{title}: {text}" in output.getvalue()
    results = load("reports", "results_json")
    written = json.loads(results.encode(results.results(run)))["speech"]["bursts"]
    assert written == {"answers": 8, "in_one_burst": 3, "in_one_burst_rate": 37.5}
    for records, answers in ((long[3:], 5), ([spoken(0, 0.0)], None)):  # all as made; too short to tell
        speech = summary_of(records)
        assert (speech.bursts and speech.bursts.answers) == answers
        assert title not in dict(speech_findings(speech))


def test_there_is_none_of_it_for_jobs_and_for_a_load_that_never_began() -> None:
    assert judge_log(sound_run([job(0, 0.0)])).speech is None
    assert judge_log(never_ready()).speech is None
    results = load("reports", "results_json")
    assert '"speech"' not in results.encode(results.results(judge_log(sound_run([job(0, 0.0)]))))


def test_of_no_answer_nothing_is_said_but_that_there_was_none() -> None:
    refused = [
        msgspec.structs.replace(each, outcome="failed", error_class="refused", numbers={}, gaps={}, stages={})
        for each in RECORDS
    ]
    speech = judge_log(speech_run(refused, CRITERIA)).speech
    assert speech is not None
    assert list(speech_findings(speech)) == [("answers", "none came, so there was nothing to hear")]


def rounded(value: Any) -> Any:
    """A document whose numbers do not show how a machine rounds their last digits."""
    if isinstance(value, dict):
        return {name: rounded(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [rounded(inner) for inner in value]
    return float(f"{value:.9g}") if isinstance(value, float) else value


def test_the_whole_document_of_a_run_of_speech_stays_as_it_is() -> None:
    """A field renamed, dropped or moved is a change for every reader of these files: make it on purpose."""
    results = load("reports", "results_json")
    text = results.encode(results.results(judge_log(speech_run([*RECORDS, BROKEN], CRITERIA))))
    written = json.dumps(rounded(json.loads(text)), indent=2)
    if os.environ.get("GENLOAD_WRITE_GOLDEN"):
        GOLDEN.write_text(written + "\n", encoding="utf-8")
    assert written == GOLDEN.read_text(encoding="utf-8").rstrip()
