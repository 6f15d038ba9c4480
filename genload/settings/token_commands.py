"""Secrets that a command prints and that expire: ``${command:gcloud auth print-access-token}``.

What it prints is the secret itself, or JSON that also says how long it holds: an OAuth answer
(`access_token`, `expires_in` in seconds) or a Kubernetes ExecCredential (`status.token`,
`status.expirationTimestamp`). Without that it is taken to hold for `LASTS_S`.

Whoever asks gets what is there. Shortly before it expires the command runs again beside the load, so that no
request waits for it.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from threading import Lock, Thread
from typing import Any

from genload.errors import ConfigError

LASTS_S = 300.0
RENEWED_AT = 0.8
"""Of its life; by then it is asked for anew."""
AGAIN_AFTER_S = 10.0
"""A command that failed is not run again sooner, as long as its last secret holds."""
TIMEOUT_S = 30.0
_MOST_BYTES = 64 * 1024
_TOLD_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Printed:
    """A secret, and how long it holds from the command's start on."""

    secret: str
    lasts_s: float


def understood(output: str, wall_s: float) -> Printed:
    """What a command has printed that was started at `wall_s`, in seconds since 1970.

    >>> understood("abc\\n", 0.0)
    Printed(secret='abc', lasts_s=300.0)
    >>> understood('{"access_token": "abc", "expires_in": 3600}', 0.0)
    Printed(secret='abc', lasts_s=3600.0)

    Raises:
        ValueError: nothing, or JSON without a token; without any of it in the message.
    """
    text = output.strip()
    if not text:
        raise ValueError("it printed nothing")
    if not text.startswith("{"):
        return Printed(text, LASTS_S)
    try:
        found = json.loads(text)
    except ValueError:
        raise ValueError("it printed something like JSON that is none") from None
    inner = found.get("status")
    told: Mapping[str, Any] = {**found, **(inner if isinstance(inner, dict) else {})}
    secret = told.get("access_token") or told.get("token")
    if not isinstance(secret, str):
        raise ValueError("it printed JSON with neither access_token nor token")
    return Printed(secret, _lasts_s(told, wall_s))


def _lasts_s(told: Mapping[str, Any], wall_s: float) -> float:
    seconds, until = told.get("expires_in"), told.get("expirationTimestamp")
    if isinstance(seconds, int | float):
        return float(seconds)
    if isinstance(until, str):
        try:
            return datetime.fromisoformat(until).timestamp() - wall_s
        except ValueError:
            raise ValueError("its expirationTimestamp is no time") from None
    return LASTS_S


class TokenCommand:
    """One command of one process, and what it printed last.

    Args:
        words: the command line; no shell reads it.
        run: returns what it prints.
        beside: does something while everything else goes on.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        words: str,
        *,
        run: Callable[[str], str] | None = None,
        beside: Callable[[Callable[[], None]], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._words, self._run, self._beside = words, run or _output_of, beside or _in_a_thread
        self._clock, self._wall = clock, wall
        self._lock = Lock()
        self._secret = ""
        self._renew_s = self._expires_s = -1.0

    def secret(self) -> str:
        """The one that holds now.

        Raises:
            ConfigError: there is none, and the command does not give one.
        """
        now_s = self._clock()
        if self._secret and now_s < self._renew_s:
            return self._secret
        if self._secret and now_s < self._expires_s:
            self._renew_s = min(now_s + AGAIN_AFTER_S, self._expires_s)  # nobody else asks for it meanwhile
            self._beside(self._renew_or_keep)
            return self._secret
        with self._lock:  # of many users who begin together one runs it
            if self._clock() >= self._expires_s:
                self._renew()
            return self._secret

    def _renew_or_keep(self) -> None:
        """A failure is told when the secret has expired: until then it serves."""
        try:
            self._renew()
        except ConfigError:
            return

    def _renew(self) -> None:
        began_s, wall_s = self._clock(), self._wall()
        try:
            printed = understood(self._run(self._words), wall_s)
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            raise ConfigError(
                f"the secret's command ({self._words}) gave none: {_why(error)}",
                remedy="run it by hand, as the user and on the machine that sends load",
            ) from None  # an error of a process carries what it printed
        self._secret = printed.secret
        self._renew_s = began_s + RENEWED_AT * printed.lasts_s
        self._expires_s = began_s + printed.lasts_s


@cache
def token_command(words: str) -> TokenCommand:
    """This process's own."""
    return TokenCommand(words)


def _output_of(words: str) -> str:
    done = subprocess.run(  # noqa: S603  the suite names it, as it names the Python files of a project
        shlex.split(words), stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT_S, check=True
    )
    return done.stdout[:_MOST_BYTES].decode()


def _in_a_thread(what: Callable[[], None]) -> None:
    # In a process that gevent has patched this is a greenlet, and waiting for the command lets others go on.
    Thread(target=what, daemon=True).start()


def _why(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        lines = error.stderr.decode(errors="replace").strip().splitlines()
        said = f": {lines[-1][:_TOLD_CHARACTERS]}" if lines else ""
        return f"it ended with exit code {error.returncode}{said}"
    if isinstance(error, subprocess.TimeoutExpired):
        return f"it had not ended after {TIMEOUT_S:g} s"
    if isinstance(error, UnicodeDecodeError):
        return "it printed no UTF-8 text"
    return (isinstance(error, OSError) and error.strerror) or str(error)
