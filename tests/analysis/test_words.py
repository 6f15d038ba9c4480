"""Whose words answers speak: the codes of a run joined with what was heard."""

from __future__ import annotations

from typing import Any

import pytest

from genload.analysis.judge import judge_log
from genload.analysis.judged import JudgedRun
from genload.artifacts.inputs.codes import Codes
from genload.runlog.records import RequestRecord

from .memory_log import LOAD_START_S
from .speech_log import speech_run, spoken

CODES = Codes(6)
A, B, C = (CODES.code(number) for number in (1, 2, 3))
WARM = [CODES.code(number) for number in range(-20, 0)]


def answer(n: int, said: str, heard: str | None, start_s: float, **labels: str) -> RequestRecord:
    record = spoken(n, start_s, valid=1.0)
    record.said, record.heard = said, heard
    record.labels = {"voice": "af_heart", **labels}
    return record


def warmup(understood: int, of: int = 20, voice: str = "af_heart") -> list[RequestRecord]:
    records = []
    for n, code in enumerate(WARM[:of]):
        record = answer(1000 + n, code, code if n < understood else "1", -LOAD_START_S + n / of, voice=voice)
        record.warmup, record.phase, record.duration_s = True, "warmup", 0.01
        records.append(record)
    return records


def judged(records: list[RequestRecord], texts: dict[str, Any] | None = None, **criteria: str) -> JudgedRun:
    log = speech_run(records, {**criteria})
    log.header.suite["service"].setdefault("request", {})["texts"] = texts or {"code": {"digits": 6}}
    return judge_log(log)


@pytest.mark.parametrize(
    ("heard", "words"),
    [
        (A, "own"),
        (f"2180{A}", "own"),  # other words came nearest to these
        (B, "another's"),
        (f"71{B}", "another's"),
        (C, "nobody's"),  # whose request had ended before this one began
        (f"{A}5", "not understood"),  # a word more
        (A[1:], "not understood"),
        (f"{A}71{A}", "not understood"),  # said twice
        ("", "not understood"),
        (A[:3] + A[2] + A[4:], "not understood"),
    ],
)
def test_whose_words_an_answer_speaks(heard: str, words: str) -> None:
    others = [answer(1, B, B, 10.5), answer(2, C, C, 2.0)]
    run = judged([*warmup(20), answer(0, A, heard, 10.0), *others])
    assert run.speech is not None and run.speech.words is not None
    found = run.speech.words
    by_name = {
        "own": found.own - 2,
        "another's": found.anothers,
        "nobody's": found.nobodys,
        "not understood": found.not_understood,
    }
    assert {name for name, count in by_name.items() if count} == {words}
    assert (found.warmup_codes, found.warmup_understood) == (20, 20)


@pytest.mark.parametrize(
    ("heard", "errors"), [(A, 0), (f"99{A}", 0), (f"{A}5", 1), (A[1:], 1), (f"{A}71{A}", 6), ("", 6)]
)
def test_code_errors_are_digits_left_out_put_in_changed_or_said_again(heard: str, errors: int) -> None:
    run = judged([*warmup(20), answer(0, A, heard, 1.0)], errors="speech.code_errors.max <= 1000")
    (criterion,) = run.verdict.criteria
    assert criterion.value == errors


def test_what_is_judged_has_evidence_and_is_known_by_voice_and_concurrency() -> None:
    records = [answer(n, CODES.code(n), CODES.code(n), 3 * n / 40) for n in range(40)]
    records[7].heard = records[8].said
    criteria = {
        "own": "speech.own_words >= 95%",
        "swapped": "speech.swapped == 0",
        "of_voice": "speech.own_words{voice=af_heart} >= 99%",
        "crowded": "speech.own_words{concurrency=10-19} >= 99%",
        "durations": "speech.duration.max{words=another} <= 1s",
    }
    run = judged([*warmup(19), *records], **criteria)
    found = {criterion.name: criterion for criterion in run.verdict.criteria}
    assert (found["own"].value, found["own"].result, found["own"].evidence) == (0.975, "pass", "unproven")
    assert (found["swapped"].value, found["swapped"].result, found["swapped"].evidence) == (
        1,
        "fail",
        "exact",
    )
    assert (found["of_voice"].result, found["crowded"].result) == ("fail", "pass")
    assert found["durations"].value == 1.0
    assert run.speech is not None
    assert run.speech.strata["voice"]["af_heart"].own_words_rate == 97.5
    assert run.speech.strata["words"]["another"].total_requests == 1
    assert any("1 of 40 outputs came with other words" in notice for notice in run.notices)


def test_of_a_sample_a_count_is_no_exact_one() -> None:
    records = [answer(n, CODES.code(n), CODES.code(n) if n % 2 else None, n) for n in range(20)]
    run = judged([*warmup(20), *records], swapped="speech.swapped == 0", own="speech.own_words >= 50%")
    swapped, own = run.verdict.criteria
    assert (swapped.result, swapped.evidence) == ("pass", "unproven")
    assert "10 of 20 were listened to" in (own.assumption or "")


def test_a_code_of_a_request_that_nobody_listened_to_is_another_s_all_the_same() -> None:
    run = judged([*warmup(20), answer(0, A, B, 1.0), answer(1, B, None, 1.5)])
    assert run.speech is not None and run.speech.words is not None and run.speech.words.anothers == 1


@pytest.mark.parametrize(("understood", "of"), [(18, 20), (4, 4), (0, 0)])
def test_a_recogniser_that_has_not_proven_itself_judges_nothing(understood: int, of: int) -> None:
    run = judged([*warmup(understood, of), answer(0, A, "", 1.0)], own="speech.own_words >= 95%")
    (criterion,) = run.verdict.criteria
    assert criterion.result == "inconclusive"
    assert f"{understood} of {of} codes of voice af_heart" in (criterion.needs or "")
    assert run.speech is not None and run.speech.words is None and "words" in run.speech.missing
    assert any("codes of voice af_heart" in notice for notice in run.notices)


def test_one_voice_may_be_judged_and_another_not() -> None:
    records = [answer(0, A, A, 1.0), answer(1, B, "", 2.0, voice="am_puck")]
    criteria = {"each": "each(voice): speech.own_words >= 95%", "all": "speech.own_words >= 95%"}
    run = judged([*warmup(20), *warmup(3, voice="am_puck"), *records], **criteria)
    each, everything = run.verdict.criteria
    assert (each.result, everything.result, everything.value) == ("inconclusive", "pass", 1.0)
    assert any("3 of 20 codes of voice am_puck" in notice for notice in run.notices)


@pytest.mark.parametrize(
    ("texts", "needed"),
    [
        ({"language": "de", "code": {"digits": 6}}, "these are in 'de'"),
        ({"lengths": ["long"]}, "texts: {code: {digits: 6}}"),
        ({"code": {"digits": 6}}, "pip install 'genload[words]'"),
    ],
)
def test_where_nobody_listened_the_verdict_says_why(texts: dict[str, Any], needed: str) -> None:
    run = judged([spoken(0, 1.0, valid=1.0)], texts, own="speech.own_words >= 95%", no="speech.swapped == 0")
    for criterion in run.verdict.criteria:
        assert criterion.result == "inconclusive" and needed in (criterion.needs or "")
