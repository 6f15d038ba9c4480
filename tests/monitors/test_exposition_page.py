"""Reading a metrics page: which samples make a metric, and what is no page."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from genload.exposition.page import Page
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
    selector = Selector.parse(text)
    return Page(page, [selector.name]).total(selector)


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


@pytest.mark.parametrize(
    ("page", "name", "expected"),
    [
        ("# TYPE jobs_total counter\njobs_total 1\n", "jobs_total", True),
        ("# TYPE jobs counter\njobs_total 1\n", "jobs_total", True),
        ("# TYPE jobs_total gauge\njobs_total 1\n", "jobs_total", False),
        ("# TYPE clients_count gauge\nclients_count 1\n", "clients_count", False),
        ("# TYPE took histogram\ntook_sum 1\n", "took_sum", True),
        ("# HELP jobs_total Jobs.\njobs_total 1\n", "jobs_total", True),
        ("jobs_total 1\n", "jobs_total", True),
        ("jobs 1\n", "jobs", False),
    ],
)
def test_what_only_rises(page: str, name: str, expected: bool) -> None:
    assert Page(page, [name, name.rpartition("_")[0]]).rises(name) is expected


def test_it_reads_what_the_client_library_writes() -> None:
    registry = CollectorRegistry()
    Counter("jobs", "", ["kind"], registry=registry).labels("3d").inc(4)
    Histogram("took", "", registry=registry).observe(0.5)
    page = Page(generate_latest(registry).decode(), ["jobs", "jobs_total", "took", "took_count", "took_sum"])
    assert page.types == {"jobs_total": "counter", "took": "histogram"}
    assert page.total(Selector.parse('jobs_total{kind="3d"}')) == 4.0
    assert (page.total(Selector("took_count")), page.total(Selector("took_sum"))) == (1.0, 0.5)
