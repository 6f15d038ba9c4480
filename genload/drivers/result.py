"""What became of one request."""

from __future__ import annotations

import msgspec

from genload.errors import CANNOT_INSPECT
from genload.service.artifact import Artifact
from genload.service.errors import CannotInspectError, NotInspectedError, ServiceError

WAITED_OUT = "waited_out_"
"""What the numbers of a record begin with that tell of refusals which were waited out; the call follows."""


class Result(msgspec.Struct, eq=False):
    """What became of a logical request. `start_s` and `end_s` are on its driver's clock.

    Attributes:
        error_class: of the failure, as `ServiceError` has it; ``timeout`` when it took longer than
            `service.timeout`.
        status: the last HTTP status, 0 when there was none.
        numbers: for the record: ``attempts`` (1 + retries), ``rejections`` (refusals met, retried or final),
            ``waited_out_CALL`` and ``waited_out_CALL_s`` of a call that was refused (how many refusals were
            waited out, for how long together), and what the kind of request has.
        bytes_sent, bytes_received: of all its calls.
        remark: why the output of a success was not inspected, and what helps; "" for nothing to say.
        failed_output: what came as the output, where that is why the request failed.
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
        """The request succeeded, and nothing looked into its output."""
        self.numbers.update(error.numbers)
        if isinstance(error, CannotInspectError):
            self.numbers[CANNOT_INSPECT] = 1.0
        self.remark = error.message
