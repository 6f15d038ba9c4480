"""The monitors' own process: plain Python, one thread a monitor, one line a tick in samples.jsonl.

Started by `start_sampler`, or as ``python -m genload.sampler``. Its configuration is one JSON line on stdin
(never on the command line, which every user of the machine can read), its first line on stdout says what
the monitors promise. It ends when its stdin closes, which the death of its parent does too.
"""

from __future__ import annotations

import contextlib
import math
import os
import selectors
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import IO, Any

import msgspec
import pydantic

from genload import extensions
from genload.errors import ConfigError, ExitCode, GenloadError, RunDirectoryError
from genload.monitor import Monitor, MonitorError
from genload.plain import plain
from genload.runlog.layout import SAMPLES
from genload.runlog.lines import LineFile, to_line
from genload.runlog.records import MonitorPlan, Sample
from genload.settings.secrets import hide

MAX_ERROR_CHARACTERS = 500
_GRACE_S = 2.0  # for ticks under way when the end comes
_PARENT_CHECK_S = 1.0

# -P and this line instead of -m: a user's own folder comes last on the child's import path, so that no
# file of theirs (`select.py`) shadows a module, while what a monitor of theirs imports is still found.
_BOOTSTRAP = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); "
    "sys.path += [folder for folder in sys.argv[1:] if folder not in sys.path]; "
    "from genload.sampler import main; sys.exit(main())"
)


class SamplerConfig(msgspec.Struct):
    """The line on stdin.

    Attributes:
        folder: the run directory.
        t0_monotonic_s: the monotonic clock when the run began; one machine's processes share that clock.
        host: URL of the service under test.
        monitors: settings by the name of a file in monitors/; secrets as references.
    """

    folder: str
    t0_monotonic_s: float
    host: str
    monitors: dict[str, dict[str, Any]]


class SamplerAnswer(msgspec.Struct, omit_defaults=True):
    """The first line on stdout: what the monitors promise, or why there is no sampling."""

    plans: list[MonitorPlan] = []
    refusal: str = ""
    remedy: str = ""
    file: str = ""
    key: str = ""


# --- the parent's side ----------------------------------------------------------------------------


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
    popen: Callable[..., subprocess.Popen[bytes]] | None = None,
    start_timeout_s: float = 60.0,
) -> SamplerHandle:
    """Start the monitors' process and wait until it says what they promise.

    Works in a plain process and in one that gevent has patched.

    Args:
        folder: the run directory, which must be there.
        t0_monotonic_s: `time.monotonic()` when the run began.
        monitors: settings by name, as text with units or in base units; secrets as references.
        popen: makes the process; None for the one of `subprocess`, which gevent may have replaced.

    Raises:
        ConfigError: a monitor that is not there, cannot be loaded or has wrong settings; a run directory
            that cannot be written.
        GenloadError: the process does not come up.
    """
    config = SamplerConfig(
        str(folder.resolve()), t0_monotonic_s, host, {name: dict(asked) for name, asked in monitors.items()}
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
                    f"the monitors' process gave no sign within {timeout_s:.0f} s",
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


# --- the child's side -----------------------------------------------------------------------------


def next_tick(last: int, start_s: float, interval_s: float, now_s: float) -> int:
    """The first tick after `last` that is not past: tick k is due at start + k · interval.

    Due times never depend on how long a sample took, so they do not drift; ticks that came due while one
    was under way are left out, not caught up with.
    """
    return max(last + 1, math.ceil((now_s - start_s) / interval_s))


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


@dataclass(slots=True)
class Watch:
    """One monitor and its schedule."""

    name: str
    monitor: Monitor
    opened: bool = False

    @property
    def interval_s(self) -> float:
        return self.monitor.settings.interval_s

    @property
    def plan(self) -> MonitorPlan:
        return MonitorPlan(
            name=self.name,
            interval_s=self.interval_s,
            metrics=list(self.monitor.metrics),
            source=self.monitor.source,
        )

    def run(self, t0_s: float, write: Callable[[Sample], None], stop: threading.Event) -> None:
        """Sample until told to stop; the first tick is now."""
        start_s, tick = monotonic(), 0
        while not stop.wait(max(0.0, start_s + tick * self.interval_s - monotonic())):
            write(self.tick(t0_s))
            tick = next_tick(tick, start_s, self.interval_s, monotonic())
        self._close()

    def tick(self, t0_s: float, clock: Callable[[], float] = monotonic) -> Sample:
        """One sample, whatever the monitor does."""
        begin_s, values, error = clock(), {}, ""
        try:
            if not self.opened:
                self.monitor.open()
                self.opened = True
            values = _numbers(self.monitor.sample())
        except MonitorError as problem:
            values, error = _numbers(problem.values), str(problem) or "MonitorError"
        except (Exception, SystemExit) as problem:  # noqa: BLE001  the seam's promise: never the end of a run
            error = f"{type(problem).__name__}: {problem}"
        return Sample(
            t_s=begin_s - t0_s,
            monitor=self.name,
            values=values,
            took_s=clock() - begin_s,
            error=plain(hide(error), MAX_ERROR_CHARACTERS),
        )

    def _close(self) -> None:
        if self.opened:
            with contextlib.suppress(Exception):
                self.monitor.close()


def _numbers(values: Mapping[str, float]) -> dict[str, float]:
    """Plain floats; NaN and infinity are no measurement, so they are absent."""
    plain = {name: float(value) for name, value in values.items()}
    return {name: value for name, value in plain.items() if math.isfinite(value)}


def load_watch(name: str, settings: Mapping[str, Any], host: str) -> Watch:
    """The monitor of one name with its settings.

    Raises:
        ConfigError: no such file, it cannot be loaded, wrong settings, or it patches the process.
    """
    key = f"monitors.{name}"
    kind: type[Monitor] = extensions.attribute("monitors", name, "Monitor")
    if _gevent_patched():
        raise ConfigError(
            f"monitors/{name}.py patches the process with gevent as it is imported",
            key=key,
            remedy="a monitor runs in plain Python: use threads and blocking calls",
        )
    try:
        watch = Watch(name, kind(kind.Settings.model_validate(settings), host))
        plan = watch.plan
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, (key, *first["loc"])))
        remedy = first.get("ctx", {}).get("remedy", f"see monitors/{name}.py for its settings")
        raise ConfigError(first["msg"], key=place, remedy=remedy) from error
    except ConfigError:
        raise
    except Exception as error:
        text = f"cannot be made: {type(error).__name__}: {error}"
        raise ConfigError(text, key=key, remedy=f"mend monitors/{name}.py, or leave it out") from error
    if plan.interval_s <= 0:
        raise ConfigError("is not above 0", key=f"{key}.interval", remedy="use an interval such as 1s")
    return watch


