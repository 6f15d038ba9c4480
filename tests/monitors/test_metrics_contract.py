"""The families that a suite expects: absent, registered and never moved, or live."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Summary, generate_latest

from genload import extensions
from genload.exposition.counters import Signs
from genload.exposition.families import FamilyWatch
from genload.exposition.family_state import FamilyState
from genload.exposition.page import Page
from genload.monitor import MonitorError

exposition: Any = extensions.load("monitors", "exposition")
ABSENT, IDLE, LIVE = FamilyState


def after(*pages: str, family: str = "jobs") -> FamilyState:
    """The family's state after some pages."""
    watch = FamilyWatch([family])
    for page in pages:
        watch.note(Page(page, watch.names), Signs(), 0.0)
    return watch.states[family]


COUNTER, GAUGE = "# TYPE jobs_total counter\n", "# TYPE jobs gauge\n"


@pytest.mark.parametrize(
    ("pages", "expected"),
    [
        (["other 1\njobs_of_others 2\n"], ABSENT),
        ([COUNTER, COUNTER], IDLE),
        (["# HELP jobs Jobs.\n"], IDLE),
        ([COUNTER + "jobs_total 0\n"] * 2, IDLE),
        ([COUNTER + "jobs_total 7\n"] * 2, IDLE),
        ([COUNTER + "jobs_total 7\n", COUNTER + "jobs_total 8\n"], LIVE),
        ([COUNTER, COUNTER + 'jobs_total{kind="3d"} 1\n'], LIVE),
        ([COUNTER, COUNTER + 'jobs_total{kind="3d"} 0\n'], IDLE),
        ([COUNTER + "jobs_total 7\n", COUNTER + "jobs_total 0\n"], IDLE),
        ([COUNTER + "jobs_total 7\n", COUNTER + "jobs_total 0\n", COUNTER + "jobs_total 2\n"], LIVE),
        ([GAUGE + "jobs 0\n"] * 2, IDLE),
        ([GAUGE + "jobs NaN\n"] * 2, IDLE),
        ([GAUGE + "jobs 54\n"], LIVE),
        ([GAUGE + "jobs 0\n", GAUGE + "jobs 1\n", GAUGE + "jobs 0\n"], LIVE),
        (["jobs 3\n"], LIVE),
        (["other 1\n", "jobs 3\n"], LIVE),
        ([COUNTER + "jobs_total 1\n", "other 1\n"], IDLE),
    ],
    ids=[
        "another family's name begins alike",
        "a type and no sample",
        "a help and no sample",
        "a counter at 0",
        "a counter that counted before",
        "a counter that rose",
        "a label that came",
        "a label that came at 0",
        "a counter that was only reset",
        "a counter that was reset and rose",
        "a gauge at 0",
        "a gauge at NaN",
        "a gauge that something wrote",
        "a gauge that moved and came back",
        "no type: a gauge",
        "came later",
        "once seen is not absent again",
    ],
)
def test_states(pages: list[str], expected: FamilyState) -> None:
    assert after(*pages) is expected


@pytest.mark.parametrize("name", ["jobs", "jobs_total"])
def test_a_counter_is_found_with_its_ending_and_without(name: str) -> None:
    openmetrics = "# TYPE jobs counter\n"
    for first in (COUNTER, openmetrics):
        assert after(first + "jobs_total 1\n", family=name) is IDLE
        assert after(first, first + "jobs_total 1\n", family=name) is LIVE


