"""The seam of monitors/: what a machine did, sampled in a process of its own."""

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
    """Whether a URL's host is this machine: every address of its name is a loopback or one of our own.

    A tunnel or a published port looks local too.
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
    """A tick that could not find out everything.

    Attributes:
        values: what it did find out, such as ``server.up`` = 0 of a service that does not answer; it is
            recorded beside the reason.
    """

    def __init__(self, message: str, values: Mapping[str, float] | None = None) -> None:
        super().__init__(message)
        self.values = dict(values or {})


class Monitor(ABC):
    """One source of samples. A monitors/ file defines one subclass named ``Monitor``.

    It runs in plain Python: gevent patches nothing here, and a call may block for as long as its own
    timeout. Whatever it raises becomes a sample with an error, never the end of a run.
    """

    Settings: ClassVar[type[MonitorSettings]] = MonitorSettings
    declares: ClassVar[tuple[Metric, ...]] = ()
    """Metrics of its own, beyond those of `genload.settings.metrics.machines` (`sampled`)."""
    provisional: ClassVar[bool] = False
    """Whether `sample` is a first look, for the display, at what `history` reads at the end."""

    def __init__(self, settings: MonitorSettings, host: str) -> None:
        """`host` is the URL of the service under test."""
        self.settings = settings
        self.host = host

    @property
    @abstractmethod
    def metrics(self) -> tuple[str, ...]:
        """Names of metrics that this monitor can fill; asked for before `open`."""

    @property
    def source(self) -> str:
        """Where the numbers come from, for people; empty: the monitor's name says it."""
        return ""

    def origin(self, metric: str) -> str:
        """What at the source one of `metrics` is read from, for people (the series of a page); empty: the
        metric's own name says it."""
        return ""

    @property
    def nothing_here(self) -> str:
        """Why there is nothing to sample, for people; empty: there is. Asked before `open`; such a monitor is
        not sampled and owes no tick.
        """
        return ""

    @cached_property
    def service_is_local(self) -> bool:
        """Whether the service under test is on this machine, as far as its URL tells."""
        return is_this_machine(self.host)

    @abstractmethod
    def open(self) -> None:
        """Connect, or find the hardware; called in the sampler's process, again at each tick until it
        does not raise."""

    @abstractmethod
    def sample(self) -> Mapping[str, float]:
        """One tick: values by metric name in base units; what is not offered is absent, never 0.

        Raises:
            MonitorError: something is known, and something went wrong.
        """

    def facts(self) -> Mapping[str, str]:
        """What is measured, for a report's first lines: ``{"gpu.model{gpu=0}": "NVIDIA L4"}``.

        Asked for after the first tick that found something, and at the end, when more may be known; empty:
        nothing beyond the numbers.
        """
        return {}

    def doubts(self) -> Mapping[str, str]:
        """Why the numbers of a metric may not be what they seem, by metric; asked for at the end. What is
        judged by such numbers is told as unproven, with this reason."""
        return {}

    @property
    def history_s(self) -> float:
        """The most that `history` takes; the end of a run waits for it, up to 8 s."""
        return 0.0

    def history(self, begin_s: float, end_s: float) -> Iterable[tuple[float, Mapping[str, float]]]:
        """Samples taken elsewhere meanwhile, or a last look: when each was, and its values.

        Called once, after the last tick and before `close`. Times are of `time.monotonic()`: the first tick
        was at `begin_s`, the end is at `end_s`. What it raises becomes a sample with an error; what came
        before that stands.
        """
        return ()

    def close(self) -> None:
        """Let go of what `open` took; called once, after an `open` that did not raise."""
        return
