"""What is seen while a load runs: small totals that agree with the exact statistics of the end."""

from __future__ import annotations

from array import array
from math import inf
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genload.harness.live import LiveStats, followed
from genload.harness.spread import Spread
from genload.harness.totals import Totals
from genload.runlog.records import RequestRecord
from genload.settings.criteria.criterion import Criterion
from genload.settings.metrics.catalogue import Catalogue
from genload.settings.metrics.requests import request_metrics
from genload.settings.metrics.spoken import speech_metrics
from genload.settings.scenario import Scenario

CRITERIA = {
    "fast": "speech.ttfa.p95 < 1s and speech.duration.mean < 2s",
    "unread": {"must": False, "holds": "speech.cannot_inspect == 0"},
    "answered": {"must": False, "holds": "speech.connection_errors == 0"},
    "valid": "speech.valid_rate == 100%",
    "quiet": {"must": False, "holds": "each(voice): speech.stalls.max == 0"},
    "grown": "speech.rtf.p50 <= 110% of speech.delivery_rtf.p50",
    "cool": "gpu.temperature.max < 80",
}


CATALOGUE = Catalogue.of((*request_metrics("speech"), *speech_metrics("speech")))


def record(ttfa_s: float | None = None, outcome: str = "ok", **numbers: float) -> RequestRecord:
    if ttfa_s is not None:
        numbers["ttfa_s"] = ttfa_s
    return RequestRecord(
        source="local", n=0, name="speech", operation="speech", phase="burst", duration_s=1.5,
        outcome=outcome, numbers=numbers,
    )  # fmt: skip


def live_of(*records: RequestRecord) -> LiveStats:
    scenario = Scenario.model_validate({"shape": {"kind": "burst"}, "criteria": CRITERIA})
    live = LiveStats("speech", Path("nowhere"), followed(scenario, CATALOGUE))
    live.add(records)
    return live


def seen(live: LiveStats, rule: str) -> float | None:
    expression = Criterion.model_validate(rule).expression
    return live.lookup(expression.subject)  # type: ignore[union-attr]


def test_the_metrics_of_the_criteria_are_followed() -> None:
    scenario = Scenario.model_validate({"shape": {"kind": "burst"}, "criteria": CRITERIA})
    of_speech = {
        name.partition(".")[2] for name in followed(scenario, CATALOGUE) if name.startswith("speech.")
    }
    assert of_speech == {
        "ttfa",
        "duration",
        "cannot_inspect",
        "connection_errors",
        "valid_rate",
        "stalls",
        "rtf",
        "delivery_rtf",
    }
    assert "gpu.temperature" in followed(scenario, CATALOGUE)


def test_what_is_followed_is_seen_and_the_rest_only_at_the_end() -> None:
    heard = {"streamed": 1.0, "rms": 0.1}
    live = live_of(
        record(0.2, stalls=0.0, **heard), record(0.4, stalls=2.0, **heard), record(outcome="failed")
    )
    assert seen(live, "speech.ttfa.mean < 1s") == pytest.approx(0.3)
    assert seen(live, "speech.ttfa.p50 < 1s") == pytest.approx(0.4, rel=0.01)
    assert seen(live, "speech.ttfa.p95 < 1s") == inf  # a third failed
    assert seen(live, "speech.stalls.max < 1") == 2.0
    assert seen(live, "speech.stalls.p10 < 1") == 0.0
    assert seen(live, "speech.duration.max < 1s") == 1.5
    assert seen(live, "speech.rms.mean < 1") is None


def test_what_no_success_has_is_not_seen_as_slow() -> None:
    live = live_of(record(), record(outcome="failed"))
    assert seen(live, "speech.ttfa.p95 < 1s") is None
    assert seen(live, "speech.duration.p95 < 1s") == inf
    assert seen(live_of(record(outcome="failed")), "speech.ttfa.p95 < 1s") == inf


def test_validity_is_a_share_of_what_was_inspected() -> None:
    assert seen(live_of(record()), "speech.valid_rate == 100%") is None
    live = live_of(record(), record(valid=1.0), record(outcome="failed", valid=0.0))
    assert seen(live, "speech.valid_rate == 100%") == 0.5


