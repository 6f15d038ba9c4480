"""Numbers that are known of a random sample of the answers: `validate: sample 10%`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genload.analysis.evidence.percentiles import Percentile
from genload.analysis.evidence.sampled import SampledPercentile
from genload.analysis.judge import judge_log
from genload.analysis.judged import CriterionVerdict
from genload.runlog.records import RequestRecord

from .memory_log import MemoryLog
from .speech_log import speech_run, spoken

Judge = Callable[..., CriterionVerdict]
SAMPLE = "from a random sample: 20 of 200 answers were inspected"


def one_in_ten(count: int = 200) -> list[RequestRecord]:
    """Every tenth was inspected; silence of k % in the k-th of these, in no order."""
    records = [spoken(n, n / 10, 1.0 + n % 7 / 10) for n in range(count)]
    for place, record in enumerate(records[::10]):
        record.numbers = {"valid": 1.0, "silence": (place * 7 % 20) / 100, "audio_duration_s": 2.0}
    return records


def run(records: list[RequestRecord]) -> MemoryLog:
    return speech_run(records)


def test_a_number_is_estimated_from_the_sample_and_says_so(judge_one: Judge) -> None:
    log = run(one_in_ten())
    mean = judge_one(log, "speech.silence.mean < 50%")
    assert mean.value == pytest.approx(0.095)
    assert (mean.result, mean.evidence) == ("pass", "unproven")  # 20 are too few for a mean
    p50 = judge_one(log, "speech.silence.p50 < 50%")
    assert (p50.value, p50.evidence) == (0.09, "proven")
    assert SAMPLE in (p50.assumption or "")
    assert judge_one(log, "speech.silence.count == 20").result == "pass"


def test_the_extreme_of_a_sample_says_nothing_of_the_rest(judge_one: Judge) -> None:
    verdict = judge_one(run(one_in_ten()), "speech.silence.max < 50%")
    assert (verdict.result, verdict.evidence, verdict.value) == ("pass", "unproven", 0.19)
    assert "validate: all" in (verdict.needs or "")


def test_valid_rate_is_of_the_inspected(judge_one: Judge) -> None:
    records = one_in_ten()
    for record in records[::40]:  # five of the twenty
        record.outcome, record.error_class, record.numbers = "failed", "silent_audio", {"valid": 0.0}
    verdict = judge_one(run(records), "speech.valid_rate >= 95%")
    assert (verdict.result, verdict.value) == ("fail", 0.75)
    assert SAMPLE in (verdict.assumption or "")


def test_broken_outputs_are_a_count_of_this_run_unless_only_a_sample_was_inspected(judge_one: Judge) -> None:
    records = [spoken(n, n / 10, valid=1.0) for n in range(100)]
    assert judge_one(run(records), "speech.invalid == 0").evidence == "exact"
    records[3].outcome, records[3].numbers = "failed", {"valid": 0.0}
    records[4].outcome, records[4].numbers = "failed", {}  # there was no output
    verdict = judge_one(run(records), "speech.invalid == 0")
    assert (verdict.value, verdict.result, verdict.evidence) == (1, "fail", "exact")

    verdict = judge_one(run(one_in_ten()), "speech.invalid == 0")
    assert (verdict.value, verdict.result, verdict.evidence) == (0, "pass", "unproven")
    assert "validate: all" in (verdict.needs or "")
    uninspected = [spoken(n, n / 10) for n in range(100)]
    verdict = judge_one(run(uninspected), "speech.invalid == 0")
    assert (verdict.result, verdict.needs) == (
        "inconclusive",
        "at least one request whose output was inspected",
    )


def test_without_a_sample_nothing_is_said_of_one(judge_one: Judge) -> None:
    records = [spoken(n, n / 10, valid=1.0, silence=0.1) for n in range(100)]
    for metric in ("valid_rate", "silence.p95"):
        assert "sample" not in (judge_one(run(records), f"speech.{metric} <= 100%").assumption or "")


def test_what_cannot_be_inspected_is_no_failure_and_in_no_valid_rate(judge_one: Judge) -> None:
    records = [spoken(n, n / 10, valid=1.0, rms=0.1) for n in range(100)]
    for record in records[:40]:
        record.numbers, record.remark = {"cannot_inspect": 1.0}, f"no way to read it: {record.n % 2}"
    records[50].outcome, records[50].numbers = "failed", {"valid": 0.0}

    assert judge_one(run(records), "speech.cannot_inspect == 40").evidence == "exact"
    assert judge_one(run(records), "speech.cannot_inspect{voice=am_puck} == 0").result == "inconclusive"
    rate = judge_one(run(records), "speech.valid_rate >= 99%")
    assert (rate.value, rate.result) == (59 / 60, "fail")
    assert "sample" not in (rate.assumption or "")  # all that can be inspected were
    assert judge_one(run(records), "speech.error_rate <= 1%").value == 0.01
    # What only decoding tells is not known of those.
    assert judge_one(run(records), "speech.rms.mean >= 0.1").result == "inconclusive"
    [notice] = judge_log(run(records)).notices
    assert notice == (
        "output not inspected, which counts neither as valid nor as broken: of 40 requests. "
        "no way to read it: 0 (20); no way to read it: 1 (20)"
    )


def test_what_nobody_wants_inspected_is_nothing_that_cannot_be(judge_one: Judge) -> None:
    records = [spoken(n, n / 10) for n in range(100)]
    for record in records:
        record.remark = "the suite wants it so: validate: off"

    assert judge_one(run(records), "speech.cannot_inspect == 0").result == "pass"
    for criterion in ("speech.valid_rate >= 99%", "speech.invalid == 0"):
        assert judge_one(run(records), criterion).result == "inconclusive"
    [notice] = judge_log(run(records)).notices
    assert notice.startswith("output not inspected") and "of 100 requests. the suite wants it so" in notice


def test_failures_outside_the_sample_rank_last_with_their_full_weight(judge_one: Judge) -> None:
    records = one_in_ten()
    for record in records[1::10]:  # 20 of 200, none of them inspected
        record.outcome, record.error_class = "failed", "server"
    # 20 inspected of 180 answers, and a tenth of all attempts is infinitely slow.
    assert judge_one(run(records), "speech.silence.p(90) < 99%").value == 0.19
    worse = judge_one(run(records), "speech.silence.p(91) < 99%")
    assert (worse.result, worse.value) == ("fail", np.inf)
    # p45 of all is p50 of the answers.
    assert judge_one(run(records), "speech.silence.p(45) < 99%").value == 0.09
    assert judge_one(run(records), "ok.speech.silence.p50 < 99%").value == 0.09


def test_broken_audio_in_the_sample_stands_for_its_like_outside(judge_one: Judge) -> None:
    records = one_in_ten()
    for record in records[:20:10]:  # two of the twenty
        record.outcome, record.error_class, record.numbers = "failed", "silent_audio", {"valid": 0.0}
    assert judge_one(run(records), "speech.silence.p(90) < 99%").value == 0.19
    assert judge_one(run(records), "speech.silence.p(91) < 99%").value == np.inf


def test_a_number_that_half_of_the_inspected_lack_is_refused(judge_one: Judge) -> None:
    records = one_in_ten()
    for record in records[::20]:
        del record.numbers["silence"]
    verdict = judge_one(run(records), "speech.silence.p50 < 99%")
    assert verdict.result == "inconclusive"
    assert "silence in every request: 10 of 200" in (verdict.needs or "")


def test_audio_of_all_is_the_samples_by_the_share_inspected(judge_one: Judge) -> None:
    verdict = judge_one(run(one_in_ten()), "speech.audio_throughput >= 1")
    assert verdict.value == pytest.approx(200 * 2.0 / 60)
    assert judge_one(run(one_in_ten(900)), "speech.audio_throughput >= 1").assumption is not None


@settings(max_examples=60)
@given(
    data=st.lists(st.sampled_from("ofb"), min_size=20, max_size=300),
    level=st.sampled_from([10.0, 50.0, 90.0, 95.0]),
)
def test_with_everything_inspected_it_is_the_percentile_itself(data: list[str], level: float) -> None:
    """o: a value; f: failed before an output; b: found broken. A sample of all is no sample."""
    kinds = np.array(data)
    values = np.where(kinds == "o", np.arange(len(kinds)) % 17 / 10, np.inf)
    sampled = SampledPercentile(values, kinds != "f", kinds == "f", level, "")
    plain = Percentile(values, level)
    assert sampled.value == plain.value
    for side in ("upper", "lower"):
        assert sampled.bound(side, 0.9).value == plain.bound(side, 0.9).value  # type: ignore[arg-type]


@pytest.mark.parametrize("share", [0.1, 0.3])
def test_the_bound_holds_as_often_as_it_says(share: float) -> None:
    rng = np.random.default_rng(11)
    true_p80 = float(np.quantile(rng.lognormal(0, 0.5, 10**6), 0.8 / 0.9))  # a tenth fails: p80 of all
    wrong = 0
    for _ in range(300):
        values = rng.lognormal(0, 0.5, 600)
        failed = rng.random(600) < 0.1
        inspected = (rng.random(600) < share) & ~failed
        bound = SampledPercentile(values, inspected, failed, 80.0, "").bound("upper", true_p80).value
        wrong += bound is not None and bound < true_p80
    assert wrong <= 0.08 * 300
