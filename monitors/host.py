"""The machine that the load comes from, the load generator on it, and the service when it runs here too.

A generator that is short of CPU or memory measures itself.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import PurePath
from time import monotonic
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

import psutil
from pydantic import Field, PositiveInt, model_validator

from genload.monitor import Monitor as Base
from genload.monitor import MonitorError
from genload.sampler.ports import listeners
from genload.settings.model import Settings
from genload.settings.secrets import reveal
from genload.settings.wing_models import MonitorSettings

# Going through all processes takes 2 ms, through all that they have open more: not at every tick.
_LOOK_AGAIN_S = 5.0
_FIND_AGAIN_S = 60.0  # while those that were found live on
_SEEK_AGAIN_S = 1.0  # while there is none

_SYSTEM = ("cpu", "cpu_core_max", "load", "memory_used", "memory_available", "swap_used")
_COUNTERS = ("network_received", "network_sent")
_RATES = ("network_receive_rate", "network_send_rate", "disk_read_rate", "disk_write_rate")
_GROUP = ("processes", "memory", "cpu", "threads", "fds")


# They listen where the service is reached, and pass on to it: what they use is not what it uses.
_PASS_ON = frozenset(
    (
        *("docker-proxy", "rootlessport", "rootlesskit", "slirp4netns", "pasta"),
        *("ssh", "sshd", "kubectl", "socat"),
        *("nginx", "haproxy", "envoy", "caddy", "traefik", "apache2", "httpd"),
    )
)


class ServerProcesses(Settings):
    """``server: {port: 5000}``: which processes are the service's; their children belong to them."""

    pid: PositiveInt | None = None
    name: str | None = None
    """Of the program, its script or its module: ``uvicorn`` finds ``python3 -m uvicorn`` too."""
    port: Annotated[int, Field(ge=1, le=65535)] | Literal["auto"] | None = None
    """The TCP port that it listens on. `auto`: that of its URL when it is on this machine; else nothing, as
    where only a proxy listens there. Another way that is named besides counts instead of `auto`."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = sum(way not in (None, "auto") for way in (self.pid, self.name, self.port))
        if ways != 1 and not (ways == 0 and self.port == "auto"):
            raise ValueError("name the service's processes in one way: pid, name or port")
        return self

    def __str__(self) -> str:
        ways = {"id": self.pid, "name": self.name, "port": self.port}
        return next(f"{way} {value}" for way, value in ways.items() if value is not None)


class HostSettings(MonitorSettings, extra="forbid"):
    """``host: {interval: 1s, server: {port: 5000}}``"""

    server: ServerProcesses | None = None
    """The service's processes, when it runs on this machine."""
    client: bool = True
    """Whether the load generator's own processes are measured: this one's parent and all its children."""


@dataclass(slots=True)
class ProcessGroup:
    """Some processes and all their children, as one.

    Attributes:
        find: the processes themselves, without their children.
        clock: monotonic seconds.
        restarts: how often others had taken the place of all that were there; None before any was.
    """

    find: Callable[[], Iterable[psutil.Process]]
    clock: Callable[[], float] = monotonic
    restarts: int | None = None
    _members: dict[psutil.Process, float] = field(default_factory=dict)  # CPU seconds when last seen
    _found: list[psutil.Process] = field(default_factory=list)
    _find_at_s: float = float("-inf")
    _look_at_s: float = float("-inf")
    _seen_at_s: float | None = None

    def numbers(self) -> dict[str, float]:
        """Sums over all of them; CPU since the time before, so not at first; empty: there is none.

        Children are looked for every 5 s: what one that lived less has used may be missing.
        Memory that several of them share counts for each. File descriptors are absent where one of the
        processes is another user's.
        """
        now_s = self.clock()
        if now_s >= self._look_at_s:
            self._look(now_s)
        cpu_s, seen, fds = 0.0, {}, 0.0
        sums = {"processes": 0.0, "memory": 0.0, "threads": 0.0}
        for process, before_s in self._members.items():
            try:
                with process.oneshot():
                    if process.status() == psutil.STATUS_ZOMBIE:  # ended, and nobody has asked how
                        continue
                    times = process.cpu_times()
                    sums["memory"] += process.memory_info().rss
                    sums["threads"] += process.num_threads()
            except psutil.Error:  # it has ended
                continue
            sums["processes"] += 1
            fds += _fds(process)
            seen[process] = times.user + times.system
            cpu_s += max(0.0, seen[process] - before_s)
        passed_s = None if self._seen_at_s is None else now_s - self._seen_at_s
        self._members, self._seen_at_s = seen, now_s if seen else None
        if not seen:
            self._look_at_s = min(self._look_at_s, now_s + _SEEK_AGAIN_S)
            return {}
        sums |= {"cpu": cpu_s / passed_s} if passed_s else {}
        return sums | ({"fds": fds} if fds == fds else {})

    def _look(self, now_s: float) -> None:
        if now_s >= self._find_at_s or not self._members.keys() >= set(self._found):  # one has ended
            found_now = list(self.find())
            self._count_restart(found_now)
            self._found = found_now or self._found
            self._find_at_s = now_s + (_FIND_AGAIN_S if found_now else 0.0)
        found: set[psutil.Process] = set()
        for process in self._found:
            try:
                found |= {process, *process.children(recursive=True)}
            except psutil.Error:
                continue
        for process in found - self._members.keys():
            self._members[process] = _cpu_s(process)
        self._look_at_s = now_s + (_LOOK_AGAIN_S if found else _SEEK_AGAIN_S)

    def _count_restart(self, now: Sequence[psutil.Process]) -> None:
        """Others in the place of all that were there; one of several that is replaced is none."""
        if now and self.restarts is None:
            self.restarts = 0
        elif now and self._found and set(now).isdisjoint(self._found):
            self.restarts = (self.restarts or 0) + 1


