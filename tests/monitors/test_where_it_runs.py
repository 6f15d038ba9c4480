"""Whether the service is on this machine: only then do this machine's GPUs and processes tell of it."""

from __future__ import annotations

import ctypes
import socket
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from genload import extensions
from genload.monitor import is_this_machine
from genload.sampler.ports import Listeners
from genload.sampler.watch import Watch, load_watch

gpu: Any = extensions.load("monitors", "gpu")
host: Any = extensions.load("monitors", "host")

HERE, ELSEWHERE = "http://127.0.0.1:5000", "http://gpu1:5000"
ADDRESSES = {"gpu1": ["192.0.2.7"], "me.test": ["192.0.2.1"], "both.test": ["192.0.2.1", "192.0.2.7"]}


@pytest.fixture(autouse=True)
def network(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine is 192.0.2.1 and fe80::1; names are looked up in ADDRESSES."""
    lookup = socket.getaddrinfo

    def answer(name: str, port: Any, *more: Any, **options: Any) -> Any:
        if name in ADDRESSES:
            return [entry for one in ADDRESSES[name] for entry in lookup(one, port)]
        if name.endswith(".invalid") or not name:
            raise socket.gaierror(-2, "Name or service not known")
        return lookup(name, port, *more, **options)

    own = [SimpleNamespace(address="192.0.2.1"), SimpleNamespace(address="fe80::1%eth0")]
    monkeypatch.setattr(socket, "getaddrinfo", answer)
    monkeypatch.setattr(psutil, "net_if_addrs", lambda: {"eth0": own})


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:5000", True),
        ("https://localhost", True),
        ("http://[::1]:5000/", True),
        ("http://127.3.2.1:80", True),
        ("http://0.0.0.0:5000", True),
        ("http://192.0.2.1:5000", True),
        ("http://[fe80::1]:5000", True),
        ("http://me.test:5000", True),
        ("http://${env:GENLOAD_TEST_HOST}:5000", True),
        ("http://192.0.2.7:5000", False),
        ("http://gpu1:5000", False),
        ("http://both.test", False),
        ("http://gone.invalid", False),
        ("http://[::1", False),
        ("", False),
    ],
)
def test_a_host_is_this_machine_when_all_its_addresses_are(
    monkeypatch: pytest.MonkeyPatch, url: str, here: bool
) -> None:
    monkeypatch.setenv("GENLOAD_TEST_HOST", "me.test")
    assert is_this_machine(url) is here


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Whether the driver's library is there; `found` may be changed."""
    state = SimpleNamespace(found=True)

    def load(name: str) -> None:
        assert name == "libnvidia-ml.so.1"
        if not state.found:
            raise OSError("cannot open shared object file")

    monkeypatch.setattr(gpu, "CDLL", load)
    return state


def gpu_monitor(url: str, **settings: Any) -> Any:
    return gpu.Monitor(gpu.Monitor.Settings(**settings), url)


def test_gpus_of_this_machine_are_not_those_of_a_service_elsewhere(driver: Any) -> None:
    assert gpu_monitor(HERE).nothing_here == ""
    assert gpu_monitor(ELSEWHERE).nothing_here == (
        "not measured: the service is on gpu1, not on this machine"
    )
    assert gpu_monitor(ELSEWHERE, where="always").nothing_here == ""


def test_a_machine_without_a_driver_is_no_fault_unless_gpus_must_be_there(driver: Any) -> None:
    driver.found = False
    assert gpu_monitor(HERE).nothing_here == "not measured: no NVIDIA driver on this machine"
    assert gpu_monitor(HERE, where="always").nothing_here == ""


def test_the_real_library_is_asked_for() -> None:
    try:
        ctypes.CDLL("libnvidia-ml.so.1")
        there = True
    except OSError:
        there = False
    assert (gpu_monitor(HERE).nothing_here == "") is there


def test_a_monitor_with_nothing_here_says_so_in_its_plan_and_is_never_asked() -> None:
    watch = load_watch("gpu", {}, ELSEWHERE)
    assert watch.plan.nothing_here == "not measured: the service is on gpu1, not on this machine"
    written: list[Any] = []
    Watch("gpu", watch.monitor).run(0.0, written.append, threading.Event())
    assert written == []


@pytest.mark.processes
def test_a_sampler_goes_on_without_it(tmp_path: Path, wait_for_samples: Any) -> None:
    from genload.sampler import start_sampler

    asked = {"gpu": {"interval": "20ms"}, "host": {"interval": "20ms", "server": {"port": "auto"}}}
    handle = start_sampler(tmp_path, 0.0, "http://192.0.2.7:5000", asked)
    try:
        gpu_plan, host_plan = handle.plans
        assert gpu_plan.nothing_here.endswith("the service is on 192.0.2.7, not on this machine")
        assert not [metric for metric in host_plan.metrics if metric.startswith("server.")]
        samples = wait_for_samples(lambda samples: len(samples) >= 3)
    finally:
        handle.stop()
    assert {sample.monitor for sample in samples} == {"host"}
    assert not any(sample.error for sample in samples)


def host_monitor(url: str, **server: Any) -> Any:
    made = host.Monitor(host.Monitor.Settings.model_validate({"client": False, "server": server}), url)
    made.open()
    return made


@pytest.fixture
def listening() -> Any:
    """A port on which this process listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_the_services_processes_are_found_by_the_port_of_its_url(listening: int) -> None:
    monitor = host_monitor(f"http://127.0.0.1:{listening}", port="auto")
    assert "server.memory" in monitor.metrics
    assert monitor.sample()["server.processes"] >= 1.0


def test_a_port_of_this_machine_tells_nothing_of_a_service_elsewhere(listening: int) -> None:
    monitor = host_monitor(f"http://gpu1:{listening}", port="auto")
    assert not [metric for metric in monitor.metrics if metric.startswith("server.")]
    assert "server.processes" not in monitor.sample()


def test_what_only_passes_on_is_not_the_service(listening: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil.Process, "name", lambda self: "docker-proxy")
    assert "server.processes" not in host_monitor(f"http://127.0.0.1:{listening}", port="auto").sample()
    # Named outright, it is what was asked for.
    assert host_monitor(HERE, port=listening).sample()["server.processes"] >= 1.0


def test_nobody_at_the_port_or_somebody_elses_process_is_no_error(
    dead_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "server.memory" not in host_monitor(f"http://127.0.0.1:{dead_port}", port="auto").sample()
    monkeypatch.setattr(host, "listeners", lambda port: Listeners(True, frozenset()))
    assert "server.memory" not in host_monitor(HERE, port="auto").sample()


def test_a_process_that_is_named_besides_counts_instead() -> None:
    own = psutil.Process().pid
    assert host_monitor(ELSEWHERE, port="auto", pid=own).sample()["server.processes"] >= 1.0
    with pytest.raises(ValueError, match="in one way"):
        host_monitor(HERE, name="uvicorn", pid=own)
