"""What the drivers of all kinds of requests have in common: times, retries, the deadline, failures."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from time import monotonic
from typing import Any, Generic, TypeVar, cast

import msgspec

from genload.code_errors import class_of, told
from genload.drivers.result import Result
from genload.orders import is_order
from genload.pauses import pause
from genload.runlog.records import WAITED_OUT
from genload.service import ServiceClient, ServiceError, Step
from genload.settings.service import Service

_Asked = TypeVar("_Asked")
_Found = TypeVar("_Found")
_ResultT = TypeVar("_ResultT", bound=Result)
_ClientT = TypeVar("_ClientT", bound=ServiceClient)


class Driver(msgspec.Struct, Generic[_ClientT, _ResultT], kw_only=True, eq=False):  # made in C
    """Makes all calls of one request. Every failure of the service becomes a result and never an exception,
    and so does every exception of the client's own code.

    If the service refuses a call for now (429, 503), the driver waits and tries it again, as `service.retry`
    says; each call has its own number of retries. With ``retry: {max_retries: 0}`` every refusal is a
    failure.

    Attributes:
        clock, sleep: a clock in seconds, and a function that waits; tests pass their own.
        raised: the exception of the client's own code, if there was one.
    """

    client: _ClientT
    service: Service
    clock: Callable[[], float] = monotonic
    sleep: Callable[[float], None] = pause
    raised: BaseException | None = None
    _result: _ResultT = cast(Any, None)  # made by each kind of request for itself
    _tell: Callable[[Step], None] = cast(Any, None)  # who is told of its calls, too
    _asked_s: float = 0.0  # when the last call began

    def run(self) -> _ResultT:
        """Make the request, from its start to its end.

        An exception that orders this user to stop (`is_order`) is raised again; then `result` gives what is
        known of the request so far.
        """
        result, client = self._result, self.client
        result.start_s = self.clock()
        client.request_id = result.request_id
        client.deadline_s = result.start_s + self.service.timeout_s
        self._tell = tell = client.on_step
        client.on_step = self._observe
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
            client.on_step, client.deadline_s = tell, inf
        return result

    def result(self, outcome: str) -> _ResultT:
        """The result of a request that was stopped on its way: it ends now, with this outcome."""
        self._end()
        self._result.outcome = outcome
        return self._result

    def _drive(self) -> None:
        """Make all calls of the request. Raises ServiceError if the request fails."""
        raise NotImplementedError

    def _too_late(self) -> ServiceError:
        """The error for a request that has reached its deadline."""
        raise NotImplementedError

    def _end(self) -> None:
        """End the request now, unless it has ended before."""
        self._result.end_s = self._result.end_s or self.clock()

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
            self._asked_s = self.clock()
            if self._asked_s >= self.client.deadline_s:
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
        numbers, retry = self._result.numbers, self.service.retry
        numbers["rejections"] += 1
        if refused > retry.max_retries:
            raise ServiceError("rejected", refusal.message, status=refusal.status) from refusal
        asked_s = retry.default_wait_s if refusal.retry_after_s is None else refusal.retry_after_s
        since_s = self.clock()
        count, seconds = f"{WAITED_OUT}{name}", f"{WAITED_OUT}{name}_s"
        try:
            self._pause(min(asked_s, retry.max_wait_s))
        finally:  # the user may be stopped while it waits
            numbers[count] = numbers.get(count, 0.0) + 1
            numbers[seconds] = numbers.get(seconds, 0.0) + self.clock() - since_s
        if self.clock() >= self.client.deadline_s:
            raise self._too_late()
        numbers["attempts"] += 1

    def _pause(self, seconds: float) -> None:
        """Wait so long, but not beyond the deadline of the request."""
        self.sleep(max(0.0, min(seconds, self.client.deadline_s - self.clock())))

    def _observe(self, step: Step) -> None:
        """Called at the end of each call: adds the call to the sums of the request, and hands it on."""
        result = self._result
        if type(step.status) is not int:  # a user's own client may have set it
            step.status = int(step.status)
        result.bytes_sent += step.bytes_sent
        result.bytes_received += step.bytes_received
        result.status = step.status
        self._tell(step)