def _cpu_s(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)


def _fds(process: psutil.Process) -> float:
    """NaN, which makes the sum one, where we may not know."""
    try:
        return float(process.num_fds())
    except psutil.Error:
        return float("nan")


def find_processes(asked: ServerProcesses) -> list[psutil.Process]:
    """The processes of a setting, without their children and without the load generator's own.

    Raises:
        MonitorError: a port whose process we may not know.
    """
    if asked.pid is not None:
        try:
            return [psutil.Process(asked.pid)]
        except psutil.NoSuchProcess:
            return []
    if asked.port is not None:
        return _listening(int(asked.port))
    own = _own_processes()
    return [
        process for process in psutil.process_iter() if process not in own and _is_named(process, asked.name)
    ]


def _listening(port: int) -> list[psutil.Process]:
    found = listeners(port)
    if found.any and not found.pids:
        raise MonitorError(f"port {port} belongs to a process of another user: name it by its id or name")
    return [psutil.Process(pid) for pid in found.pids if psutil.pid_exists(pid)]


def _services(port: int) -> list[psutil.Process]:
    """Those that listen on a port, unless they only pass on, or we may not know them."""
    try:
        return [process for process in _listening(port) if process.name() not in _PASS_ON]
    except (MonitorError, psutil.Error):
        return []


def _own_processes() -> set[psutil.Process]:
    parent = psutil.Process(os.getppid())
    return {parent, *parent.parents(), *parent.children(recursive=True)}


def _is_named(process: psutil.Process, name: str | None) -> bool:
    try:
        words = process.cmdline()
        program, script = words[:1], words[1:2]
        module = words[words.index("-m") + 1 :][:1] if "-m" in words else []
        return name in {process.name(), *(PurePath(word).name for word in (*program, *script, *module))}
    except psutil.Error:
        return False


class Monitor(Base):
    """The whole machine through psutil, and two groups of processes on it."""

    Settings = HostSettings
    settings: HostSettings
    source = "psutil"

    @property
    def metrics(self) -> tuple[str, ...]:
        groups = (("server", self._find_server is not None), ("client", self.settings.client))
        return (
            *(f"host.{name}" for name in (*_SYSTEM, *_COUNTERS, *_RATES)),
            *(f"{who}.{name}" for who, wanted in groups if wanted for name in _GROUP),
            *(("server.restarts",) if self._find_server is not None else ()),
        )

    @property
    def _is_auto(self) -> bool:
        asked = self.settings.server
        return asked is not None and asked.port == "auto" and asked.pid is None and asked.name is None

    @cached_property
    def _find_server(self) -> Callable[[], Iterable[psutil.Process]] | None:
        """Finds the service's processes; None where there is nothing to look for on this machine."""
        asked = self.settings.server
        if asked is None:
            return None
        if not self._is_auto:
            return partial(find_processes, asked)
        url = urlsplit(reveal(self.host))
        port = url.port or (443 if url.scheme == "https" else 80)
        return partial(_services, port) if self.service_is_local else None

    def open(self) -> None:
        self._cpu_told = False
        self._bytes: dict[str, float] = {}
        self._bytes_at_s = 0.0
        find = self._find_server
        self._server = ProcessGroup(find) if find else None
        self._client = ProcessGroup(lambda: [psutil.Process(os.getppid())]) if self.settings.client else None

    def sample(self) -> Mapping[str, float]:
        """Shares and rates are since the tick before, so the first tick has none; network counters are over
        all interfaces, the loopback among them; disks are whole ones, without their partitions."""
        values = {f"host.{name}": value for name, value in (self._system() | self._traffic()).items()}
        if self._client is not None:
            values |= {f"client.{name}": value for name, value in self._client.numbers().items()}
        if self._server is not None:
            try:
                numbers = self._server.numbers()
            except MonitorError as problem:
                raise MonitorError(str(problem), values) from problem
            if self._server.restarts is not None:
                values["server.restarts"] = float(self._server.restarts)
            if not numbers and not self._is_auto:
                raise MonitorError(f"no process of the service: {self.settings.server}", values)
            values |= {f"server.{name}": value for name, value in numbers.items()}
        return values

    def _system(self) -> dict[str, float]:
        memory = psutil.virtual_memory()
        values = {
            "memory_used": float(memory.used),
            "memory_available": float(memory.available),
            "swap_used": float(psutil.swap_memory().used),
            "load": os.getloadavg()[0],
        }
        cores = psutil.cpu_percent(percpu=True)
        if self._cpu_told:
            values |= {"cpu": sum(cores) / len(cores) / 100, "cpu_core_max": max(cores) / 100}
        self._cpu_told = True
        return values

    def _traffic(self) -> dict[str, float]:
        """Counters since boot, and rates from two of them; a machine may have no disk to count."""
        now_s = monotonic()
        counters: dict[str, float] = {}
        network, disks = psutil.net_io_counters(), psutil.disk_io_counters()
        if network is not None:
            counters |= {"network_receive_rate": network.bytes_recv, "network_send_rate": network.bytes_sent}
        if disks is not None:
            counters |= {"disk_read_rate": disks.read_bytes, "disk_write_rate": disks.write_bytes}
        passed_s = now_s - self._bytes_at_s
        values = {
            name: max(0.0, (value - self._bytes[name]) / passed_s)
            for name, value in counters.items()
            if name in self._bytes and passed_s > 0
        }
        self._bytes, self._bytes_at_s = {name: float(value) for name, value in counters.items()}, now_s
        if network is not None:
            values |= {
                "network_received": float(network.bytes_recv),
                "network_sent": float(network.bytes_sent),
            }
        return values
