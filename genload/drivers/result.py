"""The result of a request."""

from __future__ import annotations

import msgspec

from genload.errors import CANNOT_INSPECT
from genload.service.artifact import Artifact
from genload.service.errors import CannotInspectError, NotInspectedError, ServiceError


class Result(msgspec.Struct, eq=False):
    """The result of a request with all of its calls. `start_s` and `end_s` are times on the driver's clock.

    Attributes:
        error_class: the class of the failure, as in `ServiceError`; ``timeout`` if the request took longer
            than `service.timeout`; "" if the request succeeded.
        status: the last HTTP status; 0 if there was no answer.
        numbers: numbers for the record: ``attempts`` (1 + the retries of all calls), ``rejections`` (all
            refusals, also the last one), ``waited_out_CALL`` and ``waited_out_CALL_s`` for each call that was
            refused (how often genload waited and tried again, and how long it waited in all), and the numbers
            of this kind of request.
        bytes_sent, bytes_received: the sums over all calls.
        remark: why nobody inspected the output of a successful request, and what to do about it; or "".
        failed_output: the output, if it is the reason of the failure.
    """

    request_id: str
    start_s: float
    end_s: float = 0.0
    outcome: str = "ok"
    error_class: str = ""
    error: str = ""
    status: int = 0
    numbers: dict[str, float] = {}
    bytes_sent: int = 0
    bytes_received: int = 0
    remark: str = ""
    failed_output: Artifact | None = None

    @property
    def duration_s(self) -> float:
        return self.end_s - self.start_s

    def fail(self, error: ServiceError) -> None:
        """The request failed for this reason."""
        self.outcome, self.error_class, self.error = "failed", error.error_class, error.message
        self.status = error.status or self.status
        self.failed_output = error.output or self.failed_output

    def leave_uninspected(self, error: NotInspectedError) -> None:
        """The request succeeded, but its output was not inspected."""
        if error.numbers:
            self.numbers.update(error.numbers)
        if isinstance(error, CannotInspectError):
            self.numbers[CANNOT_INSPECT] = 1.0
        self.remark = error.message
