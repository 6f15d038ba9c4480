"""The live display and the verdict read one definition of a metric, and tell the same of the same records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from math import inf
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import to_builtins

from genload.analysis.intake import take_in
from genload.analysis.load import load_of
from genload.analysis.observe import Measures, catalogue_of
from genload.analysis.series import SeriesStore
from genload.harness.live import LiveStats
from genload.runlog.error_classes import ERROR_CLASSES
from genload.runlog.records import RequestRecord
from genload.runlog.rows import rows_of
from genload.settings.criteria.ast import Dimension, Quantity, Subject, Window
from genload.settings.metrics.metric import Failures, Metric, Of, request_number, request_share

from ..analysis.speech_log import speech_run

OWN = (
    request_number("speech.pitch", Dimension.PLAIN, "semitones off", failures=Failures.LEFT_OUT),
    request_share("speech.mono", "answers with one channel", "÷ inspected", of=Of.INSPECTED),
)
"""What a service's file may declare besides."""

LEVELS = (1.0, 55.0, 95.0)


def measures_of(records: list[RequestRecord]) -> Measures:
    log = speech_run(records, phases=[{"name": name, "duration_s": 30.0, "users": 2} for name in "ab"])
    log.header.metrics += [to_builtins(metric) for metric in OWN]
    load = load_of(log.happened, log.header.phases, 0.0)
    assert load is not None
    table = take_in([rows_of(records)], "speech").measured
    return Measures(log.header, catalogue_of(log.header), table, SeriesStore([], []), load, 0.95)


def live_of(records: list[RequestRecord], measures: Measures, *, exact: bool = False) -> LiveStats:
    live = LiveStats("speech", Path("nowhere"), measures.catalogue.metrics, exact=exact)
    for record in records:
        live.add([record])
    return live


def of_requests(measures: Measures) -> list[Metric]:
    return [metric for metric in measures.catalogue.metrics.values() if metric.source == "requests"]


def subjects(measures: Measures) -> Iterator[tuple[Metric, Subject]]:
    """Every metric and statistic, of all requests and of one phase, failures among them and without."""
    for metric, filters in product(of_requests(measures), ((), (("phase", "a"),))):
        whole = Subject(metric.name, filters=filters)
        if not metric.stats:
            yield metric, whole
        for stat, ok_only in product(metric.stats, (False, not metric.is_series)):
            for level in LEVELS if stat == "p" else (None,):
                yield metric, replace(whole, stat=stat, percentile=level, ok_only=ok_only)


HEARD = {metric.short for metric in of_requests(measures_of([])) if metric.of is Of.HEARD}
KEYS = sorted({metric.key for metric in of_requests(measures_of([]))} - {"", "duration", "valid", "mono"})


@st.composite
def records(draw: st.DrawFn) -> RequestRecord:
    flags = {key: st.sampled_from([0.0, 1.0]) for key in ("valid", "cannot_inspect", "streamed", "mono")}
    values = {key: st.floats(-1e4, 1e4).filter(lambda x: x == 0 or abs(x) > 1e-5) for key in KEYS}
    # Now and then everything is there, else nobody would ever have enough to be judged.
    every, some = ({}, values | flags) if draw(st.booleans()) else (values | flags, {})
    numbers = draw(st.fixed_dictionaries(every, optional=some))
    numbers["rejections"] = float(draw(st.integers(0, 3)))
    start_s = 10.0 + draw(st.floats(0, 59))
    outcome = draw(st.sampled_from(["ok", "ok", "ok", "failed", "unfinished"]))
    return RequestRecord(
        source="local",
        n=0,
        name="speech",
        operation="speech",
        phase=draw(st.sampled_from("ab")),
        start_s=start_s,
        intended_s=draw(st.none() | st.just(start_s - 0.25)),
        duration_s=draw(st.floats(1e-4, 1e3)),
        outcome=outcome,
        error_class=draw(st.sampled_from([*ERROR_CLASSES, "http_500"])) if outcome == "failed" else "",
        numbers=numbers,
    )


def same(live: float | None, judged: float | None, *, exactly: bool) -> bool:
    if live is None or judged is None or inf in (live, judged):
        return live == judged
    return live == pytest.approx(judged, rel=1e-9 if exactly else 0.01, abs=1e-9 if exactly else 1e-6)


@settings(max_examples=50)
@given(st.lists(records(), max_size=12), st.integers(1, 3), st.booleans())
def test_every_metric_and_statistic(some: list[RequestRecord], times: int, exact: bool) -> None:
    measures = measures_of(some * times)
    live = live_of(some * times, measures, exact=exact)
    for metric, subject in subjects(measures):
        estimate = measures.of(subject)
        judged = None if estimate.missing else estimate.value
        if live.is_live(subject):
            seen = live.lookup(subject)
            exactly = subject.stat != "p" or (exact and bool(subject.filters))  # of one phase
            assert same(seen, judged, exactly=exactly), (subject, seen, judged, estimate.missing)
            assert live.unit(subject) == measures.unit(subject).value
        else:
            only_at_the_end = {"throughput", "audio_throughput", "per_character", "in_flight", "released"}
            only_at_the_end |= {"cold_start", "cold_ttfa", "audio_per_character", "users", "arrivals"}
            only_at_the_end |= {"goodput", "goodput_throughput", *HEARD}
            assert metric.short in only_at_the_end or subject.ok_only, subject
            assert live.lookup(subject) is None


@pytest.mark.parametrize(
    "subject",
    [
        Subject("speech.per_character"),
        Subject("speech.throughput"),
        Subject("speech.in_flight", "last"),
        Subject("speech.duration", "mean", window=Window("last", Quantity(5.0, Dimension.TIME, "5s"))),
        Subject("speech.duration", "mean", filters=(("voice", "ann"),)),
        Subject("server.memory", "slope"),
        Subject("server.up", "mean"),
        Subject("server.memory", "growth"),
        Subject("server.memory", "p", 95.0),
        Subject("server.memory", "max", filters=(("replica", "a"),)),
        Subject("speech.characters", "p", 50.0, ok_only=True),
    ],
)
def test_what_only_the_end_can_tell_says_so(subject: Subject) -> None:
    record = RequestRecord(source="local", n=0, name="speech", operation="speech", phase="a", duration_s=1.0)
    live = live_of([record], measures_of([record]))
    assert not live.is_live(subject)
    assert live.lookup(subject) is None


def spoken(outcome: str, **numbers: float) -> RequestRecord:
    more: dict[str, Any] = {"phase": "a", "start_s": 11.0, "duration_s": 1.0, "numbers": numbers}
    return RequestRecord(source="local", n=0, name="speech", operation="speech", outcome=outcome, **more)


def test_ten_good_and_ten_failed_requests() -> None:
    """What has no better or worse leaves failures out; what is known beforehand counts them."""
    good = [spoken("ok", audio_duration_s=3.0, characters=50.0) for _ in range(10)]
    bad = [spoken("failed", characters=50.0) for _ in range(10)]
    live = live_of(good + bad, measures_of(good + bad))
    assert live.lookup(Subject("speech.audio_duration", "p", 95.0)) == pytest.approx(3.0, rel=0.01)
    assert live.lookup(Subject("speech.characters", "count")) == 20
    assert live.lookup(Subject("speech.duration", "p", 95.0)) == inf
