"""The base class of all clients."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from math import inf
from time import monotonic
from typing import ClassVar

from genload.identifiers import new_identifier
from genload.service.correlation import correlation_headers
from genload.service.step import Step
from genload.settings.metrics.metric import Metric
from genload.settings.service import Service
from genload.settings.wing_models import RequestSettings


class ServiceClient(ABC):
    """The client through which one user talks to the service. Each user has a client of its own."""

    Request: ClassVar[type[RequestSettings]] = RequestSettings
    operation: ClassVar[str]
    stages: ClassVar[tuple[str, ...]] = ()
    metrics: ClassVar[tuple[Metric, ...]] = ()
    """The numbers in the records of this client that criteria may name, besides those that every operation
    has. A file that measures more numbers declares them here (`request_number`, `request_share`), after those
    of its base class."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.request_id = ""  # of the present request; see `correlation`
        self.deadline_s = inf  # monotonic; when the time for the present request is over
        self.on_step: Callable[[Step], None] = lambda step: None
        self.noted: dict[str, float] = {}  # numbers that the service told, for the present request's record
        self.labelled: dict[str, str] = {}  # labels that the service told, for the same record
        self._correlated = ""  # the request that `_correlation` is of
        self._correlation: dict[str, str] = {}

    @classmethod
    def measures(cls, request: RequestSettings) -> tuple[Metric, ...]:
        """`metrics`, and further numbers that the settings of the request declare."""
        return cls.metrics

    @classmethod
    def stages_of(cls, request: RequestSettings) -> tuple[str, ...]:
        """The stages that the records of such requests may have."""
        return cls.stages

    @classmethod
    def labels(cls, request: RequestSettings) -> Mapping[str, tuple[str, ...]]:
        """The names of the labels in the records, each with its possible values; an empty tuple means that
        any value is possible."""
        return {}

    @classmethod
    def one_user_alone(cls, request: RequestSettings) -> str:
        """Why only one user at a time may send such requests; "" where any number may."""
        return ""

    def correlation(self) -> dict[str, str]:
        """The headers by which the service's logs name the present request; to be sent with every call. A
        caller may copy the dictionary, and must not change it. Outside of a request, each call gets new ones.
        """
        if not self.request_id:
            return correlation_headers(new_identifier())
        if self._correlated != self.request_id:
            self._correlated, self._correlation = self.request_id, correlation_headers(self.request_id)
        return self._correlation

    @classmethod
    def key_of(cls, step: str) -> str:
        """The key of the suite that describes a step of its; "" where the service file does."""
        return ""

    def step(self, name: str, method: str = "GET", *, recorded: bool = True) -> Step:
        """Measure one call: ``with self.step("upload", "POST") as step: …``.

        When a ServiceError leaves the block, the call has failed. GreenletExit, by which a user is stopped,
        makes the call ``unfinished``. Any other exception is a mistake in the client's own code, a
        ``client_error``.
        """
        return Step(name, method, self.on_step, monotonic(), recorded)

    @abstractmethod
    def ready(self) -> None:
        """Return if the service can take work now; else raise ServiceError with the reason."""

    def in_flight(self) -> int | None:
        """The number of jobs that the service is working on, as it says; None if it does not say, or does not
        answer."""
        return None

    def time_scale(self) -> float | None:
        """How fast the time of a testbed runs (0.02: 82 s take 1.64 s); None for a real service. Raises
        ServiceError if the service does not answer."""
        return None

    def close(self) -> None:
        """Close the connection."""
        return
