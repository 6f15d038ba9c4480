"""The child's side: each monitor on a schedule and in a thread of its own, whatever it does."""

from __future__ import annotations

import contextlib
import math
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from time import monotonic
from typing import Any

import psutil
import pydantic

from genload import extensions
from genload.code_errors import CodeFailure, place_of
from genload.errors import ConfigError
from genload.monitor import Monitor, MonitorError
from genload.plain import plain
from genload.runlog.records import HANGS, MonitorPlan, Sample
from genload.settings.metrics.catalogue import ANY_LABEL
from genload.settings.secrets import hide

MAX_ERROR_CHARACTERS = 500
MAX_FACT_CHARACTERS = 200
HANGS_FROM_S = 10.0
"""A tick under way for longer is reported while it lasts: one that hangs for good never would be."""
LOOKING = 0.5
"""A monitor whose interval may grow looks for at most this share of the time: its looks are work for whom it
watches."""
_TICKS_TIMED = 5  # of which the middle one counts, so that one hiccup is none
_LOOK_EVERY_S = 1.0
_GRACE_S = 2.0  # for ticks under way when the end comes
_MOST_HISTORY_S = 8.0  # then the parent insists


def next_tick(last: int, start_s: float, interval_s: float, now_s: float) -> int:
    """The first tick after `last` that is not past: tick k is due at start + k · interval.

    Due times never depend on how long a sample took, so they do not drift; ticks that came due while one
    was under way are left out, not caught up with.
    """
    return max(last + 1, math.ceil((now_s - start_s) / interval_s))


@dataclass(slots=True)
class Watch:
    """One monitor and its schedule.

    `longest_s` is up to what interval it may be slowed down where its ticks take long; 0: not at all.
    """

    name: str
    monitor: Monitor
    longest_s: float = 0.0
    opened: bool = False
    _slowed_s: float = 0.0  # the interval since it was slowed down
    _took_s: deque[float] = field(default_factory=lambda: deque(maxlen=_TICKS_TIMED))
    tell: Callable[[CodeFailure], None] = lambda failure: None
    """Takes the first mistake in the monitor's own code."""
    _blamed: bool = False
    _facts: dict[str, str] | None = None  # as told; None before the first tick that found something
    _began_s: float | None = None  # the tick under way
    _hang_told_s: float | None = None  # when the tick began whose hanging has been told

    @property
    def interval_s(self) -> float:
        return self._slowed_s or self.monitor.settings.interval_s

    @property
    def plan(self) -> MonitorPlan:
        return MonitorPlan(
            name=self.name,
            interval_s=self.interval_s,
            metrics=list(self.monitor.metrics),
            source=self.monitor.source,
            labels={
                label: list(begins)
                for label, begins in self.monitor.settings.labels.items()
                if label != ANY_LABEL
            },
            nothing_here=self.monitor.nothing_here,
        )

    def run(self, t0_s: float, write: Callable[[Sample], None], stop: threading.Event) -> None:
        """Sample until told to stop; the first tick is now."""
        if self.monitor.nothing_here:
            return
        began_s = start_s = monotonic()
        tick = 0
        while not stop.wait(max(0.0, start_s + tick * self.interval_s - monotonic())):
            was_open = self.opened
            sample = self.tick(t0_s)
            if was_open and self.slow_down(sample):
                start_s, tick = t0_s + sample.t_s, 0
            write(sample)
            tick = next_tick(tick, start_s, self.interval_s, monotonic())
        for sample in self._history(began_s, monotonic(), t0_s):
            write(sample)
        self._close()

    def tick(self, t0_s: float, clock: Callable[[], float] = monotonic) -> Sample:
        """One sample, whatever the monitor does."""
        begin_s = self._began_s = clock()
        values: dict[str, float] = {}
        error = raised_at = ""
        try:
            if not self.opened:
                self.monitor.open()
                self.opened = True
            values = _numbers(self.monitor.sample())
        except MonitorError as problem:
            values, error = _numbers(problem.values), str(problem) or "MonitorError"
        except (Exception, SystemExit) as problem:  # noqa: BLE001  the seam's promise: never the end of a run
            error, raised_at = f"{type(problem).__name__}: {problem}", self._blame(problem)
        facts = self._new_facts() if values and self._facts is None else {}
        self._began_s = None
        return Sample(
            t_s=begin_s - t0_s,
            monitor=self.name,
            values=values,
            facts=facts,
            took_s=clock() - begin_s,
            live=self.monitor.provisional,
            error=_words(error),
            raised_at=raised_at,
        )

    def slow_down(self, sample: Sample) -> bool:
        """Lengthen the interval, and say so in the tick, where ticks take too much of it; whether it was.

        Ticks with an error say nothing of how long a look takes: a timeout is no look.
        """
        if sample.error or self.interval_s >= self.longest_s:
            return False
        self._took_s.append(sample.took_s)
        needed_s = median(self._took_s) / LOOKING
        if needed_s <= self.interval_s:
            return False
        # With some room, so that a page that grows does not slow it down again and again.
        self._slowed_s = sample.interval_s = min(1.25 * needed_s, self.longest_s)
        return True

    def hang(self, t0_s: float, now_s: float, limit_s: float = HANGS_FROM_S) -> Sample | None:
        """A sample that names a tick under way for `limit_s` and more, once a tick; else None."""
        began_s = self._began_s
        if began_s is None or now_s - began_s < limit_s or began_s == self._hang_told_s:
            return None
        self._hang_told_s = began_s
        return Sample(
            t_s=now_s - t0_s,
            monitor=self.name,
            error=f"{HANGS}the tick {now_s - began_s:.0f} s ago has not ended",
        )

    @property
    def grace_s(self) -> float:
        """What it may take from the end on: for a tick under way, and for its history."""
        return _GRACE_S + min(self.monitor.history_s, _MOST_HISTORY_S - _GRACE_S)

    def _history(self, begin_s: float, end_s: float, t0_s: float) -> Iterator[Sample]:
        """The monitor's samples of what has passed, and an error as one more."""
        if not self.opened:
            return
        try:
            for at_s, values in self.monitor.history(begin_s, end_s):
                yield Sample(t_s=at_s - t0_s, monitor=self.name, values=_numbers(values))
        except (Exception, SystemExit) as problem:  # noqa: BLE001  the seam's promise: never the end of a run
            known = _numbers(problem.values) if isinstance(problem, MonitorError) else {}
            error = (
                str(problem) if isinstance(problem, MonitorError) else f"{type(problem).__name__}: {problem}"
            )
            at_s, raised_at = monotonic() - t0_s, self._blame(problem)
            yield Sample(t_s=at_s, monitor=self.name, values=known, error=_words(error), raised_at=raised_at)
        facts = self._new_facts() if self._facts is not None else {}
        doubts = {}
        with contextlib.suppress(Exception):
            doubts = {metric: _words(why) for metric, why in self.monitor.doubts().items()}
        if facts or doubts:
            yield Sample(t_s=monotonic() - t0_s, monitor=self.name, facts=facts, doubts=doubts)

    def _new_facts(self) -> dict[str, str]:
        """What the monitor measures, as far as it was not told."""
        told, facts = self._facts or {}, {}
        with contextlib.suppress(Exception):
            facts = dict(self.monitor.facts())
        said = {name: plain(hide(str(text)), MAX_FACT_CHARACTERS) for name, text in facts.items()}
        self._facts = told | said
        return {name: text for name, text in said.items() if told.get(name) != text}

    def _blame(self, problem: BaseException) -> str:
        """Where the monitor's own code has a mistake, told the first time; "" for what a machine does."""
        if isinstance(problem, MonitorError | OSError | psutil.Error):
            return ""
        if not self._blamed:
            self._blamed = True
            self.tell(CodeFailure.of(problem))
        return place_of(problem)

    def _close(self) -> None:
        if self.opened:
            with contextlib.suppress(Exception):
                self.monitor.close()


