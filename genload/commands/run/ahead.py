"""A Locust process that is started before it is known what it has to do: while the suite is read, and while
the service becomes idle after a scenario. What takes it longest, importing Locust, is done by then.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType

# -P: the working directory is a user's own; nothing in it may take the place of a module.
WAITING = (sys.executable, "-P", "-m", "genload.harness.waiting")
LOOK_MS = 250
"""How often a process is looked at that may have ended without a word."""


class Ahead:
    """One such process at a time. As a context manager it ends a process that was not needed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Ahead:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def begin(self) -> None:
        """Start a process, unless one is waiting. This method returns at once."""
        if self._process is None:
            self._process = subprocess.Popen(  # noqa: S603  our own interpreter and module, no shell
                WAITING, stdin=subprocess.PIPE, bufsize=0, process_group=None if in_foreground() else 0
            )

    def hand_over(self, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
        """The process, which runs Locust with these arguments from now on; of its stdin it reads nothing
        any more, and holds it until its load is over (`genload.harness.starter`).
        """
        self.begin()
        process, self._process = self._process, None
        assert process is not None and process.stdin is not None  # noqa: S101  both were asked for
        with suppress(BrokenPipeError):  # ended by a signal: its code says it
            process.stdin.write(json.dumps(list(arguments)).encode() + b"\n")
        return process

    def close(self) -> None:
        """End a process that is still waiting."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            with process:  # closes its stdin, and waits for it
                pass


def wait_for_the_end_of_load(process: subprocess.Popen[bytes]) -> None:
    """Wait until a process that was handed over has no load any more, or is not there any more."""
    assert process.stdin is not None  # noqa: S101  it was asked for
    waiting = select.poll()
    waiting.register(process.stdin, 0)  # nothing to ask for: that nobody holds it any more is told anyway
    while process.poll() is None and not waiting.poll(LOOK_MS):
        continue  # a system that does not tell it of pipes still tells that the process has ended


def in_foreground() -> bool:
    """Whether a terminal's Ctrl-C reaches this process's group."""
    for descriptor in (0, 1, 2):
        try:
            return os.tcgetpgrp(descriptor) == os.getpgrp()
        except OSError:  # no terminal, or not the one that controls us
            continue
    return False
