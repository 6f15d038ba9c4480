"""Several replicas: a series for each, one number for all, and addresses that come and go."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from genload import extensions
from genload.exposition.scrape import Fetched
from genload.monitor import MonitorError

exposition: Any = extensions.load("monitors", "exposition")

SERIES = {
    "server.memory": "process_resident_memory_bytes",
    "gpu.utilisation": "gpu_usage",
    "prom.jobs": "jobs_total",
}


def body(memory: float, jobs: float, start_s: float = 1000.0, usage: float = 0.5) -> str:
    return (
        f"process_resident_memory_bytes {memory}\njobs_total {jobs}\ngpu_usage {usage}\n"
        f"process_start_time_seconds {start_s}\n"
    )


@pytest.fixture
def monitor() -> Callable[..., Any]:
    """A factory of opened monitors."""

    def make(host: str = "http://127.0.0.1:1", **settings: Any) -> Any:
        model = exposition.Monitor.Settings.model_validate({"series": SERIES, **settings})
        monitor = exposition.Monitor(model, host)
        monitor.open()
        return monitor

    return make


def tick(monitor: Any) -> dict[str, float]:
    """One tick's values, whether something went wrong or not."""
    try:
        return dict(monitor.sample())
    except MonitorError as problem:
        return problem.values


def test_each_replica_is_a_series_and_all_together_one_number(
    pages: Callable[..., Any], monitor: Callable[..., Any]
) -> None:
    one, two = pages(body(100, 3, usage=0.2)), pages(body(50, 4, usage=0.4))
    values = monitor(url=[f"{one.host}/metrics", f"{two.host}/metrics"]).sample()
    assert values[f"server.memory{{replica=127.0.0.1:{one.port}}}"] == 100.0
    assert values[f"server.memory{{replica=127.0.0.1:{two.port}}}"] == 50.0
    assert (values["server.memory"], values["prom.jobs"], values["server.up"]) == (150.0, 7.0, 1.0)
    assert values["gpu.utilisation"] == pytest.approx(0.3)
    latencies = [values[f"server.scrape_duration{{replica=127.0.0.1:{page.port}}}"] for page in (one, two)]
    assert values["server.scrape_duration"] == max(latencies) > 0


def test_one_that_is_down_is_named_and_only_counters_go_on(
    pages: Callable[..., Any], monitor: Callable[..., Any]
) -> None:
    one, two = pages(body(100, 3)), pages(body(50, 4))
    scraping = monitor(url=[f"{one.host}/metrics", f"{two.host}/metrics"])
    scraping.sample()
    two.stop()
    one.body = body(100, 5)
    with pytest.raises(MonitorError) as raised:
        scraping.sample()
    assert str(raised.value) == f"127.0.0.1:{two.port}: Connection refused"
    values = raised.value.values
    assert values["server.up"] == values[f"server.up{{replica=127.0.0.1:{two.port}}}"] == 0.0
    assert values[f"server.up{{replica=127.0.0.1:{one.port}}}"] == 1.0
    assert values["prom.jobs"] == 9.0
    assert not {"server.memory", "server.scrape_duration"} & values.keys()


def test_when_all_are_down_nothing_is_repeated(
    pages: Callable[..., Any], monitor: Callable[..., Any]
) -> None:
    one, two = pages(body(100, 3)), pages(body(50, 4))
    scraping = monitor(url=[f"{one.host}/metrics", f"{two.host}/metrics"])
    scraping.sample()
    one.stop()
    two.stop()
    assert "prom.jobs" not in tick(scraping)


def test_a_restart_of_one_is_a_reset_of_its_counters_alone(
    pages: Callable[..., Any], monitor: Callable[..., Any]
) -> None:
    one, two = pages(body(100, 30)), pages(body(50, 40))
    scraping = monitor(url=[f"{one.host}/metrics", f"{two.host}/metrics"])
    assert scraping.sample()["server.restarts"] == 0.0
    one.body, two.body = body(100, 2, start_s=time.time()), body(50, 41)
    values = scraping.sample()
    assert values["prom.jobs"] == 70 + 2 + 1
    assert (values["server.restarts"], values[f"server.restarts{{replica=127.0.0.1:{one.port}}}"]) == (1, 1)


def test_one_that_was_there_but_not_reached_adds_only_what_it_counts_from_then_on(
    pages: Callable[..., Any], monitor: Callable[..., Any]
) -> None:
    one, two = pages(body(100, 3)), pages(body(50, 400))
    two.stop()
    scraping = monitor(url=[f"{one.host}/metrics", f"{two.host}/metrics"])
    assert tick(scraping)["prom.jobs"] == 3.0
    two.start()
    assert tick(scraping)["prom.jobs"] == 3.0
    two.body = body(50, 402)
    assert tick(scraping)["prom.jobs"] == 5.0