def _words(error: str) -> str:
    return plain(hide(error), MAX_ERROR_CHARACTERS)


def _numbers(values: Mapping[str, float]) -> dict[str, float]:
    """Plain floats; NaN and infinity are no measurement, so they are absent."""
    floats = {name: float(value) for name, value in values.items()}
    return {name: value for name, value in floats.items() if math.isfinite(value)}


def load_watch(name: str, settings: Mapping[str, Any], host: str, longest_s: float = 0.0) -> Watch:
    """The monitor of one name with its settings, which may say of what `kind` it is.

    Args:
        longest_s: as for `Watch`.

    Raises:
        ConfigError: no such file, it cannot be loaded, wrong settings, or it patches the process.
    """
    key = f"monitors.{name}"
    file = settings.get("kind") or name
    kind: type[Monitor] = extensions.attribute("monitors", file, "Monitor")
    if gevent_patched():
        raise ConfigError(
            f"monitors/{file}.py patches the process with gevent as it is imported",
            key=key,
            remedy="a monitor runs in plain Python: use threads and blocking calls",
        )
    try:
        watch = Watch(name, kind(kind.Settings.model_validate(settings), host), longest_s)
        plan = watch.plan
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, (key, *first["loc"])))
        remedy = first.get("ctx", {}).get("remedy", f"see monitors/{file}.py for its settings")
        raise ConfigError(first["msg"], key=place, remedy=remedy) from error
    except ConfigError:
        raise
    except Exception as error:
        text = f"cannot be made: {type(error).__name__}: {error}"
        raise ConfigError(text, key=key, remedy=f"mend monitors/{file}.py, or leave it out") from error
    if plan.interval_s <= 0:
        raise ConfigError("is not above 0", key=f"{key}.interval", remedy="use an interval such as 1s")
    return watch


def gevent_patched() -> bool:
    """Whether gevent has replaced blocking calls in this process."""
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_anything_patched())


def sample_until(
    end: Callable[[], None], watches: Sequence[Watch], t0_s: float, write: Callable[[Sample], None]
) -> None:
    """Run every watch in a thread of its own until `end` returns; a tick that hangs is written about."""
    stop = threading.Event()
    threads = [
        threading.Thread(target=watch.run, args=(t0_s, write, stop), name=watch.name, daemon=True)
        for watch in watches
    ]
    look_out = threading.Thread(target=_look_out, args=(watches, t0_s, write, stop), daemon=True)
    for thread in (*threads, look_out):
        thread.start()
    end()
    stop.set()
    deadline_s = monotonic() + max((watch.grace_s for watch in watches), default=_GRACE_S)
    for thread in (*threads, look_out):  # one that still hangs is a daemon, and ends with the process
        thread.join(max(0.0, deadline_s - monotonic()))
    _tell_hangs(watches, t0_s, write, limit_s=_GRACE_S)


def _look_out(
    watches: Sequence[Watch], t0_s: float, write: Callable[[Sample], None], stop: threading.Event
) -> None:
    while not stop.wait(_LOOK_EVERY_S):
        _tell_hangs(watches, t0_s, write, limit_s=HANGS_FROM_S)


def _tell_hangs(
    watches: Sequence[Watch], t0_s: float, write: Callable[[Sample], None], *, limit_s: float
) -> None:
    for watch in watches:
        hang = watch.hang(t0_s, monotonic(), limit_s)
        if hang is not None:
            write(hang)
