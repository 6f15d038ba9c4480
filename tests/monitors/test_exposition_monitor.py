"""The monitor of a metrics page: what a scrape fills, and what a failed one says."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Counter, generate_latest
from pydantic import ValidationError

from genload import extensions
from genload.exposition import scrape
from genload.monitor import MonitorError
from genload.settings.service import Tls

exposition: Any = extensions.load("monitors", "exposition")

PAGE = """\
process_resident_memory_bytes 1.5e+08
process_start_time_seconds 1000
jobs{kind="3d"} 2
"""


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


def test_a_mapped_counter_that_falls_is_a_restart_and_goes_on(page: Any, monitor: Callable[..., Any]) -> None:
    scraping = monitor(series={"prom.jobs": "jobs_total"})
    seen = []
    registries = []
    for jobs in (3, 4, 1):
        registries.append(CollectorRegistry())
        Counter("jobs", "", registry=registries[-1]).inc(jobs)
        page.body = generate_latest(registries[-1]).decode()
        values = scraping.sample()
        seen.append((values["prom.jobs"], values["server.restarts"]))
    assert seen == [(3.0, 0.0), (4.0, 0.0), (5.0, 1.0)]


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
    monkeypatch.setattr(scrape, "MAX_PAGE_BYTES", 100)
    page.body = PAGE * 2
    assert failure(monitor())[1]["server.up"] == 0.0


def test_a_page_that_drips_ends_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    class Dripping:
        length = None
        clock_s = 0.0

        def getheader(self, name: str, default: str) -> str:
            return default

        def read1(self, limit: int) -> bytes:
            Dripping.clock_s += 0.5
            return b"x"

    monkeypatch.setattr(scrape, "monotonic", lambda: Dripping.clock_s)
    with pytest.raises(TimeoutError):
        scrape._body(Dripping(), deadline_s=4.0)  # type: ignore[arg-type]
    assert Dripping.clock_s == 4.5


@pytest.mark.parametrize(("asked", "packing"), [(True, "gzip"), (False, "identity")])
def test_a_packed_page_is_asked_for_and_read(
    page: Any, monitor: Callable[..., Any], asked: bool, packing: str
) -> None:
    page.body, page.packing = PAGE, "gzip"  # some servers pack whatever they were asked for
    assert monitor(gzip=asked).sample()["server.memory"] == 1.5e8
    assert page.seen[0]["accept-encoding"] == packing


def test_a_small_packed_page_cannot_unpack_without_bounds(
    page: Any, monitor: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scrape, "MAX_PAGE_BYTES", 1 << 20)
    page.body, page.packing = "x" * (8 << 20), "gzip"
    reason, values = failure(monitor())
    assert "more than 1 MiB" in reason
    assert values["server.up"] == 0.0


@pytest.mark.parametrize(
    ("packing", "cut", "words"),
    [("br", False, "packed as br"), ("x-gzip", False, "no gzip"), ("gzip", True, "IncompleteRead")],
)
def test_a_page_that_cannot_be_unpacked_is_a_zero(
    page: Any, monitor: Callable[..., Any], packing: str, cut: bool, words: str
) -> None:
    page.body, page.packing, page.cut = PAGE, packing, cut
    reason, values = failure(monitor())
    assert words in reason
    assert values["server.up"] == 0.0


def test_the_end_takes_one_last_look(page: Any, monitor: Callable[..., Any]) -> None:
    scraping = monitor(series={"prom.jobs": "jobs_total"})
    page.body = "jobs_total 3\n"
    scraping.sample()
    page.body = "jobs_total 5\n"
    ((_, values),) = scraping.history(0.0, 1.0)
    assert values["prom.jobs"] == 5.0
    page.stop()
    looks = scraping.history(0.0, 1.0)
    assert next(looks)[1]["server.up"] == 0.0
    with pytest.raises(MonitorError, match="refused"):
        next(looks)


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
        ({"url": []}, "1 to 64"),
        ({"url": ["http://a/metrics", "http://a/metrics"]}, "each once"),
        ({"url": ["http://a/m"], "every_address": True}, "with one url"),
        ({"expects": ["jobs", "jobs"]}, "twice"),
        ({"expects": ["my jobs"]}, "pattern"),
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        exposition.Monitor.Settings.model_validate(settings)


def test_tls_settings_reach_the_context(tmp_path: Path) -> None:
    assert scrape.tls_context(Tls(verify=False)).verify_mode == ssl.CERT_NONE
    with pytest.raises(FileNotFoundError):
        scrape.tls_context(Tls(ca_file=str(tmp_path / "absent.pem")))
