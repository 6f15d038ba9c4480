"""The service's metrics page: selecting series, summing them, and what a failed scrape says."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from pydantic import ValidationError

from genload import extensions
from genload.monitor import MonitorError

exposition: Any = extensions.load("monitors", "exposition")
Selector = exposition.Selector
Restarts = exposition.Restarts
read_families = exposition.read_families
total = exposition.total

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
    found: float | None = total(read_families(page, [selector.family]), selector)
    return found


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
    found = read_families(page, ["jobs"])
    assert set(found) <= {"jobs"}


def test_a_family_with_an_unreadable_line_is_absent_not_partial() -> None:
    page = 'jobs{kind="a"} 1\njobs{kind="b"} many\nother 2\n'
    assert set(read_families(page, ["jobs", "other"])) == {"other"}


def test_only_the_families_asked_for_are_parsed() -> None:
    page = "junk that no parser takes {{{\n" * 3 + "jobs 2\n"
    assert value(page, "jobs") == 2.0


# --- restarts -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("starts_s", "expected"),
    [
        ([100.0, 100.0, 100.0], 0),
        ([100.0, 200.0, 200.0, 300.0], 2),
        ([100.0, 100.4, 99.8, 100.7], 0),
        ([200.0, 100.0, 200.0, 100.0], 0),
    ],
    ids=["none", "two", "a start time that trembles", "two processes behind one address"],
)
def test_restarts_by_start_time(starts_s: list[float], expected: int) -> None:
    restarts = Restarts()
    for start_s in starts_s:
        restarts.note(start_s, {"process_cpu_seconds_total": 1.0})
    assert restarts.count == expected


def test_without_a_start_time_a_counter_that_falls_is_a_restart() -> None:
    restarts = Restarts()
    for cpu_s, jobs in ((5.0, 1.0), (6.0, 2.0), (0.1, 0.0), (0.2, 0.0)):
        restarts.note(None, {"process_cpu_seconds_total": cpu_s, "jobs_total": jobs})
    assert (restarts.count, restarts.known) == (1, True)


def test_a_page_that_shows_nothing_to_tell_a_restart_by_says_nothing() -> None:
    restarts = Restarts()
    restarts.note(None, {})
    assert not restarts.known


# --- scrapes --------------------------------------------------------------------------------------


@pytest.fixture
def monitor(page: Any) -> Callable[..., Any]:
    """A factory of opened monitors on the page."""

    def make(host: str = "", **settings: Any) -> Any:
        model = exposition.Monitor.Settings.model_validate(settings)
        monitor = exposition.Monitor(model, host or page.host + "/")
        monitor.open()
        return monitor

    return make


def test_a_scrape_fills_what_the_page_offers(page: Any, monitor: Callable[..., Any]) -> None:
    page.body = PAGE
    series = {"server.memory": "process_resident_memory_bytes", "server.in_flight": "jobs_running"}
    scraping = monitor(series=series)
    values = scraping.sample()
    assert values.pop("server.scrape_duration") > 0
    assert values == {"server.memory": 1.5e8, "server.up": 1.0, "server.restarts": 0.0}
    assert scraping.metrics == (
        "server.memory",
        "server.in_flight",
        "server.up",
        "server.scrape_duration",
        "server.restarts",
    )
    assert scraping.source == page.host + "/metrics"


def test_a_restart_between_scrapes_is_counted(page: Any, monitor: Callable[..., Any]) -> None:
    scraping = monitor()
    seen = []
    for start_s in (1000, 1000, 1060):
        page.body = f"process_start_time_seconds {start_s}\n"
        seen.append(scraping.sample()["server.restarts"])
    assert seen == [0.0, 0.0, 1.0]


def test_a_mapped_counter_that_falls_is_a_restart(page: Any, monitor: Callable[..., Any]) -> None:
    scraping = monitor(series={"prom.jobs": "jobs_total"})
    seen = []
    registries = []
    for jobs in (3, 4, 1):
        registries.append(CollectorRegistry())
        Counter("jobs", "", registry=registries[-1]).inc(jobs)
        page.body = generate_latest(registries[-1]).decode()
        values = scraping.sample()
        seen.append((values["prom.jobs"], values["server.restarts"]))
    assert seen == [(3.0, 0.0), (4.0, 0.0), (1.0, 1.0)]


def failure(monitor: Any) -> tuple[str, dict[str, float]]:
    with pytest.raises(MonitorError) as raised:
        monitor.sample()
    return str(raised.value), raised.value.values


def test_a_refused_scrape_is_a_zero_with_its_reason(page: Any, monitor: Callable[..., Any]) -> None:
    page.body = "process_start_time_seconds 1000\n"
    scraping = monitor()
    scraping.sample()
    page.stop()
    reason, values = failure(scraping)
    assert reason == f"{page.host}/metrics: Connection refused"
    assert values == {"server.up": 0.0, "server.restarts": 0.0}


def test_before_the_first_page_restarts_are_unknown(page: Any, monitor: Callable[..., Any]) -> None:
    page.stop()
    assert failure(monitor())[1] == {"server.up": 0.0}


@pytest.mark.parametrize("status", [404, 503, 302])
def test_a_status_other_than_200_is_a_zero(page: Any, monitor: Callable[..., Any], status: int) -> None:
    page.body, page.status = PAGE, status
    reason, values = failure(monitor())
    assert f"/metrics: {status} " in reason
    assert values["server.up"] == 0.0


def test_a_page_that_was_cut_off_is_a_zero(page: Any, monitor: Callable[..., Any]) -> None:
    page.body, page.cut = PAGE, True
    reason, values = failure(monitor())
    assert "IncompleteRead" in reason
    assert values["server.up"] == 0.0


def test_a_page_without_end_is_a_zero(
    page: Any, monitor: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exposition, "MAX_PAGE_BYTES", 100)
    page.body = PAGE
    assert failure(monitor())[1]["server.up"] == 0.0


def test_a_page_that_drips_ends_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    class Dripping:
        length = None
        clock_s = 0.0

        def read1(self, limit: int) -> bytes:
            Dripping.clock_s += 0.5
            return b"x"

    monkeypatch.setattr(exposition, "monotonic", lambda: Dripping.clock_s)
    with pytest.raises(TimeoutError):
        exposition._body(Dripping(), deadline_s=4.0)
    assert Dripping.clock_s == 4.5


def test_url_and_headers_are_settings_and_secrets_are_references(
    page: Any, monitor: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAGE_TOKEN", "s3cret")
    page.body = PAGE
    scraping = monitor(
        host="http://127.0.0.1:1",
        url=f"{page.host}/deep/metrics?name=all",
        headers={"Authorization": "Bearer ${env:PAGE_TOKEN}"},
    )
    assert scraping.sample()["server.up"] == 1.0
    assert page.seen[0]["path"] == "/deep/metrics?name=all"
    assert page.seen[0]["authorization"] == "Bearer s3cret"
    assert "s3cret" not in scraping.source + str(scraping.settings)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"series": {"server.memry": "x"}}, "server.memry"),
        ({"series": {"server.up": "up"}}, "server.up"),
        ({"series": {"server.memory": "a{"}}, "names no series"),
        ({"headers": {"Authorization": "Bearer abc"}}, "secret in clear"),
        ({"url": "http://me:word@127.0.0.1/metrics"}, "user's name"),
        ({"url": "ftp://127.0.0.1/metrics"}, "begins with http"),
        ({"serie": {}}, "Extra inputs"),
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        exposition.Monitor.Settings.model_validate(settings)


def test_tls_settings_reach_the_context(tmp_path: Path) -> None:
    settings = exposition.Monitor.Settings.model_validate({"tls": {"verify": False}})
    assert exposition._tls_context(settings.tls).verify_mode == ssl.CERT_NONE
    strict = exposition.Monitor.Settings.model_validate({"tls": {"ca_file": str(tmp_path / "absent.pem")}})
    with pytest.raises(FileNotFoundError):
        exposition._tls_context(strict.tls)
