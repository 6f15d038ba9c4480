"""Numbers and words for people: known answers, and no text of a service that gets through."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genload.analysis.judged import JudgedRun, JudgedSuite, Verdict
from genload.human import human, shown_in
from genload.plain import plain
from genload.reporting.wording import (
    explained,
    human_percentile,
    rehearsal_note,
    suite_word,
    utc,
    verdict_word,
)
from genload.settings.criteria.ast import Dimension

MakeRun = Callable[..., JudgedRun]

BYTES = {name: 1024.0**-power for power, name in enumerate(("B", "KiB", "MiB", "GiB", "TiB"))}
TIMES = {"µs": 1e6, "ms": 1e3, "s": 1.0, "min": 1 / 60, "h": 1 / 3600}
FACTORS = {**TIMES, "/s": 1.0, "/min": 60.0, **BYTES, **{f"{name}/s": each for name, each in BYTES.items()}}
"""What one of the base unit is in each."""


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.00099999, "s", "1 ms"),
        (0.99996, "s", "1 s"),
        (599.97, "s", "10 min"),
        (1023.97 * 1024, "bytes", "1 MiB"),
        (0.9999, "1/s", "1/s"),
        (82.1, "s", "82.1 s"),
        (0.0123, "s", "12.3 ms"),
        (0.0, "s", "0 s"),
        (0.00002, "s", "20 µs"),
        (300.0, "s", "300 s"),
        (3600.0, "s", "60 min"),
        (9000.0, "s", "2.5 h"),
        (0.032, "ratio", "3.2 %"),
        (0.07, "ratio", "7 %"),  # 7.000000000000001 before rounding
        (1.0, "ratio", "100 %"),
        (0.9997, "ratio", "99.97 %"),
        (0.99999999, "ratio", "99.99 %"),
        (-0.05, "ratio", "-5 %"),
        (1.2 * 2**30, "bytes", "1.2 GiB"),
        (0.0, "bytes", "0 B"),
        (-2048.0, "bytes", "-2 KiB"),
        (2.0**60, "bytes", "1048576 TiB"),
        (1536.0, "bytes/s", "1.5 KiB/s"),
        (0.73 / 60, "1/s", "0.73/min"),
        (12.5, "1/s", "12.5/s"),
        (50.0, "count", "50"),
        (1.0, "state", "1"),
        (250.25, "", "250.2"),
        (3.0, "W", "3 W"),
        (None, "s", "–"),
        (float("nan"), "s", "–"),
        (float("inf"), "s", "∞"),
        (float("-inf"), "s", "−∞"),
        (5, "count", "5"),
    ],
)
def test_human_writes_a_number_with_its_unit(value: float | None, unit: str, text: str) -> None:
    assert human(value, unit) == text


@given(st.floats(), st.sampled_from([*(d.value for d in Dimension), "W"]))
def test_human_takes_any_number_in_any_unit(value: float, unit: str) -> None:
    assert human(value, unit).strip()


@given(st.floats(1e-7, 1e9), st.sampled_from(["s", "bytes", "bytes/s", "1/s"]))
def test_what_is_written_reads_as_much_and_stands_in_the_unit_of_what_is_written(
    value: float, unit: str
) -> None:
    number, name = re.fullmatch(r"([\d.e+-]+) ?(\D.*)", human(value, unit)).groups()  # type: ignore[union-attr]
    in_base = float(number) / FACTORS[name]
    assert in_base == pytest.approx(value, rel=0.006)
    assert shown_in(in_base, unit)[1] == name


@given(st.floats(min_value=0, max_value=1, exclude_max=True))
def test_a_share_under_one_never_reads_as_all(share: float) -> None:
    if share < 1 - 1e-11:  # closer than nine decimals of a percent is arithmetic, not a measurement
        assert human(share, "ratio") != "100 %"


@given(st.text())
def test_plain_leaves_one_line_without_control_characters(text: str) -> None:
    line = plain(text)
    assert not [c for c in line if unicodedata.category(c) in {"Cc", "Cf", "Cs"}]
    assert line == line.strip()
    assert len(line) <= 500


def test_plain_removes_whole_escape_sequences() -> None:
    assert plain("\x1b[1;31mred\x1b[0m \x1b]0;title\x07and\x9b2J \x1bMdone\r\n now") == "red and done now"


def test_plain_shortens_and_shows_it() -> None:
    assert plain("x" * 600, 10) == "x" * 9 + "…"


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("passed", "PASS"),
        ("failed", "FAIL"),
        ("inconclusive", "INCONCLUSIVE"),
        ("invalid", "INVALID"),
        ("interrupted", "INTERRUPTED"),
        ("no_criteria", "NO CRITERIA"),
        ("observed", "OBSERVED"),
    ],
)
def test_verdict_word(kinds: dict[str, Callable[[], JudgedRun]], kind: str, word: str) -> None:
    assert verdict_word(kinds[kind]()) == word


def test_a_strict_run_without_proof_is_unproven(make_run: MakeRun) -> None:
    verdict = Verdict(result="pass", valid=True, reasons=[], criteria=[], exit_code=3)
    assert verdict_word(make_run(strict=True, verdict=verdict)) == "UNPROVEN"


def test_a_service_that_was_never_ready_is_not_ready(make_run: MakeRun) -> None:
    verdict = Verdict(result="inconclusive", valid=False, reasons=[], criteria=[], exit_code=4)
    assert verdict_word(make_run(verdict=verdict)) == "NOT READY"


def test_a_suite_has_the_word_of_the_run_that_decided_it(
    make_suite: Callable[..., JudgedSuite], kinds: dict[str, Callable[[], JudgedRun]]
) -> None:
    suite = make_suite(kinds["passed"](), kinds["invalid"](), exit_code=3)
    assert suite_word(suite) == "INVALID"
    assert suite_word(make_suite(kinds["passed"](), exit_code=3)) == "INCOMPLETE"
    assert suite_word(make_suite(kinds["observed"](), kinds["passed"]())) == "PASS"
    assert suite_word(make_suite(kinds["observed"](), kinds["observed"]())) == "OBSERVED"
    assert suite_word(make_suite(kinds["passed"](), kinds["no_criteria"](), exit_code=3)) == "NO CRITERIA"


def test_only_scaled_or_forced_runs_have_a_note(make_run: MakeRun) -> None:
    assert rehearsal_note(make_run()) is None
    scaled = rehearsal_note(make_run(time_scale=0.02))
    assert scaled is not None and "time scale 0.02" in scaled and "--rehearsal" not in scaled
    forced = rehearsal_note(make_run(rehearsal=True))
    assert forced is not None and "--rehearsal" in forced


def test_evidence_is_told_with_bound_assumption_and_need(make_run: MakeRun) -> None:
    proven, unproven, _, exact = (explained(criterion) for criterion in make_run().verdict.criteria)
    assert proven == "proven: 95 % bound 84.9 s if requests are independent"
    assert exact == "exact: a count about this run"
    assert unproven == (
        "unproven: 95 % bound 45.1 % if failures are scattered; needs 59 requests without a failure"
    )


def test_an_infinite_percentile_has_that_of_the_successes_beside_it(make_run: MakeRun) -> None:
    overall = make_run().overall
    overall.p95_duration, overall.p95_of_successes = None, 2.1
    assert human_percentile(None, overall) == "∞ (ok: 2.1 s)"
    assert human_percentile(3.0, overall) == "3 s"
    overall.p95_of_successes = None
    assert human_percentile(None, overall) == "∞", "there is no success"
    proven = make_run().verdict.criteria[0]
    proven.value, proven.bound, proven.successes = float("inf"), None, 2.1
    assert explained(proven) == "proven; of the successes alone 2.1 s"


def test_an_open_criterion_says_what_it_needs(kinds: dict[str, Callable[[], JudgedRun]]) -> None:
    [criterion] = kinds["inconclusive"]().verdict.criteria
    assert explained(criterion) == "needs samples of server.memory: none arrived"


@pytest.mark.parametrize(
    ("moment", "after_s", "text"),
    [
        ("2026-11-21T10:00:00Z", 90.5, "2026-11-21T10:01:30.500Z"),
        ("2026-11-21T12:00:00+02:00", 0.0, "2026-11-21T10:00:00.000Z"),
        ("", 1.0, ""),
        ("yesterday", 1.0, "yesterday"),
        ("2026-11-21T10:00:00Z", float("inf"), "2026-11-21T10:00:00Z"),
    ],
)
def test_utc(moment: str, after_s: float, text: str) -> None:
    assert utc(moment, after_s) == text
