"""The errors by which a client says that the service failed, or that nobody inspected the output."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

from genload.errors import CANNOT_INSPECT
from genload.plain import plain
from genload.service.artifact import Artifact
from genload.settings.secrets import hide

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]{6,16}\b")
_LONGEST_CLASS = 60
_LONGEST_MESSAGE = 500
_LONGEST_READ = 16_384  # of a message, before it is cut: what lies beyond is not looked at


class ServiceError(Exception):
    """The service failed, or the connection to it, or its output is broken.

    `message` mostly quotes the service. It becomes one line of at most 500 characters that cannot harm a
    terminal. Secrets that were sent to the service are taken out. Addresses in memory are taken out too,
    because two equal failures would differ by them.

    Attributes:
        error_class: a short name that does not change: ``refused``, ``timeout``, ``truncated``, ``rejected``,
            ``job_failed``, ``bad_answer``, ``bad_output``, ``http_500``, … Reports count failures by it.
        rejected: the service has no capacity *now* (429, 503), so that another try makes sense.
        retry_after_s: the pause that the service asked for; None when it did not ask for one.
        output: the broken output, or the part of it that arrived; None when the output is not the reason.
    """

    def __init__(
        self,
        error_class: str,
        message: str,
        *,
        rejected: bool = False,
        retry_after_s: float | None = None,
        status: int = 0,
    ) -> None:
        self.error_class = plain(error_class, _LONGEST_CLASS)
        self.message = plain(_ADDRESS.sub("", hide(message[:_LONGEST_READ])), _LONGEST_MESSAGE)
        super().__init__(f"{self.error_class}: {self.message}")
        self.rejected = rejected
        self.retry_after_s = retry_after_s
        self.status = int(status)
        self.output: Artifact | None = None


class NotInspectedError(ServiceError):
    """The output was not inspected, because the suite or the service file does not ask for it. The request
    is a success.

    Attributes:
        numbers: numbers of the output that are known without an inspection, for the record.
    """

    _class: ClassVar[str] = "not_inspected"

    def __init__(self, message: str, numbers: Mapping[str, float] | None = None) -> None:
        super().__init__(self._class, message, status=200)
        self.numbers = dict(numbers or {})


class CannotInspectError(NotInspectedError):
    """The output seems valid, but no installed library can read it. The request is a success; the reports
    count such outputs separately.
    """

    _class: ClassVar[str] = CANNOT_INSPECT
