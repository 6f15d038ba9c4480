"""The Prometheus monitor: its settings, and what it makes of an API that a test scripts."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from genload import extensions
from genload.monitor import MonitorError
from genload.settings.criteria.parse import parse

from ..client.certificates import Authority
from .scripted_prometheus import Api, history

prometheus: Any = extensions.load("monitors", "prometheus")


URL = "http://127.0.0.1:9090"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"url": URL, "queries": {}}, "at least 1"),
        ({"url": URL, "queries": {"gpu.memory_usd": "x"}}, "no metric that a query can fill"),
        ({"url": "prometheus:9090", "queries": {"x": "y"}}, "begins with http"),
        ({"url": "http://me:word@h", "queries": {"x": "y"}}, "user's name"),
        ({"url": URL, "queries": {"x": "y"}, "bearer": "abcdef"}, "in clear"),
        ({"url": URL, "queries": {"x": "y"}, "basic_auth": {"username": "a", "password": "b"}}, "in clear"),
        ({"url": URL, "queries": {"x": "y"}, "headers": {"Authorization": "Bearer abc"}}, "in clear"),
        (
            {
                "url": URL,
                "queries": {"x": "y"},
                "bearer": "${env:T}",
                "basic_auth": {"username": "a", "password": "${env:P}"},
            },
            "not together",
        ),
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        prometheus.Monitor.Settings.model_validate(settings)


def test_plain_names_become_prom_names_and_the_engines_stay() -> None:
    queries = {"queue": "a", "prom.busy": "b", "gpu.memory_used": "c"}
    monitor = prometheus.Monitor(prometheus.Monitor.Settings(url=URL + "/", queries=queries), "")
    assert monitor.metrics == ("prom.queue", "prom.busy", "gpu.memory_used")
    assert (monitor.origin("prom.queue"), monitor.source) == ("a", URL)


# --- against an API by script ---------------------------------------------------------------------


@pytest.fixture
def api() -> Iterator[Api]:
    """A running one."""
    api = Api()
    yield api
    api.stop()


@pytest.fixture
def monitor() -> Iterator[Callable[..., Any]]:
    """A factory of opened monitors: ``monitor(url, queries, interval_s=1.0)``."""
    opened = []

    def make(url: str, queries: dict[str, str], **settings: Any) -> Any:
        model = prometheus.Monitor.Settings(url=url, queries=queries, **settings)
        monitor = prometheus.Monitor(model, "")
        monitor.open()
        opened.append(monitor)
        return monitor

    yield make
    for one in opened:
        one.close()


def test_series_that_differ_by_their_names_alone_stay_two(api: Api, monitor: Callable[..., Any]) -> None:
    """As of `{__name__=~"queue_.*"}`."""
    api.series = {
        "q": [
            ({"__name__": "queue_in", "job": "a"}, lambda _: "3"),
            ({"__name__": "queue_out", "job": "a"}, lambda _: "4"),
        ]
    }
    asking = monitor(api.url, {"queue": "q"}, interval_s=1.0)
    both = {"prom.queue{__name__=queue_in}": 3.0, "prom.queue{__name__=queue_out}": 4.0}
    assert asking.sample() == both
    samples, wrong = history(asking, 10.0)
    assert len(samples) >= 10 and wrong == ""
    assert all(values == both for _, values in samples)
    assert parse("prom.queue.max{__name__=queue_out} <= 4"), "a criterion can name them"


def test_live_values_and_what_finds_nothing(api: Api, monitor: Callable[..., Any]) -> None:
    api.series = {
        "q": [({"__name__": "q"}, lambda _: "3")],
        "fb": [({"gpu": "0"}, lambda _: "5"), ({"gpu": "1"}, lambda _: "7")],
    }
    asking = monitor(api.url, {"queue": "q", "gpu.memory_used": "fb", "typo": "qq"})
    with pytest.raises(MonitorError, match=r"^prom\.typo: the query finds no series$") as raised:
        asking.sample()
    assert raised.value.values == {
        "prom.queue": 3.0,
        "gpu.memory_used": 12.0,
        "gpu.memory_used{gpu=0}": 5.0,
        "gpu.memory_used{gpu=1}": 7.0,
    }


@pytest.mark.parametrize("ahead_s", [0.0, 1000.25, -86400.0])
def test_the_window_is_exact_whatever_the_clocks_say(
    api: Api, monitor: Callable[..., Any], ahead_s: float
) -> None:
    """The value is Prometheus's own time: it must come back at the moment of ours."""
    api.ahead_s = ahead_s
    api.series = {"q": [({}, repr)]}
    begin_unix_s = time.time() + ahead_s - 100.0
    samples, wrong = history(monitor(api.url, {"q": "q"}, interval_s=2.0), 100.0)
    assert wrong == ""
    assert len(samples) in (50, 51)
    for at_s, values in samples:
        assert -100.1 <= at_s <= 0.1
        assert values["prom.q"] % 2.0 == 0.0, "aligned with the step"
        assert values["prom.q"] - begin_unix_s == pytest.approx(at_s + 100.0, abs=0.5)


