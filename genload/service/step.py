"""One named call of a request."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from types import TracebackType

import msgspec

from genload.code_errors import class_of, told
from genload.orders import is_order
from genload.service.errors import ServiceError


class Step(msgspec.Struct, eq=False):  # every poll has one: made in C
    """One named call inside a job, as the recorder wants it: as long as its block. Monotonic seconds."""

    name: str
    method: str
    tell: Callable[[Step], None]  # at the end of the block
    start_s: float
    recorded: bool = True  # False: counts in its job, but is too frequent for a record of its own (a poll)
    end_s: float = 0.0
    connect_s: float = 0.0  # of it, spent connecting; 0 on a kept connection
    sent_s: float = 0.0  # the last byte of its request went out; 0: not yet, or not known
    first_byte_s: float = 0.0  # the first byte of its answer came
    status: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0
    error_class: str = ""
    error: str = ""

    def __enter__(self) -> Step:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            if isinstance(error, ServiceError):
                self.error_class, self.error = error.error_class, error.message
                self.status = error.status or self.status
            elif is_order(error):
                self.error_class = "unfinished"
            else:
                self.error_class, self.error = class_of(error), told(error)
        self.end_s = self.end_s or monotonic()
        self.tell(self)
