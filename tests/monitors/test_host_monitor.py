"""The load generator's own machine, and the processes on it, against psutil and real processes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import psutil
import pydantic
import pytest

from genload import extensions
from genload.monitor import MonitorError
from genload.sampler.ports import Listeners
from genload.settings.metrics.machines import MACHINE_METRICS

from ..clock import Clock

host: Any = extensions.load("monitors", "host")

MIB = 2**20


def made(**settings: Any) -> Any:
    monitor = host.Monitor(host.Monitor.Settings.model_validate(settings), "http://127.0.0.1:1")
    monitor.open()
    return monitor


@pytest.fixture
def monitor() -> Any:
    return made(client=False)


# --- the machine ------------------------------------------------------------------------------------


def test_it_fills_what_it_promises_with_names_of_the_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    disks = SimpleNamespace(read_bytes=0, write_bytes=0)  # a container may show none
    monkeypatch.setattr(psutil, "disk_io_counters", lambda: disks)
    monitor = made(server={"pid": os.getpid()})
    monitor.sample()
    time.sleep(0.001)
    assert set(monitor.sample()) == set(monitor.metrics) <= {metric.name for metric in MACHINE_METRICS}


def test_without_a_service_nothing_of_one_is_promised(monitor: Any) -> None:
    assert {name.partition(".")[0] for name in monitor.metrics} == {"host"}


def test_the_first_tick_has_no_share_and_no_rate(monitor: Any) -> None:
    names = set(monitor.sample())
    assert not names & {"host.cpu", "host.cpu_core_max", "host.network_send_rate", "host.disk_read_rate"}


def test_cpu_is_a_share_of_one_over_all_cores_and_of_the_busiest(
    monitor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monitor.sample()
    monkeypatch.setattr(psutil, "cpu_percent", lambda percpu: [100.0, 20.0, 0.0, 0.0])
    values = monitor.sample()
    assert values["host.cpu"] == pytest.approx(0.3)
    assert values["host.cpu_core_max"] == pytest.approx(1.0)


def test_memory_is_in_bytes_of_this_machine(monitor: Any) -> None:
    values = monitor.sample()
    whole = psutil.virtual_memory().total
    assert 0 < values["host.memory_used"] < whole
    assert 0 < values["host.memory_available"] < whole
    assert 0 <= values["host.swap_used"] <= psutil.swap_memory().total


def test_rates_are_bytes_a_second_since_the_tick_before(
    monitor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, network = Clock(100.0), SimpleNamespace(bytes_recv=5_000, bytes_sent=1_000)
    disks = SimpleNamespace(read_bytes=7 * MIB, write_bytes=0)
    monkeypatch.setattr(host, "monotonic", clock)
    monkeypatch.setattr(psutil, "net_io_counters", lambda: network)
    monkeypatch.setattr(psutil, "disk_io_counters", lambda: disks)
    monitor.sample()
    clock.now_s, network.bytes_recv, disks.write_bytes = 102.0, 9_000, 4 * MIB
    values = monitor.sample()
    assert values["host.network_receive_rate"] == 2_000.0
    assert values["host.network_send_rate"] == 0.0
    assert values["host.disk_write_rate"] == 2.0 * MIB
    assert values["host.network_received"] == 9_000.0
    network.bytes_recv = 100  # an interface that was taken down and up again
    clock.now_s = 104.0
    assert monitor.sample()["host.network_receive_rate"] == 0.0


def test_what_a_machine_has_not_is_absent(monitor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "net_io_counters", lambda: None)
    monkeypatch.setattr(psutil, "disk_io_counters", lambda: None)
    monitor.sample()
    assert not [name for name in monitor.sample() if "network" in name or "disk" in name]


# --- processes --------------------------------------------------------------------------------------


class Timed:
    """A process whose CPU time a test sets."""

    def __init__(self, *, cpu_s: float = 0.0, rss: int = MIB, fds: int | None = 3) -> None:
        self.cpu_s, self.rss, self.fds, self.family, self.ended = cpu_s, rss, fds, list[Timed](), False
        self.left_over = False

    def oneshot(self) -> Any:
        if self.ended:
            raise psutil.NoSuchProcess(1)
        return nullcontext()

    def status(self) -> str:
        return "zombie" if self.left_over else "sleeping"

    def cpu_times(self) -> Any:
        return SimpleNamespace(user=self.cpu_s, system=0.0)

    def memory_info(self) -> Any:
        return SimpleNamespace(rss=self.rss)

    def num_threads(self) -> int:
        return 2

    def num_fds(self) -> int:
        if self.fds is None:
            raise psutil.AccessDenied(1)
        return self.fds

    def children(self, recursive: bool) -> list[Timed]:
        assert recursive
        return self.family


def test_a_group_is_summed_with_its_children() -> None:
    clock, parent, child = Clock(50.0), Timed(cpu_s=100.0, rss=3 * MIB), Timed(cpu_s=7.0, rss=MIB)
    parent.family = [child]
    group = host.ProcessGroup(lambda: [parent], clock)
    assert group.numbers() == {"processes": 2, "memory": 4 * MIB, "threads": 4, "fds": 6}
    clock.now_s, parent.cpu_s, child.cpu_s = 52.0, 101.0, 9.0
    assert group.numbers()["cpu"] == pytest.approx(1.5)


def test_a_child_is_found_later_and_counts_from_then_on() -> None:
    clock, parent = Clock(50.0), Timed()
    group = host.ProcessGroup(lambda: [parent], clock)
    group.numbers()
    parent.family = [Timed(cpu_s=30.0)]
    clock.now_s += 1.0
    assert group.numbers()["processes"] == 1, "not looked for at every tick"
    clock.now_s += 5.0
    assert group.numbers() == {"processes": 2, "memory": 2 * MIB, "threads": 4, "fds": 6, "cpu": 0.0}


@pytest.mark.parametrize("way", ["ended", "left_over"])
def test_a_process_that_ends_leaves_the_sums(way: str) -> None:
    clock, parent, child = Clock(50.0), Timed(), Timed(cpu_s=9.0)
    parent.family = [child]
    group = host.ProcessGroup(lambda: [parent], clock)
    group.numbers()
    setattr(child, way, True)
    parent.cpu_s = 0.5
    clock.now_s += 1.0
    assert group.numbers() == {"processes": 1, "memory": MIB, "threads": 2, "fds": 3, "cpu": 0.5}


def test_file_descriptors_that_we_may_not_count_are_absent() -> None:
    group = host.ProcessGroup(lambda: [Timed(), Timed(fds=None)], Clock(50.0))
    assert "fds" not in group.numbers()


def test_a_group_that_is_gone_is_sought_again_every_second() -> None:
    clock, found = Clock(50.0), [Timed()]
    sought = list[float]()

    def find() -> list[Timed]:
        sought.append(clock.now_s)
        return list(found)

    group = host.ProcessGroup(find, clock)
    group.numbers()
    found[0].ended, found[0] = True, Timed(cpu_s=3.0)
    clock.now_s = 50.2
    assert group.numbers() == {}
    clock.now_s = 50.7
    assert group.numbers() == {}
    clock.now_s = 51.3
    assert group.numbers() == {"processes": 1, "memory": MIB, "threads": 2, "fds": 3}
    assert sought == [50.0, 51.3]


def test_a_server_process_that_is_replaced_between_two_ticks_is_a_restart() -> None:
    clock, there = Clock(50.0), [Timed(), Timed()]
    group = host.ProcessGroup(lambda: list(there), clock)
    assert group.restarts is None
    group.numbers()
    assert group.restarts == 0
    there[1].ended, there[1] = True, Timed()  # one worker of several
    clock.now_s += 10
    group.numbers()
    assert group.restarts == 0
    for old in there:
        old.ended = True
    there[:] = [Timed()]
    for _ in range(2):
        clock.now_s += 10
        group.numbers()
    assert group.restarts == 1


def test_a_server_that_is_away_for_a_while_has_restarted_when_it_is_back() -> None:
    clock, there = Clock(50.0), [Timed()]
    group = host.ProcessGroup(lambda: list(there), clock)
    group.numbers()
    there.pop().ended = True
    for _ in range(5):
        clock.now_s += 10
        assert group.numbers() == {}
    assert group.restarts == 0
    there.append(Timed())
    clock.now_s += 10
    assert group.numbers()
    assert group.restarts == 1


def test_restarts_are_told_of_the_service_alone() -> None:
    monitor = made(server={"pid": os.getpid()})
    assert "server.restarts" in monitor.metrics
    assert monitor.sample()["server.restarts"] == 0.0
    assert "server.restarts" not in made().metrics


@pytest.mark.parametrize(
    "server", [{}, {"pid": 1, "name": "x"}, {"port": 70_000}, {"pid": 0}, {"prot": 5000}], ids=str
)
def test_the_service_is_named_in_one_way(server: dict[str, Any]) -> None:
    with pytest.raises(pydantic.ValidationError):
        host.Monitor.Settings.model_validate({"server": server})


SERVER = """
import socket, subprocess, sys, time
server = socket.create_server(("127.0.0.1", 0))
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(server.getsockname()[1], child.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def service(tmp_path: Any) -> Iterator[Callable[..., tuple[subprocess.Popen[str], int, int]]]:
    """A factory of real processes that listen and have a child: the process, its port, its child's id."""
    running: list[tuple[subprocess.Popen[str], int]] = []
    script = tmp_path / "a_service.py"
    script.write_text(SERVER)

    def start() -> tuple[subprocess.Popen[str], int, int]:
        process = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        port, child = map(int, process.stdout.readline().split())
        running.append((process, child))
        return process, port, child

    yield start
    for process, child in running:
        end(process, child)


def end(process: subprocess.Popen[str], child: int) -> None:
    if process.poll() is None:
        orphan = psutil.Process(child)
        orphan.kill()
        process.kill()
        process.wait()
        while _lives(orphan):  # nobody waits for it: it may still be there for a moment
            time.sleep(0.01)
    assert process.stdout is not None
    process.stdout.close()


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


@pytest.mark.processes
@pytest.mark.parametrize("way", ["pid", "port"])
def test_the_services_processes_are_found(service: Callable[..., Any], way: str) -> None:
    process, port, child = service()
    monitor = made(client=False, server={way: {"pid": process.pid, "port": port}[way]})
    values = monitor.sample()
    assert values["server.processes"] == 2.0
    least = psutil.Process(process.pid).memory_info().rss
    assert least < values["server.memory"] < least + psutil.Process(child).memory_info().rss + MIB
    assert values["server.threads"] == 2.0 and values["server.fds"] > 6.0


@pytest.mark.processes
def test_a_name_finds_a_script_but_nothing_of_the_load_generator(
    service: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    process, _, child = service()
    asked = host.ServerProcesses(name="a_service.py")
    assert host.find_processes(asked) == [], "it is a child of the load generator's process"
    monkeypatch.setattr(host.os, "getppid", lambda: child)
    assert [found.pid for found in host.find_processes(asked)] == []
    monkeypatch.setattr(host, "_own_processes", set)
    assert [found.pid for found in host.find_processes(asked)] == [process.pid]


@pytest.mark.processes
def test_a_service_that_ends_is_said(service: Callable[..., Any]) -> None:
    first, port, child = service()
    monitor = made(client=False, server={"port": port})
    monitor.sample()
    end(first, child)
    with pytest.raises(MonitorError, match=f"no process of the service: port {port}") as raised:
        monitor.sample()
    assert "host.memory_used" in raised.value.values and "server.memory" not in raised.value.values


@pytest.mark.processes
def test_a_port_of_another_users_process_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "listeners", lambda port: Listeners(True, frozenset()))
    with pytest.raises(MonitorError, match="belongs to a process of another user"):
        made(server={"port": 5000}).sample()


def test_what_was_found_is_not_looked_for_at_every_look(monkeypatch: pytest.MonkeyPatch) -> None:
    calls, clock = [], Clock(0.0)

    def find() -> list[psutil.Process]:
        calls.append(clock())
        return [psutil.Process()]

    group = host.ProcessGroup(find, clock)
    while clock() < 100:
        assert group.numbers()["processes"] >= 1.0
        clock.sleep(1)
    assert calls == [0, 60]


def test_the_load_generator_is_the_samplers_parent_with_all_its_children(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The tests themselves stand for it: in a run, the sampler's parent is the Locust process.
    monkeypatch.setattr(host.os, "getppid", os.getpid)
    with socket.socket():
        values = made().sample()
    assert values["client.memory"] >= psutil.Process().memory_info().rss * 0.5
    assert values["client.processes"] >= 1.0 and values["client.fds"] > 3.0
