"""The one tree of errors that a user may meet: each has an exit code and says what to do.

A command prints ``error.render()`` and exits with ``error.exit_code``; a traceback is a bug of ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import IntEnum

from genload.plain import harmless

CANNOT_INSPECT = "cannot_inspect"
"""The class, and the number in a record, of an output that seems valid and that nothing here can look into:
no failure of the service."""


class ExitCode(IntEnum):
    """What a genload process, or a Locust process with genload in it, ends with."""

    PASSED = 0
    FAILED = 1
    USAGE = 2
    INVALID = 3
    UNAVAILABLE = 4
    INTERRUPTED = 130


# The exit code of a suite is the first of these with which one of its scenarios ended.
_PRECEDENCE = (
    ExitCode.INTERRUPTED,
    ExitCode.USAGE,
    ExitCode.UNAVAILABLE,
    ExitCode.FAILED,
    ExitCode.INVALID,
    ExitCode.PASSED,
)


def suite_exit_code(codes: Iterable[int]) -> int:
    """The exit code of a suite: the first of 130, 2, 4, 1, 3, 0 that is the exit code of one of its runs; 3
    if there is no run."""
    occurred = set(codes)
    return next((code for code in _PRECEDENCE if code in occurred), ExitCode.INVALID)


class GenloadError(Exception):
    """Base of every expected error.

    Args:
        message: one line, what is wrong, without a final full stop.
        remedy: one line, what the reader can do about it.
    """

    exit_code = ExitCode.USAGE

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def render(self) -> str:
        """The error as a user reads it: the message, and the remedy on a line of its own.

        Either may quote a file or a service: what a terminal would obey is left out.
        """
        return harmless("\n  → ".join(part for part in (self._told(), self.remedy) if part))

    def _told(self) -> str:
        """The message, with where."""
        return self.message


class UsageError(GenloadError):
    """A wrong option, name or path on the command line."""


class ConfigError(GenloadError):
    """Something wrong in a configuration file, an override or a wing file.

    Args:
        file, line, key: where; each may be unknown. `line` counts from 1, `key` is dotted
            (``scenarios.spike.shape.high``).
    """

    def __init__(
        self, message: str, *, remedy: str = "", file: str = "", line: int | None = None, key: str = ""
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.file, self.line, self.key = file, line, key

    def _told(self) -> str:
        place = ":".join(part for part in (self.file, str(self.line or "")) if part)
        head = " ".join(part for part in (place, self.key) if part)
        return f"{head}: {self.message}" if head else self.message


class CollectedConfigError(ConfigError):
    """Several configuration errors at once: its attributes are the first one's, `render` lists them all."""

    def __init__(self, errors: Sequence[ConfigError]) -> None:
        first = errors[0]
        super().__init__(first.message, remedy=first.remedy, file=first.file, line=first.line, key=first.key)
        self.errors = tuple(errors)

    def render(self) -> str:
        return "\n".join(error.render() for error in self.errors)


class RunDirectoryError(GenloadError):
    """A run directory that cannot be read or written."""


class ServiceUnavailableError(GenloadError):
    """The service under test was never ready, or was given up."""

    exit_code = ExitCode.UNAVAILABLE