def test_what_the_client_library_writes_of_every_kind() -> None:
    registry = CollectorRegistry()
    families = {
        "c": Counter("c", "", ["l"], registry=registry),
        "g": Gauge("g", "", ["l"], registry=registry),
        "h": Histogram("h", "", ["l"], registry=registry),
        "s": Summary("s", "", ["l"], registry=registry),
    }
    watch = FamilyWatch([*families, "x"])

    def look() -> list[FamilyState]:
        watch.note(Page(generate_latest(registry).decode(), watch.names), Signs(), 0.0)
        return list(watch.states.values())

    assert look() == [IDLE] * 4 + [ABSENT]
    children = {name: family.labels("a") for name, family in families.items()}
    assert look() == [IDLE] * 4 + [ABSENT], "children at 0"
    children["c"].inc()  # type: ignore[attr-defined]
    children["g"].set(2)  # type: ignore[attr-defined]
    children["h"].observe(3)  # type: ignore[attr-defined]
    children["s"].observe(4)  # type: ignore[attr-defined]
    assert look() == [LIVE] * 4 + [ABSENT]
    assert watch.names == {"x", "x_total", "x_bucket", "x_count", "x_sum"}, "what is live is read no more"


@given(
    st.lists(
        st.lists(st.sampled_from([COUNTER, GAUGE, "jobs 1\n", "jobs 0\n", "jobs_total 2\n", "x\n"])),
        max_size=6,
    )
)
def test_a_state_never_goes_back(pages: list[list[str]]) -> None:
    watch, before = FamilyWatch(["jobs"]), ABSENT
    for page in pages:
        watch.note(Page("".join(page), watch.names), Signs(), 0.0)
        assert watch.states["jobs"] >= before
        before = watch.states["jobs"]


# --- in the monitor -------------------------------------------------------------------------------


@pytest.fixture
def monitor() -> Callable[..., Any]:
    """A factory of opened monitors that expect jobs, errors and nothing_total."""

    def make(*urls: str) -> Any:
        expects = ["jobs", "errors", "nothing_total"]
        settings = {"series": {}, "expects": expects, "url": urls if len(urls) > 1 else urls[0]}
        monitor = exposition.Monitor(exposition.Monitor.Settings.model_validate(settings), "")
        monitor.open()
        return monitor

    return make


def contract(values: dict[str, float]) -> dict[str, float]:
    """Without the prefix, and without what is no part of it."""
    return {n.removeprefix("contract."): v for n, v in values.items() if n.startswith("contract.")}


def test_each_tick_counts_them_and_names_those_whose_state_is_new(
    page: Any, monitor: Callable[..., Any]
) -> None:
    page.body = "# TYPE errors_total counter\njobs 0\n"
    watching = monitor(f"{page.host}/metrics")
    assert watching.metrics[-3:] == ("contract.absent", "contract.idle", "contract.live")
    assert contract(watching.sample()) == {
        "absent": 1.0,
        "idle": 2.0,
        "live": 0.0,
        "state{family=jobs}": 1.0,
        "state{family=errors}": 1.0,
        "state{family=nothing_total}": 0.0,
    }
    assert contract(watching.sample()) == {"absent": 1.0, "idle": 2.0, "live": 0.0}
    page.body = "# TYPE errors_total counter\njobs 1\n"
    news = {"absent": 1.0, "idle": 1.0, "live": 1.0, "state{family=jobs}": 2.0}
    assert contract(watching.sample()) == news


def test_before_the_first_page_nothing_is_said_to_be_absent(page: Any, monitor: Callable[..., Any]) -> None:
    page.stop()
    with pytest.raises(MonitorError) as raised:
        monitor(f"{page.host}/metrics").sample()
    assert contract(raised.value.values) == {}


def test_of_several_replicas_the_best_state_counts(
    pages: Callable[..., Any], monitor: Callable[..., Any]
) -> None:
    one, two = pages("jobs 0\n"), pages("jobs 1\n# TYPE errors_total counter\n")
    values = contract(monitor(f"{one.host}/metrics", f"{two.host}/metrics").sample())
    assert (values["absent"], values["idle"], values["live"]) == (1.0, 1.0, 1.0)


def test_a_suite_that_expects_nothing_promises_nothing() -> None:
    monitor = exposition.Monitor(exposition.Monitor.Settings(), "http://127.0.0.1:1")
    assert not [metric for metric in monitor.metrics if metric.startswith("contract.")]