def test_what_cannot_be_inspected_is_counted_apart() -> None:
    assert seen(live_of(), "speech.cannot_inspect == 0") is None
    live = live_of(record(), record(valid=1.0), record(cannot_inspect=1.0))
    assert seen(live, "speech.cannot_inspect == 0") == 1
    assert seen(live, "speech.valid_rate == 100%") == 1.0


def test_connection_errors_are_those_without_a_whole_answer() -> None:
    assert seen(live_of(), "speech.connection_errors == 0") is None
    assert seen(live_of(record()), "speech.connection_errors == 0") == 0
    failures = [record(outcome="failed") for _ in range(4)]
    for each, error_class in zip(failures, ("reset", "timeout", "unreachable", "http_500"), strict=True):
        each.error_class = error_class
    assert seen(live_of(record(), *failures), "speech.connection_errors == 0") == 3


def test_samples_count_from_the_load_s_start_to_its_end(tmp_path: Path) -> None:
    file = tmp_path / "samples.jsonl"

    def tick(*at_s: float) -> None:
        with file.open("ab") as lines:
            lines.writelines(
                b'{"t_s":%f,"monitor":"gpu","values":{"gpu.temperature":%f}}\n' % (t, t) for t in at_s
            )
        live.read_samples()

    live = LiveStats("speech", file, {"gpu.temperature": CATALOGUE.metrics["gpu.temperature"]})
    tick(1, 2)
    live.load_began(10)
    assert seen(live, "gpu.temperature.max < 80") is None
    tick(9, 11, 19)
    live.load_ended(20)
    tick(20, 21)
    assert [seen(live, f"gpu.temperature.{stat} < 80") for stat in ("min", "mean", "max", "last")] == [
        11, pytest.approx(50 / 3), 20, 20,
    ]  # fmt: skip


def test_in_an_open_schedule_latency_counts_from_the_intended_start() -> None:
    late = record()
    late.intended_s, late.start_s = 10.0, 14.0
    assert seen(live_of(late), "speech.duration.max < 1s") == 5.5


@given(
    st.lists(st.floats(1e-4, 1e4) | st.floats(-1e4, -1e-4), min_size=1, max_size=60),
    st.integers(0, 20),
    st.sampled_from([50, 55, 90, 99]),
)
def test_a_percentile_is_within_a_percent_of_the_exact_one(
    values: list[float], failed: int, percent: float
) -> None:
    spread = Spread()
    spread.add(values[::2])
    spread.add(values[1::2])
    exact = np.percentile(values + [inf] * failed, percent, method="inverted_cdf")
    assert spread.percentile(percent, failed) == pytest.approx(exact, rel=0.011)
    kept = Spread(kept=array("d"))
    kept.add(values[::2])
    kept.add(values[1::2])
    assert kept.percentile(percent, failed) == exact


@given(st.lists(st.tuples(st.booleans(), st.floats(0.01, 100)), max_size=30), st.integers(0, 30))
def test_totals_merge_as_if_they_had_been_one(rows: list[tuple[bool, float]], cut: int) -> None:
    records = [record(ttfa, "ok" if ok else "failed", valid=float(ok)) for ok, ttfa in rows]
    ttfa_metric, valid_rate = (CATALOGUE.metrics[f"speech.{name}"] for name in ("ttfa", "valid_rate"))
    whole, first, second = Totals(), Totals(), Totals()
    for n, each in enumerate(records):
        each.error_class = "" if each.outcome == "ok" else ("reset", "bad_audio")[n % 2]
        whole.add([each], (ttfa_metric, valid_rate))
    first.add(records[:cut], (ttfa_metric, valid_rate))
    second.add(records[cut:], (ttfa_metric, valid_rate))
    merged = first.merged(second)
    for name in ("attempted", "completed", "valid_rate", "error_rate", "connection_errors"):
        metric = CATALOGUE.metrics[f"speech.{name}"]
        assert merged.number(metric) == whole.number(metric)
    for stat in ("min", "max", "count"):
        assert merged.statistic(ttfa_metric, stat, None) == whole.statistic(ttfa_metric, stat, None)
    assert merged.statistic(ttfa_metric, "p", 95.0) == whole.statistic(ttfa_metric, "p", 95.0)
