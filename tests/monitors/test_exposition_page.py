"""Reading a metrics page: which samples make a metric, and what is no page."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Enum,
    Gauge,
    Histogram,
    Info,
    Summary,
    generate_latest,
)
from prometheus_client.openmetrics import exposition as openmetrics

from genload.exposition.page import Kind, Page
from genload.exposition.selector import Selector

PAGE = """\
# HELP process_resident_memory_bytes Resident memory size in bytes.
# TYPE process_resident_memory_bytes gauge
process_resident_memory_bytes 1.5e+08
process_resident_memory_bytes_other 7
process_start_time_seconds 1000
jobs{kind="3d",note="a\\"b\\\\c\\nd"} 2 1700000000000
jobs{kind="3d",note="plain"} 3
jobs{kind="speech"} 40
jobs{kind="broken"} NaN
"""


def value(page: str, text: str) -> float | None:
    """The sum of what a selector finds."""
    selector = Selector.parse(text)
    return sum(found) if (found := Page(page, [selector.name]).series(selector).values()) else None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("process_resident_memory_bytes", 1.5e8),
        (" process_resident_memory_bytes { } ", 1.5e8),
        ('jobs{kind="3d"}', 5.0),
        ('jobs{kind="3d", note="plain",}', 3.0),
        ('jobs{note="a\\"b\\\\c\\nd"}', 2.0),
        ('jobs{kind="speech",note=""}', 40.0),
        ('jobs{kind="other"}', None),
        ("process_resident_memory", None),
        ("absent", None),
    ],
)
def test_what_a_selector_reads(text: str, expected: float | None) -> None:
    assert value(PAGE, text) == expected


@pytest.mark.parametrize("text", ["", "9lives", "a b", "a{", 'a{b="c}', "a{b=c}", 'a{b="c"} 1', 'a{"b"="c"}'])
def test_what_is_no_selector_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="names no series"):
        Selector.parse(text)


names = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True)
label_values = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n"), max_size=12)


@given(st.dictionaries(names, label_values, max_size=3), label_values)
def test_label_values_that_prometheus_writes_are_read_back(labels: dict[str, str], other: str) -> None:
    """Against prometheus_client's own writer and with the same escapes in the selector."""
    labels = {f"x_{name}": text for name, text in labels.items()}
    registry = CollectorRegistry()
    gauge = Gauge("thing", "", labelnames=[*labels, "y"], registry=registry)
    gauge.labels(**labels, y=other).set(7)
    page = generate_latest(registry).decode()
    asked = ",".join(f'{name}="{escaped(text)}"' for name, text in (labels | {"y": other}).items())
    assert value(page, f"thing{{{asked}}}") == 7.0


def escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


@given(
    st.text(max_size=60), st.lists(st.sampled_from(["", " 1", "{", '{a="b"} 2', "{a=b} x", " +Inf", "\t3"]))
)
def test_no_page_can_crash_it(text: str, ends: list[str]) -> None:
    page = "\n".join([text, *("jobs" + end + text for end in ends), *("jobs" + end for end in ends)])
    assert set(Page(page, ["jobs"]).samples) <= {"jobs"}


def test_a_family_with_an_unreadable_line_is_absent_not_partial() -> None:
    page = 'jobs{kind="a"} 1\njobs{kind="b"} many\nother 2\n'
    assert set(Page(page, ["jobs", "other"]).samples) == {"other"}


def test_only_the_families_asked_for_are_parsed() -> None:
    page = "junk that no parser takes {{{\n" * 3 + "jobs 2\n"
    assert value(page, "jobs") == 2.0


COUNTER, GAUGE, QUANTILE, TIME = Kind


@pytest.mark.parametrize(
    ("page", "name", "expected"),
    [
        ("# TYPE jobs_total counter\njobs_total 1\n", "jobs_total", COUNTER),
        ("# TYPE jobs counter\njobs_total 1\n", "jobs_total", COUNTER),
        ("# TYPE nv_inference_count counter\nnv_inference_count 1\n", "nv_inference_count", COUNTER),
        ("# TYPE jobs counter\njobs_created 1.7e9\n", "jobs_created", TIME),
        ("# TYPE jobs_total counter\njobs_created 1.7e9\n", "jobs_created", TIME),
        ("# TYPE jobs_total gauge\njobs_total 1\n", "jobs_total", GAUGE),
        ("# TYPE clients_count gauge\nclients_count 1\n", "clients_count", GAUGE),
        ("# TYPE took histogram\ntook_sum 1\n", "took_sum", COUNTER),
        ('# TYPE took histogram\ntook_bucket{le="1"} 1\n', "took_bucket", COUNTER),
        ("# TYPE took histogram\ntook_created 1.7e9\n", "took_created", TIME),
        ('# TYPE took summary\ntook{quantile="0.95"} 1\n', "took", QUANTILE),
        ("# TYPE took summary\ntook_count 1\n", "took_count", COUNTER),
        ("# TYPE took summary\ntook_created 1.7e9\n", "took_created", TIME),
        ('# TYPE sizes gaugehistogram\nsizes_bucket{le="1"} 1\n', "sizes_bucket", GAUGE),
        ("# TYPE sizes gaugehistogram\nsizes_gcount 1\n", "sizes_gcount", GAUGE),
        ('# TYPE build info\nbuild_info{version="2"} 1\n', "build_info", GAUGE),
        ('# TYPE mode stateset\nmode{mode="fast"} 1\n', "mode", GAUGE),
        ("# TYPE jobs_total untyped\njobs_total 1\n", "jobs_total", COUNTER),
        ("# TYPE jobs unknown\njobs 1\n", "jobs", GAUGE),
        ("# HELP jobs_total Jobs.\njobs_total 1\n", "jobs_total", COUNTER),
        ("jobs_total 1\n", "jobs_total", COUNTER),
        ("jobs 1\n", "jobs", GAUGE),
        ("# TYPE jobs_total counter\njobs 1\n", "jobs", GAUGE),
        ("took_count 1\ntook_sum 1\n", "took_count", COUNTER),
        ("took_count 1\ntook_sum 1\n", "took_sum", COUNTER),
        ("clients_count 1\n", "clients_count", GAUGE),
        ('took_bucket{le="1"} 1\n', "took_bucket", COUNTER),
        ("leaky_bucket 1\n", "leaky_bucket", GAUGE),
    ],
)
def test_a_family_knows_its_samples_kinds(page: str, name: str, expected: Kind) -> None:
    assert Page(page, [name]).kind(name) is expected


def test_an_exemplar_is_no_part_of_its_sample() -> None:
    """Neither its value nor its time, which is another than the sample's."""
    page = (
        "# TYPE jobs counter\n"
        'jobs_total{kind="3d"} 5 # {trace_id="a b } c"} 0.67 1520879607.789\n'
        'jobs_total{kind="speech"} 7 1700000000.5 # {trace_id="d"} 9 1\n'
        "# TYPE took histogram\n"
        'took_bucket{le="1"} 2 # {} 0.5\n'
        'took_count 3 # {a="b"} 1.5 1520879607.789\n'
    )
    assert value(page, "jobs_total") == 12.0
    assert value(page, 'took_bucket{le="1"}') == 2.0
    assert value(page, "took_count") == 3.0


def test_it_reads_what_the_client_library_writes() -> None:
    registry = CollectorRegistry()
    Counter("jobs", "", ["kind"], registry=registry).labels("3d").inc(4)
    Histogram("took", "", registry=registry).observe(0.5)
    Summary("size", "", registry=registry).observe(3)
    Info("build", "", registry=registry).info({"version": "2"})
    Enum("mode", "", states=["fast", "slow"], registry=registry).state("slow")
    names = ["jobs_total", "took_count", "took_sum", "took_bucket", "size_count", "build_info", "mode"]
    for write in (generate_latest, openmetrics.generate_latest):
        page = Page(write(registry).decode(), names)
        kinds = {name: page.kind(name) for name in names}
        assert kinds == dict.fromkeys(names[:5], COUNTER) | dict.fromkeys(names[5:], GAUGE)
        assert page.series(Selector.parse('jobs_total{kind="3d"}')) == {(("kind", "3d"),): 4.0}
        assert page.series(Selector("took_count")) == {(): 1.0}
        assert page.series(Selector("took_sum")) == {(): 0.5}
        assert sum(page.series(Selector("took_bucket")).values()) > 1
    page = Page(openmetrics.generate_latest(registry).decode(), ["jobs_created"])
    assert page.kind("jobs_created") is TIME
