"""What a service tells of its jobs by itself, to all users of a process over one connection."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol


class Update(NamedTuple):
    """What was told of a job. Times are monotonic seconds.

    Attributes:
        fields: in the service's words.
        seen_s: when it arrived.
        since_s: it was not sent before this moment.
    """

    fields: Mapping[str, Any]
    seen_s: float
    since_s: float


class Followed(Protocol):
    """One job, as its user follows it."""

    @property
    def since_s(self) -> float:
        """Since when every update arrives; infinite while none does."""

    def wait(self, seconds: float) -> Update | None:
        """The next update; None if none comes in this time, or none can come any more: then at once."""

    def close(self) -> None:
        """Follow it no longer."""


class Updates(ABC):
    """The updates of a service, for all users of a process.

    Attributes:
        connections: how many there have been.
        messages: how many updates have come, whoever ordered the job.
        is_heard: whether there is a connection now.
    """

    connections = 0
    messages = 0
    is_heard = False

    @abstractmethod
    def open(self, tell: Callable[[str], None]) -> None:
        """Begin to listen; this method returns at once.

        Args:
            tell: told in a sentence when nothing is heard any more, and when something is again.
        """

    @abstractmethod
    def wait_until_heard(self, seconds: float) -> None:
        """Return when updates arrive, or when it is clear that for now they do not; after this time at
        the latest."""

    @abstractmethod
    def follow(self, job_id: str) -> Followed:
        """Hand over what is told of this job from now on, and what was told of it a short time ago."""

    @abstractmethod
    def close(self) -> None:
        """Listen no longer."""
