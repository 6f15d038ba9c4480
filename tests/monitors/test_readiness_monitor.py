"""The health probe, against a page that a test changes, breaks and brings back."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any

import pydantic
import pytest

from genload import extensions
from genload.monitor import MonitorError
from genload.sampler import start_sampler
from genload.sampler.watch import Watch
from genload.settings.metrics.machines import MACHINE_METRICS

readiness: Any = extensions.load("monitors", "readiness")


def opened(url: str, **settings: Any) -> Any:
    monitor = readiness.Monitor(readiness.Monitor.Settings.model_validate(settings), url)
    monitor.open()
    return monitor


def test_a_service_that_answers_is_up(page: Any) -> None:
    monitor = opened(page.host, path="/v1/models")
    values = monitor.sample()
    assert set(values) == set(monitor.metrics) <= {metric.name for metric in MACHINE_METRICS}
    assert values["service.up"] == 1.0 and 0 < values["service.probe_duration"] < 30
    assert page.seen[-1]["path"] == "/v1/models"
    assert page.seen[-1]["connection"] == "close", "each probe comes as a new client does"


def test_another_url_may_be_the_probe(page: Any) -> None:
    monitor = opened("http://127.0.0.1:1", path=f"{page.host}/health?deep=1")
    assert monitor.sample()["service.up"] == 1.0
    assert monitor.source == f"{page.host}/health?deep=1"


def test_secrets_are_sent_and_not_shown(page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROBE_TOKEN", "s3cret-value")
    monitor = opened(page.host, headers={"Authorization": "Bearer ${env:PROBE_TOKEN}"})
    monitor.sample()
    assert page.seen[-1]["authorization"] == "Bearer s3cret-value"
    assert "s3cret" not in str(monitor.settings.model_dump()) + monitor.source


@pytest.mark.parametrize(("status", "words"), [(503, "503 Service Unavailable"), (302, "302 Found")])
def test_any_other_status_is_down_with_its_reason(page: Any, status: int, words: str) -> None:
    page.status = status
    with pytest.raises(MonitorError, match=words) as raised:
        opened(page.host).sample()
    assert raised.value.values == {"service.up": 0.0}


def test_a_service_that_is_not_there_is_down(dead_port: int) -> None:
    sample = Watch("readiness", opened(f"http://127.0.0.1:{dead_port}")).tick(0.0)
    assert sample.values == {"service.up": 0.0}
    assert sample.error.endswith("/ready: Connection refused")


def test_a_service_that_hangs_is_down_after_the_probes_own_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        monitor = opened(f"http://127.0.0.1:{server.getsockname()[1]}", timeout=0.05)
        with pytest.raises(MonitorError, match="did not answer within") as raised:
            monitor.sample()
    assert raised.value.values == {"service.up": 0.0}


def test_an_answer_that_is_no_http_is_down() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def talk() -> None:
            connection, _ = server.accept()
            connection.recv(65536)
            connection.sendall(b"220 mail.example ESMTP\r\n")
            connection.close()

        thread = threading.Thread(target=talk, daemon=True)
        thread.start()
        with pytest.raises(MonitorError) as raised:
            opened(f"http://127.0.0.1:{server.getsockname()[1]}").sample()
        thread.join(30)
    assert raised.value.values == {"service.up": 0.0}


@pytest.mark.parametrize(
    "settings",
    [{"path": "ready"}, {"path": "http://me:pw@host/"}, {"headers": {"X-API-Key": "clear"}}],
    ids=str,
)
def test_wrong_settings_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(pydantic.ValidationError):
        readiness.Monitor.Settings.model_validate(settings)


@pytest.mark.processes
def test_the_moments_when_it_went_and_came_back_are_in_the_samples(
    page: Any, tmp_path: Any, wait_for_samples: Callable[..., list[Any]]
) -> None:
    handle = start_sampler(tmp_path, 0.0, page.host, {"readiness": {"interval": "20ms"}})
    try:
        wait_for_samples(lambda samples: len(samples) >= 2)
        page.stop()
        wait_for_samples(lambda samples: samples[-1].values["service.up"] == 0.0)
        page.start()
        samples = wait_for_samples(
            lambda samples: (
                samples[-1].values["service.up"] == 1.0 and samples[-2].values["service.up"] == 1.0
            )
        )
    finally:
        handle.stop()
    states = [sample.values["service.up"] for sample in samples]
    changes = [state for state, before in zip(states, [None, *states], strict=False) if state != before]
    assert changes == [1.0, 0.0, 1.0]
    assert all(bool(sample.error) is (sample.values["service.up"] == 0.0) for sample in samples)
