"""The base class of the files in monitors/, each of which samples what a machine does during the load.

All monitors run in one process of their own, beside the processes of the users.
"""

from __future__ import annotations

import socket
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from functools import cached_property
from ipaddress import ip_address
from typing import ClassVar
from urllib.parse import urlsplit

import psutil

from genload.settings.metrics.metric import Metric
from genload.settings.secrets import reveal
from genload.settings.wing_models import MonitorSettings


def is_this_machine(url: str) -> bool:
    """Whether the host of a URL is this machine: all addresses of its name belong to this machine.

    A tunnel or a published port of a container looks like this machine, too.
    """
    try:
        name = urlsplit(reveal(url)).hostname or ""
        found = {ip_address(str(info[4][0]).partition("%")[0]) for info in socket.getaddrinfo(name, None)}
    except (OSError, ValueError):
        return False
    addresses = (address.address for of_one in psutil.net_if_addrs().values() for address in of_one)
    own = {address.partition("%")[0] for address in addresses}
    return all(ip.is_loopback or ip.is_unspecified or str(ip) in own for ip in found)


class MonitorError(Exception):
    """A monitor could not find out all of its numbers at one tick.

    Attributes:
        values: the numbers that it could find out, such as ``server.up`` = 0 if the service does not answer.
            They are recorded together with the reason.
    """

    def __init__(self, message: str, values: Mapping[str, float] | None = None) -> None:
        super().__init__(message)
        self.values = dict(values or {})


class Monitor(ABC):
    """A source of samples. A file in monitors/ defines one subclass, named ``Monitor``.

    A monitor runs in plain Python, without gevent, and in a thread of its own: its calls may block, but each
    needs a timeout. When a monitor raises an exception, the sample records the error, and the run goes on.
    """

    Settings: ClassVar[type[MonitorSettings]] = MonitorSettings
    declares: ClassVar[tuple[Metric, ...]] = ()
    """Metrics that only this monitor has, made with `sampled`. Those that every monitor may fill are in
    `genload.settings.metrics.machines`."""
    provisional: ClassVar[bool] = False
    """True: the numbers of `sample` are only for the live display, and `history` reads the final ones."""

    def __init__(self, settings: MonitorSettings, host: str) -> None:
        """`host` is the URL of the service under test."""
        self.settings = settings
        self.host = host

    @property
    @abstractmethod
    def metrics(self) -> tuple[str, ...]:
        """The names of the metrics that this monitor can fill. Read before `open` is called."""

    @property
    def source(self) -> str:
        """Where the numbers come from, for reports; empty if the name of the monitor already says it."""
        return ""

    def origin(self, metric: str) -> str:
        """For reports: from what a metric is read at its source, such as the name of a series on a metrics
        page; empty if the name of the metric already says it."""
        return ""

    @property
    def nothing_here(self) -> str:
        """The reason why this monitor has nothing to sample on this machine; empty if it has. Read before
        `open` is called. A monitor with a reason is never sampled, and no missing tick is counted.
        """
        return ""

    @cached_property
    def service_is_local(self) -> bool:
        """Whether the service under test runs on this machine, as far as its URL shows."""
        return is_this_machine(self.host)

    @abstractmethod
    def open(self) -> None:
        """Connect to the source, or find the hardware. Called in the process of the monitors; after an
        exception it is called again at the next tick."""

    @abstractmethod
    def sample(self) -> Mapping[str, float]:
        """The values at this tick, by the names of their metrics, in base units. A value that the source does
        not offer is left out; it is never 0.

        Raises:
            MonitorError: only some of the values could be found.
        """

    def facts(self) -> Mapping[str, str]:
        """What this monitor measures, for the first lines of a report:
        ``{"gpu.model{gpu=0}": "NVIDIA L4"}``; empty if it knows nothing but numbers.

        Called after the first tick with a value, and again at the end, when more may be known.
        """
        return {}

    def doubts(self) -> Mapping[str, str]:
        """The metrics whose numbers may be wrong, each with the reason. Called at the end. The evidence for a
        criterion on such a metric is then "unproven", with this reason."""
        return {}

    @property
    def history_s(self) -> float:
        """The longest time that `history` needs. At its end a run waits so long, but 8 s at most."""
        return 0.0

    def history(self, begin_s: float, end_s: float) -> Iterable[tuple[float, Mapping[str, float]]]:
        """Samples that another program recorded during the run, or a last sample: (time, values) of each.

        Called once, after the last tick and before `close`. Times are those of `time.monotonic()`: the first
        tick was at `begin_s`, the end is at `end_s`. After an exception the samples before it are kept, and
        the error is recorded.
        """
        return ()

    def close(self) -> None:
        """Release what `open` has opened. Called once, if `open` has succeeded."""
        return
