"""The parent's side: start the monitors' process, hear what they promise, end it."""

from __future__ import annotations

import contextlib
import os
import selectors
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from time import monotonic
from typing import IO, Any

import msgspec

from genload.errors import ConfigError, GenloadError
from genload.human import human
from genload.runlog.records import MonitorPlan
from genload.sampler.messages import SamplerAnswer, SamplerConfig

_GRACE_S = 2.0

# -P and this line instead of -m: a user's own folder comes last on the child's import path, so that no
# file of theirs (`select.py`) shadows a module, while what a monitor of theirs imports is still found.
_BOOTSTRAP = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); "
    "sys.path += [folder for folder in sys.argv[1:] if folder not in sys.path]; "
    "from genload.sampler.child import main; sys.exit(main())"
)


class SamplerHandle:
    """A running sampler.

    Attributes:
        plans: what each monitor promises.
    """

    def __init__(self, process: subprocess.Popen[bytes], plans: list[MonitorPlan]) -> None:
        self.plans = plans
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        """False when it has ended; nobody but `stop` should end it."""
        return self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """None while it runs; 0 after a clean end, negative when a signal ended it."""
        return self._process.poll()

    def stop(self, timeout_s: float = 10.0) -> None:
        """End it: ask, and after `timeout_s` insist. Every line it wrote is in the file then."""
        _end(self._process, timeout_s)


def start_sampler(
    folder: Path,
    t0_monotonic_s: float,
    host: str,
    monitors: Mapping[str, Mapping[str, Any]],
    *,
    longest_s: Mapping[str, float] | None = None,
    popen: Callable[..., subprocess.Popen[bytes]] | None = None,
    start_timeout_s: float = 60.0,
) -> SamplerHandle:
    """Start the monitors' process and wait until it says what they promise.

    Works in a plain process and in one that gevent has patched.

    Args:
        folder: the run directory, which must be there.
        t0_monotonic_s: `time.monotonic()` when the run began.
        monitors: settings by name, as text with units or in base units; secrets as references.
        longest_s: by name, up to what interval a monitor may be slowed down whose ticks take long.
        popen: makes the process; None for the one of `subprocess`, which gevent may have replaced.

    Raises:
        ConfigError: a monitor that is not there, cannot be loaded or has wrong settings; a run directory
            that cannot be written.
        GenloadError: the process does not come up.
    """
    config = SamplerConfig(
        str(folder.resolve()),
        t0_monotonic_s,
        host,
        {name: dict(asked) for name, asked in monitors.items()},
        dict(longest_s or {}),
    )
    command = [sys.executable, "-P", "-c", _BOOTSTRAP, *filter(None, sys.path), str(Path.cwd())]
    process = (popen or subprocess.Popen)(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    try:
        answer = _first_answer(process, msgspec.json.encode(config) + b"\n", start_timeout_s)
    except BaseException:
        _end(process, timeout_s=0.0)
        raise
    if answer.refusal:
        _end(process, timeout_s=_GRACE_S)
        raise ConfigError(answer.refusal, remedy=answer.remedy, file=answer.file, key=answer.key)
    return SamplerHandle(process, answer.plans)


def _first_answer(process: subprocess.Popen[bytes], config: bytes, timeout_s: float) -> SamplerAnswer:
    stdin, stdout = _pipes(process)
    with contextlib.suppress(BrokenPipeError):  # it has ended: the missing answer tells
        stdin.write(config)
    received = b""
    deadline_s = monotonic() + timeout_s
    # Looked up at run time, as gevent replaces it: with its own one, waiting lets other greenlets run.
    with selectors.DefaultSelector() as selector:
        selector.register(stdout, selectors.EVENT_READ)
        while not received.endswith(b"\n"):
            if not selector.select(max(0.0, deadline_s - monotonic())):
                raise GenloadError(
                    f"the monitors' process gave no sign within {human(timeout_s, 's')}",
                    remedy="look for a monitor whose import hangs",
                )
            part = os.read(stdout.fileno(), 65536)
            if not part:
                raise GenloadError(
                    f"the monitors' process ended at once, exit code {process.wait()}",
                    remedy="its own words stand above",
                )
            received += part
    return msgspec.json.decode(received, type=SamplerAnswer)


def _pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    assert process.stdin is not None and process.stdout is not None  # noqa: S101  both were asked for
    return process.stdin, process.stdout


def _end(process: subprocess.Popen[bytes], timeout_s: float) -> None:
    stdin, stdout = _pipes(process)
    with contextlib.suppress(OSError):
        stdin.close()
    for insist in (process.terminate, process.kill):
        try:
            process.wait(timeout_s)
            break
        except subprocess.TimeoutExpired:
            insist()
            timeout_s = _GRACE_S + 1.0
    process.wait()
    stdout.close()
