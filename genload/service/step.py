"""The measurement of one call that a client makes."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from types import TracebackType

import msgspec

from genload.code_errors import class_of, told
from genload.orders import is_order
from genload.service.errors import ServiceError


class Step(msgspec.Struct, eq=False):  # every poll has one: made in C
    """One call of a request, measured from the beginning of its ``with`` block to the end. Times are
    monotonic seconds."""

    name: str
    method: str
    tell: Callable[[Step], None]  # called at the end of the block
    start_s: float
    recorded: bool = True  # False: part of its request, but without a record of its own (polls are too many)
    end_s: float = 0.0
    connect_s: float = 0.0  # the part of the call that went into connecting; 0 on a kept connection
    sent_s: float = 0.0  # when the last byte of the request was sent; 0: not yet, or not known
    first_byte_s: float = 0.0  # when the first byte of the answer came; 0: not yet, or not known
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
