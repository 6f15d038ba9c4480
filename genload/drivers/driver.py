"""What the drivers of all kinds of requests have in common: times, retries, the deadline, failures."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from math import inf
from typing import Generic, TypeVar

from genload.code_errors import class_of, told
from genload.drivers.result import Result
from genload.orders import is_order
from genload.runlog.records import WAITED_OUT
from genload.service import ServiceClient, ServiceError, Step
from genload.settings.service import Service

_Asked = TypeVar("_Asked")
_Found = TypeVar("_Found")
_ResultT = TypeVar("_ResultT", bound=Result)
_ClientT = TypeVar("_ClientT", bound=ServiceClient)


class Driver(ABC, Generic[_ClientT, _ResultT]):
    """Makes all calls of one request. Every failure of the service becomes a result and never an exception,
    and so does every exception of the client's own code.

    If the service refuses a call for now (429, 503), the driver waits and tries it again, as `service.retry`
    says; each call has its own number of retries. With ``retry: {max_retries: 0}`` every refusal is a
    failure.

    Args:
        result: an empty result, which the driver fills.
        clock, sleep: a clock in seconds, and a function that waits; tests pass their own.

    Attributes:
        raised: the exception of the client's own code, if there was one.
    """

    # Thousands of drivers wait at the same time. Without slots each has a dictionary, which is in no cache
    # when its driver goes on.
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
        self._asked_s = 0.0  # when the last call began
        self._call: Step | None = None  # the last call that has ended
        self._connect_s = 0.0  # time for connecting, summed up since this was last set to 0
        self.raised: BaseException | None = None
        result.numbers["attempts"], result.numbers["rejections"] = 1.0, 0.0

    def run(self) -> _ResultT:
        """Make the request, from its start to its end.

        An exception that orders this user to stop (`is_order`) is raised again; then `result` gives what is
        known of the request so far.
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
            # It knows this driver: without this all of the request would wait for the garbage collector.
            self._call = None
        return result

    def result(self, outcome: str) -> _ResultT:
        """The result of a request that was stopped on its way: it ends now, with this outcome."""
        self._end()
        self._result.outcome = outcome
        return self._result

    @abstractmethod
    def _drive(self) -> None:
        """Make all calls of the request. Raises ServiceError if the request fails."""

    @abstractmethod
    def _too_late(self) -> ServiceError:
        """The error for a request that has reached its deadline."""

    def _end(self) -> None:
        """End the request now, unless it has ended before."""
        self._result.end_s = self._result.end_s or self._clock()

    def _fail(self, error: ServiceError) -> None:
        """The request has ended with this failure."""
        self._result.fail(error)

    def _insist(self, name: str, call: Callable[[_Asked], _Found], asked: _Asked) -> _Found:
        """Make a call. Make it again if the service refuses it for now and retries are left.

        Args:
            name: the name of the call, for the numbers ``waited_out_…`` of the record.

        Raises:
            ServiceError: the error of the call; ``rejected`` after the last refusal; ``timeout`` if the
                deadline comes before the next try.
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
        """Wait before the next try: as long as the service asked for, within the limits of `service.retry`.

        Raises:
            ServiceError: there will be no other try.
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
        finally:  # the user may be stopped while it waits
            numbers[count] = numbers.get(count, 0.0) + 1
            numbers[seconds] = numbers.get(seconds, 0.0) + self._clock() - since_s
        if self._clock() >= self._client.deadline_s:
            raise self._too_late()
        numbers["attempts"] += 1

    def _pause(self, seconds: float) -> None:
        """Wait so long, but not beyond the deadline of the request."""
        self._sleep(max(0.0, min(seconds, self._client.deadline_s - self._clock())))

    def _observe(self, step: Step) -> None:
        """Called at the end of each call: adds the call to the sums of the request, and hands it on."""
        result = self._result
        if type(step.status) is not int:  # a user's own client may have set it
            step.status = int(step.status)
        result.bytes_sent += step.bytes_sent
        result.bytes_received += step.bytes_received
        result.status = step.status
        if step.connect_s:
            self._connect_s += step.connect_s
        self._call = step
        self._tell(step)
