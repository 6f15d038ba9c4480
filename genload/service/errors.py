"""How a client says that the service failed, or that an output was not inspected."""

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
    """The service, the way to it or its output failed.

    What goes into `message` is mostly the service's own words: it is kept as one harmless line of at most
    500 characters, without the secrets that the service was sent, and without addresses in memory, by which
    equal failures would differ.

    Attributes:
        error_class: short and stable: ``refused``, ``timeout``, ``truncated``, ``rejected``, ``job_failed``,
            ``bad_answer``, ``bad_output``, ``http_500``, … Reports count by it.
        rejected: the service has no capacity *now* (429, 503): worth another try.
        retry_after_s: the pause it asked for, None when it named none.
        output: what came as the output, or the part of it that came, where that is what failed.
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
    """Nobody wants the output inspected: no failure of the service.

    Attributes:
        numbers: what is known of the output all the same, for the record.
    """

    _class: ClassVar[str] = "not_inspected"

    def __init__(self, message: str, numbers: Mapping[str, float] | None = None) -> None:
        super().__init__(self._class, message, status=200)
        self.numbers = dict(numbers or {})


class CannotInspectError(NotInspectedError):
    """The output seems valid, and nothing that is installed reads it: no failure of the service either, and
    counted by a number of its own.
    """

    _class: ClassVar[str] = CANNOT_INSPECT
