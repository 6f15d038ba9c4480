"""What the clients of all services have in common."""

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
    """A user's own client of one API; never shared between users."""

    Request: ClassVar[type[RequestSettings]] = RequestSettings
    operation: ClassVar[str]
    stages: ClassVar[tuple[str, ...]] = ()
    metrics: ClassVar[tuple[Metric, ...]] = ()
    """Numbers of its records that criteria may name, beyond those that every operation has: a file that
    measures others declares them (`request_number`, `request_share`), beside those of its base."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.request_id = ""  # of the logical request under way; see `correlation`
        self.deadline_s = inf  # monotonic; no call of the request under way may take longer
        self.on_step: Callable[[Step], None] = lambda step: None
        self._correlated = ""  # the request that `_correlation` is of
        self._correlation: dict[str, str] = {}

    @classmethod
    def measures(cls, request: RequestSettings) -> tuple[Metric, ...]:
        """`metrics`, and what this request declares beside them."""
        return cls.metrics

    @classmethod
    def stages_of(cls, request: RequestSettings) -> tuple[str, ...]:
        """The stages that a record of this request may have."""
        return cls.stages

    @classmethod
    def labels(cls, request: RequestSettings) -> Mapping[str, tuple[str, ...]]:
        """The labels of its records by name, with the values they can have; none: any value."""
        return {}

    def correlation(self) -> dict[str, str]:
        """Headers to send with every request, to be added to and not changed; outside a logical request
        each is of its own."""
        if not self.request_id:
            return correlation_headers(new_identifier())
        if self._correlated != self.request_id:
            self._correlated, self._correlation = self.request_id, correlation_headers(self.request_id)
        return self._correlation

    def step(self, name: str, method: str = "GET", *, recorded: bool = True) -> Step:
        """Measure one named call; a ServiceError that leaves the block is its failure.

        GreenletExit, when a user is stopped, makes it ``unfinished``; whatever else leaves it is a mistake in
        the client's own code, a ``client_error``.
        """
        return Step(name, method, self.on_step, monotonic(), recorded)

    @abstractmethod
    def ready(self) -> None:
        """Return when the service can take work now; raise ServiceError with the reason when not."""

    def in_flight(self) -> int | None:
        """How many jobs the service says it is working on; None when it does not say, or does not answer."""
        return None

    def time_scale(self) -> float | None:
        """The scale of a service whose time is modelled (it declares itself a testbed); None for a real one.
        Raises ServiceError when it does not answer."""
        return None

    def close(self) -> None:
        """Close what is open."""
        return
