"""One logical request, start to end, whatever it consists of: its times, its tries, its failure."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from math import inf
from typing import Generic, TypeVar

from genload.code_errors import class_of, told
from genload.drivers.result import WAITED_OUT, Result
from genload.orders import is_order
from genload.service import ServiceClient, ServiceError, Step
from genload.settings.service import Service

_Asked = TypeVar("_Asked")
_Found = TypeVar("_Found")
_ResultT = TypeVar("_ResultT", bound=Result)
_ClientT = TypeVar("_ClientT", bound=ServiceClient)


class Driver(ABC, Generic[_ClientT, _ResultT]):
    """Drives one logical request through a client. Whatever the service does becomes a result, never an
    exception; and so does whatever the client's own code raises.

    Refusals (429, 503) are tried again as `service.retry` says, each call of a request as often; a suite that
    wants to count each of them sets ``retry: {max_retries: 0}``.

    Args:
        result: to be filled.
        clock, sleep: seconds.

    Attributes:
        raised: what the client's own code has raised; None: nothing.
    """

    # Thousands wait at once, and to look into a dictionary each is memory that is in no cache.
    __slots__ = (
        "_asked_s",
        "_call",
        "_client",
        "_clock",
        "_connect_s",
        "_result",
        "_service",
        "_sleep",
        "_tell",
        "raised",
    )

    def __init__(
        self,
        client: _ClientT,
        service: Service,
        result: _ResultT,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._client = client
        self._service = service
        self._result = result
        self._clock = clock
        self._sleep = sleep
        self._tell = client.on_step
        self._asked_s = 0.0  # when the last call was made
        self._call: Step | None = None  # the last one that has ended
        self._connect_s = 0.0  # of the calls since this was last set to 0
        self.raised: BaseException | None = None
        result.numbers["attempts"], result.numbers["rejections"] = 1.0, 0.0

    def run(self) -> _ResultT:
        """The request from start to end.

        Orders to stop (`is_order`) pass through; `result` then tells how far it got.
        """
        result, client = self._result, self._client
        result.start_s = self._clock()
        client.request_id = result.request_id
        client.deadline_s = result.start_s + self._service.timeout_s
        self._tell, client.on_step = client.on_step, self._observe
        try:
            self._drive()
        except ServiceError as error:
            self._end()
            self._fail(error)
        except BaseException as error:
            if is_order(error):
                raise
            self._end()
            self.raised = error
            self._fail(ServiceError(class_of(error), told(error)))
        finally:
            client.on_step, client.deadline_s = self._tell, inf
        return result

    def result(self, outcome: str) -> _ResultT:
        """The request as it stands, ended now if it was still under way: for one that was killed."""
        self._end()
        self._result.outcome = outcome
        return self._result

    @abstractmethod
    def _drive(self) -> None:
        """All of it; raises ServiceError when it fails."""

    @abstractmethod
    def _too_late(self) -> ServiceError:
        """The ``timeout`` of a request whose time is used up."""

    def _end(self) -> None:
        """The request ends now, if it has not ended before."""
        self._result.end_s = self._result.end_s or self._clock()

    def _fail(self, error: ServiceError) -> None:
        """It failed, and has ended."""
        self._result.fail(error)

    def _insist(self, name: str, call: Callable[[_Asked], _Found], asked: _Asked) -> _Found:
        """Make a call, and again while the service refuses it for now and it has retries left.

        Args:
            name: of the call, for the record's ``waited_out_…``.

        Raises:
            ServiceError: the call's own; ``rejected`` for the last refusal; ``timeout`` before a try for
                which no time is left.
        """
        refused = 0
        while True:
            self._asked_s = self._clock()
            if self._asked_s >= self._client.deadline_s:
                raise self._too_late()
            try:
                return call(asked)
            except ServiceError as error:
                if not error.rejected:
                    raise
                refused += 1
                self._wait_for_capacity(name, refused, error)

    def _wait_for_capacity(self, name: str, refused: int, refusal: ServiceError) -> None:
        """Pause before another try: as long as the service asked for, within limits.

        Raises:
            ServiceError: there is no other try.
        """
        numbers, retry = self._result.numbers, self._service.retry
        numbers["rejections"] += 1
        if refused > retry.max_retries:
            raise ServiceError("rejected", refusal.message, status=refusal.status) from refusal
        asked_s = retry.default_wait_s if refusal.retry_after_s is None else refusal.retry_after_s
        since_s = self._clock()
        count, seconds = f"{WAITED_OUT}{name}", f"{WAITED_OUT}{name}_s"
        try:
            self._pause(min(asked_s, retry.max_wait_s))
        finally:  # a user may be stopped meanwhile
            numbers[count] = numbers.get(count, 0.0) + 1
            numbers[seconds] = numbers.get(seconds, 0.0) + self._clock() - since_s
        if self._clock() >= self._client.deadline_s:
            raise self._too_late()
        numbers["attempts"] += 1

    def _pause(self, seconds: float) -> None:
        """For so long, or until the request's time is used up."""
        self._sleep(max(0.0, min(seconds, self._client.deadline_s - self._clock())))

    def _observe(self, step: Step) -> None:
        """The client's `on_step`, with the request's own sums taken on the way."""
        result = self._result
        if type(step.status) is not int:  # a client of somebody else's may have set it
            step.status = int(step.status)
        result.bytes_sent += step.bytes_sent
        result.bytes_received += step.bytes_received
        result.status = step.status
        if step.connect_s:
            self._connect_s += step.connect_s
        self._call = step
        self._tell(step)
