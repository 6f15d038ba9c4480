"""One Locust process for one scenario, and the signals that reach it.

On Ctrl-C a terminal signals everything in its foreground: the child is told by the terminal itself, and
telling it again would look like a second Ctrl-C, which cuts its report short. Without a terminal (CI, a
background job) nobody tells the child, so it gets a process group of its own and exactly what we got.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from genload import extensions
from genload.commands.run.ahead import Ahead, in_foreground, wait_for_the_end_of_load
from genload.errors import ExitCode
from genload.settings.parts import parts_of
from genload.targets import SuiteTarget

_FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def arguments(target: SuiteTarget, scenario: str, seed: int, folder: Path, workers: int = 1) -> list[str]:
    """Locust's arguments to run `scenario` into `folder`, the suite's own.

    Args:
        workers: how many processes have the users; of several, none is the one that records.
    """
    request = target.request
    files = dict.fromkeys(
        extensions.locustfile(part.suite.locustfile) for part in parts_of(target.suite, scenario)
    )
    words = ["-f", ",".join(map(str, files))]
    if "LOCUST_LOGLEVEL" not in os.environ:
        # What Locust says of itself at INFO would stand between genload's own lines.
        words += ["--loglevel", "WARNING"]
    words.append("--headless")
    if workers > 1:
        port = str(_free_port())  # Locust's own may be taken by another run on this machine
        words += ["--processes", str(workers), "--master-bind-port", port, "--master-port", port]
    words += ["--scenario", f"{target.asked_for}/{scenario}", "--suite-folder", str(folder)]
    words += ["--asked-for", ",".join(target.scenarios), "--seed", str(seed)]
    if request.host is not None:
        words += ["-H", request.host]
    if request.time_scale != 1:
        words += ["--time-scale", repr(request.time_scale)]
    for override in request.settings:
        words += ["--set", override]
    words += ["--rehearsal"] * request.rehearsal + ["--strict"] * request.strict
    if request.abort_on:
        words += ["--abort-on", request.abort_on]
    return words + request.outlets.words()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


class Signals:
    """Remembers the first signal of a suite's run, and passes signals on to the process that runs now.

    Args:
        ahead: where that process comes from.
    """

    def __init__(self, ahead: Ahead) -> None:
        self._ahead = ahead
        self.first: signal.Signals | None = None
        self._came = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None

    @contextmanager
    def handled(self) -> Iterator[None]:
        """Handle signals inside the block; what was ignored before (nohup) stays ignored."""
        heard = [number for number in _FORWARDED if signal.getsignal(number) is not signal.SIG_IGN]
        before = {number: signal.signal(number, self._on_signal) for number in heard}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def pause(self, seconds: float) -> bool:
        """Sleep until a signal comes, at most `seconds`; whether one has come."""
        return self._came.wait(seconds)

    def expect(self) -> None:
        """A process is to run soon."""
        if self.first is None:
            self._ahead.begin()

    def run(self, words: Sequence[str], meanwhile: Callable[[], None] = lambda: None) -> int:
        """Run Locust to its end, the terminal its own; its return code, negative for a signal's number.

        Args:
            words: Locust's arguments.
            meanwhile: done when its load is over, while it ends.
        """
        with self._ahead.hand_over(words) as child:
            self._child = child
            try:
                wait_for_the_end_of_load(child)
                meanwhile()
                return child.wait()
            finally:
                self._child = None

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.first = self.first or signal.Signals(number)
        self._came.set()
        child = self._child
        if child is None or child.poll() is not None:
            return
        shares_group = os.getpgid(child.pid) == os.getpgrp()
        # A terminal that goes away signals its group, too, and is then no longer there to be asked.
        by_terminal = number == signal.SIGHUP or (number == signal.SIGINT and in_foreground())
        if not (shares_group and by_terminal):
            child.send_signal(number)


def outcome(code: int, *, has_result: bool) -> tuple[ExitCode, str]:
    """A scenario's exit code from its process's return code, and a line when that was no verdict."""
    if code == ExitCode.INTERRUPTED or code == -signal.SIGINT:
        return ExitCode.INTERRUPTED, ""
    if code in (ExitCode.USAGE, ExitCode.UNAVAILABLE):
        return ExitCode(code), ""
    if code < 0:
        return ExitCode.INVALID, f"was ended by {_signal_name(-code)}"
    if code not in (ExitCode.PASSED, ExitCode.FAILED, ExitCode.INVALID):
        return ExitCode.INVALID, f"ended with code {code}, which is no verdict"
    if not has_result:
        return ExitCode.INVALID, f"ended with code {code} and left no result"
    return ExitCode(code), ""


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
