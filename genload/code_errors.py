"""Exceptions of code that a user wrote, in a service, a shape, a locustfile, …: what was raised, and where.

They say nothing about the service.
"""

from __future__ import annotations

import errno
import sysconfig
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, TypeVar

import msgspec

from genload.errors import ExitCode, GenloadError
from genload.plain import plain
from genload.settings.secrets import hide

CLIENT_ERROR = "client_error"
"""Error class of a request that failed of its own client's code."""

CLIENT_LIMIT = "client_limit"
"""Error class of a request that failed because this machine ran out of files, ports or memory."""

OWN_LIMITS = {errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS, errno.ENOMEM}
"""Numbers of system errors that say so."""

REMEDY = "mend that line: it is code of the test, and says nothing about the service"

_T = TypeVar("_T")
_LONGEST_WORDS = 300
_LONGEST_TRACE = 20_000
_LONGEST_CHAIN = 10
_PACKAGE = Path(__file__).resolve().parent
_LIBRARIES = tuple({Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "purelib", "platlib")})


class ReturnedError(TypeError):
    """A method of a user's has given back something else than it must.

    Args:
        function: the method.
        found, wanted: what it gave, and what it must.
    """

    def __init__(self, function: Callable[..., object], found: object, wanted: str) -> None:
        code = getattr(function, "__code__", None)
        self.place = f"{_shown(code.co_filename)}:{code.co_firstlineno} in {code.co_name}" if code else ""
        super().__init__(f"it must return {wanted}, and returned {found!r:.60}")


class OwnCheckError(Exception):
    """A user's own check of outputs has raised something in the inspector's process.

    Args:
        place: file, line and function.
    """

    def __init__(self, place: str, words: str) -> None:
        self.place = place
        super().__init__(words)


def returned(found: object, wanted: type[_T], function: Callable[..., object]) -> _T:
    """What `function` gave back.

    Raises:
        ReturnedError: it is of another type.
    """
    if not isinstance(found, wanted):
        raise ReturnedError(function, found, f"a {wanted.__name__}")
    return found


class Frame(NamedTuple):
    """One line of a traceback."""

    file: str
    line: int
    function: str


class CodeFailure(msgspec.Struct, frozen=True, kw_only=True):
    """One exception.

    Attributes:
        place: file, line and function: ``services/mine.py:31 in poll``.
        words: its type and its own words.
        error_class: as `class_of` has it.
        trace: the whole traceback, as Python prints it.
        request_id: of the request that failed of it; "" when there was none.
    """

    place: str
    words: str
    error_class: str = CLIENT_ERROR
    trace: str = ""
    request_id: str = ""

    @classmethod
    def of(cls, error: BaseException, request_id: str = "") -> CodeFailure:
        """All that is to be known of an exception, its traceback too."""
        trace = hide("".join(traceback.format_exception(error)))
        return cls(
            place=place_of(error),
            words=words_of(error),
            error_class=class_of(error),
            trace=trace[-_LONGEST_TRACE:],
            request_id=request_id,
        )

    @property
    def told(self) -> str:
        """On one line."""
        return f"{self.place}: {self.words}"


class CodeError(GenloadError):
    """What a user wrote has raised something that nobody expects.

    Args:
        exit_code: `INVALID` unless nothing was sent yet.
    """

    def __init__(self, failure: CodeFailure, exit_code: ExitCode = ExitCode.INVALID) -> None:
        super().__init__(failure.told, remedy=REMEDY)
        self.failure = failure
        self.exit_code = exit_code


@contextmanager
def code_told(exit_code: ExitCode = ExitCode.USAGE, *, but: type[Exception] = GenloadError) -> Iterator[None]:
    """What code of a user's raises inside the block becomes a CodeError; a mistake of genload's stays one.

    Args:
        but: what else stays as it is.
    """
    try:
        yield
    except (GenloadError, but):
        raise
    except Exception as error:
        if not is_users(error):
            raise
        raise CodeError(CodeFailure.of(error), exit_code) from error


def class_of(error: BaseException) -> str:
    """The error class of a request that failed of this exception: ``client_limit`` where it came from a limit
    of this machine, else ``client_error``.
    """
    cause: BaseException | None = error
    for _ in range(_LONGEST_CHAIN):
        if cause is None:
            break
        if isinstance(cause, MemoryError) or (isinstance(cause, OSError) and cause.errno in OWN_LIMITS):
            return CLIENT_LIMIT
        cause = cause.__cause__ or cause.__context__
    return CLIENT_ERROR


def told(error: BaseException) -> str:
    """Where and what, on one line, without the traceback."""
    return f"{place_of(error)}: {words_of(error)}"


def words_of(error: BaseException) -> str:
    """The exception's type and its own words: one harmless line without secrets."""
    try:
        words = str(error)
    except Exception:  # noqa: BLE001  a `__str__` may be broken, too
        words = "(it cannot be printed)"
    name = type(error).__name__
    return plain(hide(f"{name}: {words}" if words else name), _LONGEST_WORDS)


def place_of(error: BaseException) -> str:
    """The innermost line that a user wrote; of a traceback without one, the innermost line of all."""
    if isinstance(error, ReturnedError | OwnCheckError) and error.place:
        return error.place
    frames = list(_frames(error.__traceback__))
    if not frames:
        return "somewhere"
    where = next((frame for frame in reversed(frames) if _is_users(frame.file)), frames[-1])
    return f"{_shown(where.file)}:{where.line} in {where.function}"


def is_users(error: BaseException) -> bool:
    """Whether it came out of a line that a user wrote, or that a wing has."""
    return any(_is_users(frame.file) for frame in _frames(error.__traceback__))


def ends_in_users(error: BaseException) -> bool:
    """Whether its innermost line is one that a user wrote."""
    frames = list(_frames(error.__traceback__))
    return bool(frames and _is_users(frames[-1].file))


def _frames(trace: TracebackType | None) -> Iterator[Frame]:
    """From the outermost to the innermost."""
    while trace is not None:
        code = trace.tb_frame.f_code
        yield Frame(code.co_filename, trace.tb_lineno, code.co_name)
        trace = trace.tb_next


@cache
def _is_users(file: str) -> bool:
    """Whether a file is neither genload's own, a library's nor Python's; those of the wings are users'."""
    path = Path(file)
    if not path.is_file():  # `<string>`, and what was compiled from Cython
        return False
    path = path.resolve()
    if path.is_relative_to(_PACKAGE):
        return path.is_relative_to(_PACKAGE / "wings")
    return not any(path.is_relative_to(folder) for folder in _LIBRARIES) and "dist-packages" not in path.parts


@cache
def _shown(file: str) -> str:
    """The path from here, where the file lies below."""
    path = Path(file)
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except (OSError, ValueError):
        return str(path)