def test_replicas_of_one_place_are_told_apart_by_their_urls(page: Any, monitor: Callable[..., Any]) -> None:
    page.body = body(100, 3)
    values = monitor(url=[f"{page.host}/a", f"{page.host}/b"]).sample()
    assert values["server.memory"] == 200.0
    assert values[f'server.memory{{replica="{page.host}/a"}}'] == 100.0


# --- addresses of a name --------------------------------------------------------------------------


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Addresses by name, instead of a name server's; the lookups are counted under ``""``."""
    known: dict[str, list[str]] = {"": []}

    def lookup(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        if host in known:
            known[""].append(host)
            if not known[host]:
                raise socket.gaierror(-2, "Name or service not known")
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port)) for a in known[host]]
        return real(host, port, *_, **__)

    real: Callable[..., list[Any]] = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    return known


def test_every_address_of_a_name_is_a_replica_looked_up_again_after_a_failure(
    pages: Callable[..., Any], monitor: Callable[..., Any], names: dict[str, list[str]]
) -> None:
    one = pages(body(100, 3))
    two = pages(body(50, 4), port=one.port, address="127.0.0.2")
    names["service.test"] = ["127.0.0.2", "127.0.0.1"]
    scraping = monitor(url=f"http://service.test:{one.port}/metrics", every_address=True)
    values = scraping.sample()
    assert values["server.memory"] == 150.0
    assert values["server.memory{replica=127.0.0.2}"] == 50.0
    assert one.seen[0]["host"] == f"service.test:{one.port}"
    scraping.sample()
    assert len(names[""]) == 1

    two.stop()
    three = pages(body(70, 6, start_s=time.time()), port=one.port, address="127.0.0.3")
    assert tick(scraping)["server.up"] == 0.0
    names["service.test"] = ["127.0.0.1", "127.0.0.3"]
    values = tick(scraping)
    assert (values["server.memory"], values["server.up"]) == (170.0, 1.0)
    assert values["prom.jobs"] == 3 + 4 + 6, "the one that has gone did count 4, the new one began since"

    three.body = body(70, 8, start_s=2000.0)
    names["service.test"] = []
    tick(scraping)
    assert len(names[""]) == 2, "no lookup without a failure"


def test_a_name_without_an_address_is_a_zero_with_its_reason(
    monitor: Callable[..., Any], names: dict[str, list[str]]
) -> None:
    names["service.test"] = []
    scraping = monitor(url="http://service.test/metrics", every_address=True)
    with pytest.raises(
        MonitorError, match=r"http://service.test/metrics: Name or service not known"
    ) as raised:
        scraping.sample()
    assert raised.value.values == {"server.up": 0.0}


def test_how_many_replicas_answered_is_a_fact_where_there_may_be_several(
    pages: Callable[..., Any], monitor: Callable[..., Any]
) -> None:
    one, two = pages(body(100, 3)), pages(body(50, 4))
    two.stop()
    scraping = monitor(url=[f"{one.host}/metrics", f"{two.host}/metrics"])
    tick(scraping)
    assert scraping.facts() == {"replicas": "1 of 2 answered"}
    two.start()
    tick(scraping)
    assert scraping.facts() == {"replicas": "2"}
    single = monitor(one.host)
    tick(single)
    assert single.facts() == {}


def test_a_lookup_that_fails_keeps_the_addresses_there_were(
    page: Any, monitor: Callable[..., Any], names: dict[str, list[str]]
) -> None:
    page.body = body(100, 3)
    names["service.test"] = ["127.0.0.1"]
    scraping = monitor(url=f"http://service.test:{page.port}/metrics", every_address=True)
    scraping.sample()
    page.stop()
    names["service.test"] = []
    tick(scraping)
    page.start()
    assert tick(scraping)["server.memory"] == 100.0


def test_the_only_page_is_a_replica_of_its_own_where_criteria_name_the_label(
    page: Any, monitor: Callable[..., Any]
) -> None:
    page.body = body(100, 3)
    settings = exposition.Monitor.Settings(series=SERIES)
    assert settings.telling_apart(["phase"]) == settings
    told = settings.telling_apart(["replica"])
    values = monitor(page.host, **told.model_dump(mode="json", exclude_unset=True)).sample()
    assert values[f"server.memory{{replica=127.0.0.1:{page.port}}}"] == values["server.memory"] == 100.0
    assert not any("{" in name for name in monitor(page.host, per_replica=False).sample())


def test_pages_are_fetched_at_the_same_time(monitor: Callable[..., Any]) -> None:
    """So that replicas that hang cost a tick one timeout, not one each."""
    scraping = monitor(url=[f"http://127.0.0.{n}/metrics" for n in (1, 2, 3)])
    all_there = threading.Barrier(3)

    class Meeting:
        def fetch(self, target: Any) -> Fetched:
            all_there.wait(timeout=30)
            return Fetched(body(1, 1))

    scraping._scraper = Meeting()
    assert scraping.sample()["server.memory"] == 3.0
