"""The seam of monitors/: what a machine did, sampled in a process of its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from genload.settings.suite import MonitorSettings


class Monitor(ABC):
    """One source of samples. A monitors/ file defines one subclass named ``Monitor``.

    It runs in plain Python: gevent patches nothing here, and a call may block for as long as its own
    timeout. Whatever it raises becomes a sample with an error, never the end of a run.
    """

    Settings: ClassVar[type[MonitorSettings]] = MonitorSettings

    def __init__(self, settings: MonitorSettings, host: str) -> None:
        """`host` is the URL of the service under test."""
        self.settings = settings
        self.host = host

    @property
    @abstractmethod
    def metrics(self) -> tuple[str, ...]:
        """Names from the catalogue that this monitor can fill."""

    @property
    def source(self) -> str:
        """Where the numbers come from, for people."""
        return type(self).__module__.rpartition(".")[2]

    @abstractmethod
    def open(self) -> None:
        """Connect, or find the hardware; called once in the sampler's process."""

    @abstractmethod
    def sample(self) -> Mapping[str, float]:
        """One tick: values by metric name in base units; what is not offered is absent, never 0."""

    def close(self) -> None:
        """Let go of what `open` took."""
        return