def test_a_long_window_is_asked_for_in_parts(api: Api, monitor: Callable[..., Any]) -> None:
    api.series = {"q": [({}, lambda _: "1")]}
    samples, _ = history(monitor(api.url, {"q": "q"}, interval_s=1.0), 25_000.0)
    assert len(samples) in (25_000, 25_001)
    steps = [form for _, form in api.seen if form["query"] == "q"]
    assert len(steps) == 3
    assert all(float(form["end"]) - float(form["start"]) < 10_000 for form in steps)


def test_gaps_and_nan_are_holes(api: Api, monitor: Callable[..., Any]) -> None:
    def value(at_s: float) -> str | None:
        number = round(at_s) % 10
        return None if number < 3 else "NaN" if number < 5 else "1"

    api.series = {"q": [({}, value)]}
    samples, wrong = history(monitor(api.url, {"q": "q"}, interval_s=1.0), 100.0)
    assert wrong == ""
    assert len(samples) == pytest.approx(50, abs=1)


FRESH, FRESH_DAY = "sum(count_over_time(up[2000ms]))", "sum(count_over_time(up[1d]))"


def test_what_is_repeated_while_nothing_was_scraped_is_a_hole(api: Api, monitor: Callable[..., Any]) -> None:
    api.series = {
        "q": [({}, lambda _: "1")],
        FRESH: [({}, lambda at_s: "4" if round(at_s) % 10 < 8 else None)],
    }
    samples, wrong = history(monitor(api.url, {"q": "q"}, interval_s=1.0), 100.0)
    assert len(samples) == pytest.approx(80, abs=2)
    assert "have no value: nothing was scraped within two intervals" in wrong


def test_a_prometheus_that_scraped_nothing_all_the_time_has_no_value(
    api: Api, monitor: Callable[..., Any]
) -> None:
    api.series = {"q": [({}, lambda _: "1")], FRESH_DAY: [({}, lambda _: "9")]}
    samples, wrong = history(monitor(api.url, {"q": "q"}, interval_s=1.0), 100.0)
    assert samples == []
    assert "nothing was scraped" in wrong
    with pytest.raises(MonitorError, match="nothing was scraped") as raised:
        monitor(api.url, {"q": "q"}, interval_s=1.0).sample()
    assert raised.value.values == {}


def test_one_query_that_fails_leaves_its_first_looks_and_the_others(
    api: Api, monitor: Callable[..., Any]
) -> None:
    api.series = {"a": [({}, lambda _: "1")], "b": [({}, lambda _: "2")]}
    asking = monitor(api.url, {"a": "a", "b": "b"}, interval_s=1.0)
    asking.sample()
    api.series["b"] = [({"n": str(n)}, lambda _: "2") for n in range(65)]
    samples, wrong = history(asking, 10.0)
    assert wrong == "prom.b at the end: the query finds 65 series, 64 are the most: sum by (…) them"
    assert [values for _, values in samples if "prom.b" in values] == [{"prom.b": 2.0}]
    assert list(asking.doubts()) == ["prom.b"]
    assert len([values for _, values in samples if "prom.a" in values]) >= 10


def test_at_an_end_without_prometheus_the_first_looks_stand(
    api: Api, monitor: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prometheus, "HISTORY_S", 0.0)
    api.series = {"q": [({}, lambda _: "3")]}
    asking = monitor(api.url, {"q": "q"})
    asking.sample()
    api.stop()
    with pytest.raises(MonitorError, match=f"{api.url}: Connection refused"):
        asking.sample()
    samples, wrong = history(asking, 10.0)
    assert [values for _, values in samples] == [{"prom.q": 3.0}, {}]
    assert asking.doubts()["prom.q"].endswith("what was seen while the run went on: Connection refused")
    assert wrong == f"{api.url} at the end: Connection refused"


@pytest.mark.parametrize(
    ("beside", "why"),
    [
        ({"warnings": ["store 10.0.0.7:10901 is down"]}, "the server warns: store 10.0.0.7:10901 is down"),
        ({"isPartial": True}, "the server warns: the answer is partial"),
    ],
)
def test_an_answer_that_is_not_whole_is_doubted(
    api: Api, monitor: Callable[..., Any], beside: dict[str, Any], why: str
) -> None:
    api.series = {"a": [({}, lambda _: "1")], "b": [({}, lambda _: "2")]}
    api.beside = {"a": {"status": "success", **beside}}
    asking = monitor(api.url, {"a": "a", "b": "b"}, interval_s=1.0)
    with pytest.raises(MonitorError, match=why.removeprefix("the server warns: ")):
        asking.sample()
    samples, wrong = history(asking, 10.0)
    assert (asking.doubts(), wrong) == ({"prom.a": why}, "")
    assert len([values for _, values in samples if "prom.a" in values]) >= 10


