"""The load generator's own machine, against psutil."""

from __future__ import annotations

from typing import Any

import psutil
import pytest

from genload import extensions
from genload.settings.catalogue import MACHINE_METRICS

host: Any = extensions.load("monitors", "host")


@pytest.fixture
def monitor() -> Any:
    monitor = host.Monitor(host.Monitor.Settings(), "http://127.0.0.1:1")
    monitor.open()
    return monitor


def test_it_fills_what_it_promises_with_names_of_the_catalogue(monitor: Any) -> None:
    monitor.sample()
    assert set(monitor.sample()) == set(monitor.metrics) <= {metric.name for metric in MACHINE_METRICS}


def test_the_first_tick_has_no_cpu_share(monitor: Any) -> None:
    assert "host.cpu" not in monitor.sample()


def test_cpu_is_a_share_of_one(monitor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monitor.sample()
    monkeypatch.setattr(psutil, "cpu_percent", lambda: 42.0)
    assert monitor.sample()["host.cpu"] == pytest.approx(0.42)


def test_memory_is_in_bytes_of_this_machine(monitor: Any) -> None:
    values = monitor.sample()
    whole = psutil.virtual_memory().total
    assert 0 < values["host.memory_used"] < whole
    assert 0 < values["host.memory_available"] < whole


def test_without_network_interfaces_the_counters_are_absent(
    monitor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psutil, "net_io_counters", lambda: None)
    assert set(monitor.sample()) == {"host.memory_used", "host.memory_available"}
