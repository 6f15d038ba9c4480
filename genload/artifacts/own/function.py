"""A user's own check of outputs, ``path/to/file.py:function``, called in the inspector's process.

The function takes the bytes of the output and its name. It raises ValueError or AssertionError for one that
is broken; what else it raises is a mistake of its own. It returns numbers by name, or nothing.
"""

from __future__ import annotations

import importlib.util
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from types import FrameType
from typing import Any

from genload.artifacts.own.facts import OwnError
from genload.code_errors import CLIENT_ERROR, ReturnedError, told
from genload.human import human


class _OutOfTime(BaseException):
    """Not an Exception: the function must not take it for one of its own."""


def run_check(check: str, content: bytes, name: str, limit_s: float) -> dict[str, float]:
    """The numbers that the function returns.

    Raises:
        OwnError: ``bad_output``, in its words; ``inspector``, no answer within the limit; ``client_error``, a
            mistake in the file, with its line.
        MemoryError: it takes more than there is.
    """
    try:
        with _limit(limit_s):
            function = _function(check)
            found = function(content, name)
            return _numbers(function, found)
    except (ValueError, AssertionError) as error:
        raise OwnError("bad_output", str(error) or "the check refuses it") from error
    except _OutOfTime:
        raise OwnError("inspector", f"{check} did not end within {human(limit_s, 's')}") from None
    except MemoryError:
        raise
    except (Exception, SystemExit) as error:
        raise OwnError(CLIENT_ERROR, told(error)) from error


@contextmanager
def _limit(limit_s: float) -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> None:
        raise _OutOfTime

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, limit_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@cache
def _function(check: str) -> Callable[[bytes, str], Any]:
    path, _, name = check.rpartition(":")
    spec = importlib.util.spec_from_file_location("genload_own_check", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Callable[[bytes, str], Any] = getattr(module, name)
    return found


def _numbers(function: Callable[..., object], found: Any) -> dict[str, float]:
    if found is None:
        return {}
    try:
        return {str(name): float(value) for name, value in found.items()}
    except (AttributeError, TypeError, ValueError):
        raise ReturnedError(function, found, "numbers by name, or None") from None