def test_what_the_server_only_informs_of_is_told_and_no_doubt(api: Api, monitor: Callable[..., Any]) -> None:
    api.series, words = {"a": [({}, lambda _: "1")]}, "PromQL info: metric might not be a counter"
    api.beside = {"a": {"infos": [words]}}
    asking = monitor(api.url, {"a": "a"}, interval_s=1.0)
    _, wrong = history(asking, 10.0)
    assert (wrong, asking.doubts()) == (f"prom.a: {words}", {})


def test_a_warning_about_what_was_scraped_is_a_doubt_about_everything(
    api: Api, monitor: Callable[..., Any]
) -> None:
    api.series, api.beside = {"a": [({}, lambda _: "1")]}, {FRESH: {"warnings": ["partial"]}}
    asking = monitor(api.url, {"a": "a", "b": "a"}, interval_s=1.0)
    history(asking, 10.0)
    assert asking.doubts() == dict.fromkeys(("prom.a", "prom.b"), "the server warns: partial")


def test_what_a_victoriametrics_hides_is_a_hole_and_shifts_nothing(
    api: Api, monitor: Callable[..., Any]
) -> None:
    """It answers a scalar with a vector, made of what was 30 s before, and repeats the newest it tells of."""
    api.series, api.hidden_s, api.ahead_s = {"q": [({}, repr)]}, 30.0, 1000.0
    began_unix_s = time.time() + api.ahead_s - 100.0
    asking = monitor(api.url, {"q": "q"}, interval_s=2.0)
    samples, wrong = history(asking, 100.0)
    assert wrong == "this server hides the newest 30 s (VictoriaMetrics: -search.latencyOffset)"
    assert len(samples) in (35, 36)
    for at_s, values in samples:
        assert values["prom.q"] - began_unix_s == pytest.approx(at_s + 100.0, abs=0.5)
    assert asking.doubts()["prom.q"].startswith("no value in the last 30 s: ")


def test_new_data_that_is_left_out_is_a_doubt(api: Api, monitor: Callable[..., Any]) -> None:
    now_s = time.time()
    api.series = {"q": [({}, lambda at_s: "1" if at_s < now_s - 30 else None)], "r": [({}, lambda _: "1")]}
    asking = monitor(api.url, {"q": "q", "r": "r"}, interval_s=2.0)
    _, wrong = history(asking, 100.0)
    assert wrong == ""
    assert list(asking.doubts()) == ["prom.q"]
    assert asking.doubts()["prom.q"].startswith("no value in the last 30 s: ")


def test_an_answer_that_is_an_error_is_told_in_its_own_words(api: Api, monitor: Callable[..., Any]) -> None:
    api.refused = "sum("
    with pytest.raises(MonitorError, match=r"^prom\.q: no: sum\($"):
        monitor(api.url, {"q": "sum("}).sample()


def test_secrets_are_sent_and_shown_nowhere(
    api: Api, monitor: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROM_TOKEN", "s3cret-token")
    monkeypatch.setenv("PROM_PASSWORD", "s3cret-word")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    api.series = {"q": [({}, lambda _: "3")]}
    bearer = monitor(api.url, {"q": "q"}, bearer="${env:PROM_TOKEN}", headers={"X-Scope-OrgID": "team"})
    basic = monitor(api.url, {"q": "q"}, basic_auth={"username": "me", "password": "${env:PROM_PASSWORD}"})
    for asking in (bearer, basic):
        assert asking.sample() == {"prom.q": 3.0}
        assert "s3cret" not in asking.source + str(asking.settings)
    first, second = api.seen[0][0], api.seen[-1][0]
    assert (first["authorization"], first["x-scope-orgid"]) == ("Bearer s3cret-token", "team")
    assert second["authorization"] == "Basic bWU6czNjcmV0LXdvcmQ="


def test_tls_trusts_the_authority_that_the_suite_names(tmp_path: Path, monitor: Callable[..., Any]) -> None:
    authority, stranger = Authority(tmp_path, "ours"), Authority(tmp_path, "theirs")
    certificate, key = authority.sign("127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    api = Api(context)
    api.series = {"q": [({}, lambda _: "3")]}
    try:
        asked = {"url": api.url, "queries": {"q": "q"}}
        assert monitor(**asked, tls={"ca_file": str(authority.file)}).sample() == {"prom.q": 3.0}
        assert monitor(**asked, tls={"verify": False}).sample() == {"prom.q": 3.0}
        for tls in ({}, {"ca_file": str(stranger.file)}):
            with pytest.raises(MonitorError, match="certificate verify failed"):
                monitor(**asked, tls=tls).sample()
    finally:
        api.stop()