def _gevent_patched() -> bool:
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_anything_patched())


def sample_until(
    end: Callable[[], None], watches: Sequence[Watch], t0_s: float, write: Callable[[Sample], None]
) -> None:
    """Run every watch in a thread of its own until `end` returns."""
    stop = threading.Event()
    threads = [
        threading.Thread(target=watch.run, args=(t0_s, write, stop), name=watch.name, daemon=True)
        for watch in watches
    ]
    for thread in threads:
        thread.start()
    end()
    stop.set()
    deadline_s = monotonic() + _GRACE_S
    for thread in threads:  # one that still hangs in its monitor is a daemon, and ends with the process
        thread.join(max(0.0, deadline_s - monotonic()))


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
    assert not _gevent_patched(), "the sampler is plain Python"  # noqa: S101  a bug of ours otherwise
    answers = os.dup(1)
    os.dup2(2, 1)  # what a monitor prints goes to stderr, not into the answer
    try:
        config = msgspec.json.decode(sys.stdin.buffer.readline(), type=SamplerConfig)
    except msgspec.MsgspecError as error:
        print(f"genload sampler: no configuration on stdin: {error}", file=sys.stderr)
        return ExitCode.USAGE
    try:
        watches = [load_watch(name, asked, config.host) for name, asked in config.monitors.items()]
        file = SampleFile(Path(config.folder))
    except GenloadError as error:
        _answer(answers, _refusal(error))
        return error.exit_code
    _answer(answers, SamplerAnswer(plans=[watch.plan for watch in watches]))
    sample_until(_wait_for_the_end, watches, config.t0_monotonic_s, file.write)
    try:
        file.close()
    except RunDirectoryError as error:
        return error.exit_code
    return ExitCode.PASSED


def _refusal(error: GenloadError) -> SamplerAnswer:
    file, key = (error.file, error.key) if isinstance(error, ConfigError) else ("", "")
    return SamplerAnswer(refusal=error.message, remedy=error.remedy, file=file, key=key)


def _answer(descriptor: int, answer: SamplerAnswer) -> None:
    with contextlib.suppress(BrokenPipeError), os.fdopen(descriptor, "wb") as answers:
        answers.write(msgspec.json.encode(answer) + b"\n")


if __name__ == "__main__":
    sys.exit(main())
