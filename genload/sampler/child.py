"""The child process: configuration in, promises out, samples to the file until the end."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from genload.code_errors import CLIENT_ERROR, CodeFailure
from genload.errors import ConfigError, ExitCode, GenloadError, RunDirectoryError
from genload.runlog.layout import FAILURES, SAMPLES
from genload.runlog.lines import LineFile, to_line
from genload.runlog.records import Sample
from genload.sampler.messages import SamplerAnswer, SamplerConfig
from genload.sampler.watch import gevent_patched, load_watch, sample_until

_PARENT_CHECK_S = 1.0


class SampleFile:
    """samples.jsonl, shared by the monitors' threads: one write a line."""

    def __init__(self, folder: Path) -> None:
        """Open it; raises RunDirectoryError."""
        self._file = LineFile(folder / SAMPLES)
        self._lock = threading.Lock()
        self._closed = False
        self._file.open()

    def write(self, sample: Sample) -> None:
        """Append; what a disk refuses is tried again with the next line.

        Nothing is said of it here: the run's own files have met the same, and end the run with one line.
        """
        with self._lock:
            if self._closed:  # a tick that hung beyond the end
                return
            self._file.add(to_line(sample))
            with contextlib.suppress(RunDirectoryError):
                self._file.flush()

    def close(self) -> None:
        """Raises RunDirectoryError when lines could not be written."""
        with self._lock:
            self._closed = True
            self._file.close()


def _wait_for_the_end() -> None:
    """Return when stdin closes, at SIGTERM, or when the parent is gone.

    The parent is asked after too: a process that it forked meanwhile may hold our stdin open.
    """
    parent = os.getppid()
    told, tell = os.pipe()
    signal.signal(signal.SIGTERM, lambda *_: os.write(tell, b"."))
    with selectors.DefaultSelector() as selector:
        selector.register(0, selectors.EVENT_READ, "stdin")
        selector.register(told, selectors.EVENT_READ, "signal")
        while os.getppid() == parent:
            for key, _ in selector.select(_PARENT_CHECK_S):
                if key.data == "signal" or not os.read(0, 65536):
                    return


def main() -> int:
    """The child process: read the configuration, answer with the plans, sample until the end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group: the parent decides
    assert not gevent_patched(), "the sampler is plain Python"  # noqa: S101  a bug of ours otherwise
    answers = os.dup(1)
    os.dup2(2, 1)  # what a monitor prints goes to stderr, not into the answer
    try:
        config = msgspec.json.decode(sys.stdin.buffer.readline(), type=SamplerConfig)
    except msgspec.MsgspecError as error:
        print(f"genload sampler: no configuration on stdin: {error}", file=sys.stderr)
        return ExitCode.USAGE
    try:
        watches = [
            load_watch(name, asked, config.host, config.longest_s.get(name, 0.0))
            for name, asked in config.monitors.items()
        ]
        file = SampleFile(Path(config.folder))
    except GenloadError as error:
        _answer(answers, _refusal(error))
        return error.exit_code
    for watch in watches:
        watch.tell = _blamed(Path(config.folder), watch.name)
    _answer(answers, SamplerAnswer(plans=[watch.plan for watch in watches]))
    sample_until(_wait_for_the_end, watches, config.t0_monotonic_s, file.write)
    try:
        file.close()
    except RunDirectoryError as error:
        return error.exit_code
    return ExitCode.PASSED


def _blamed(folder: Path, monitor: str) -> Callable[[CodeFailure], None]:
    """Says on one line what a monitor's own code has raised, and keeps the traceback in the run directory."""

    def tell(failure: CodeFailure) -> None:
        print(f"monitor {monitor}: {failure.told}", file=sys.stderr, flush=True)
        with contextlib.suppress(OSError):  # the run's own files have met the same, and say so
            traces = folder / FAILURES / CLIENT_ERROR
            traces.mkdir(parents=True, exist_ok=True)
            (traces / f"monitor-{monitor}.txt").write_text(failure.trace, encoding="utf-8", errors="replace")

    return tell


def _refusal(error: GenloadError) -> SamplerAnswer:
    file, key = (error.file, error.key) if isinstance(error, ConfigError) else ("", "")
    return SamplerAnswer(refusal=error.message, remedy=error.remedy, file=file, key=key)


def _answer(descriptor: int, answer: SamplerAnswer) -> None:
    with contextlib.suppress(BrokenPipeError), os.fdopen(descriptor, "wb") as answers:
        answers.write(msgspec.json.encode(answer) + b"\n")
