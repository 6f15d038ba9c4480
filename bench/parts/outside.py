"""Load generators as processes, looked at from outside: what they get done, and what they take for it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from parts.answers import Server
from parts.rounds import ROOT

_STARTS_S = 180.0
_SETTLES_S = 4.0


@dataclass(frozen=True, slots=True)
class Seen:
    """Of one process and its children, or of the workers together.

    Attributes:
        own_us: CPU of the process itself, for each thing done.
        helpers_us: of its inspector and whatever else it has started.
        memory_bytes: of all: what is shared counts for each its part.
    """

    own_us: float
    helpers_us: float
    memory_bytes: float

    @property
    def us(self) -> float:
        """CPU of all of them for each thing done."""
        return self.own_us + self.helpers_us


@dataclass(frozen=True, slots=True)
class Round:
    """One look at a load: things done, in so many seconds, and what it took on the side of the (only) master
    and of the workers; the server's share of its core."""

    done: int
    seconds: float
    master: Seen
    workers: Seen
    server: float

    @property
    def rate(self) -> float:
        """Things done a second."""
        return self.done / self.seconds

    @property
    def share(self) -> float:
        """Of a core, all processes together."""
        return self.us * max(self.done, 1) / 1e6 / self.seconds

    @property
    def us(self) -> float:
        """CPU of all processes for each thing done."""
        return self.master.us + self.workers.us


@contextmanager
def started(commands: Sequence[Sequence[str]], cores: str, folder: Path) -> Iterator[list[psutil.Popen]]:
    """Processes on some cores, killed afterwards: what thousands of users wait for is not waited for. What
    they say is shown where the benchmark ends meanwhile."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "bench"), str(ROOT)])}
    with (folder / "words.txt").open("w+") as words:
        told = {"stdout": words, "stderr": words, "env": environment, "cwd": ROOT}
        running = [psutil.Popen(["taskset", "-c", cores, *command], **told) for command in commands]
        try:
            yield running
        except BaseException:
            words.seek(0)
            print(words.read()[-3000:], file=sys.stderr)
            raise
        finally:
            for one in running:
                children = one.children(recursive=True) if one.poll() is None else []
                for process in (*children, one):
                    with suppress(psutil.NoSuchProcess):
                        process.kill()
                one.wait()


def wait_for(reached: Callable[[], bool], process: psutil.Popen, settles_s: float = _SETTLES_S) -> None:
    """Until the load is under way; ends the benchmark if its process does, or if it takes too long."""
    until_s = time.monotonic() + _STARTS_S
    while not reached():
        if time.monotonic() > until_s or process.poll() is not None:
            sys.exit("the load did not begin")
        time.sleep(0.05)
    time.sleep(settles_s)


def look(processes: Sequence[psutil.Popen], server: Server, seconds: float, what: int = 0) -> Round:
    """What the processes, of which the first is the master, get done in so many seconds.

    Args:
        what: of what the server counts is counted.
    """
    families = {one.pid: [child.pid for child in one.children(recursive=True)] for one in processes}
    pids = [*families, *(pid for children in families.values() for pid in children), server.pid]
    done, start_s, before = server.counted()[what], time.monotonic(), cpu_s(pids)
    time.sleep(seconds)
    after, done, took_s = cpu_s(pids), server.counted()[what] - done, time.monotonic() - start_s
    spent_us = {pid: (after[pid] - before[pid]) * 1e6 / max(done, 1) for pid in pids}
    memory = {pid: psutil.Process(pid).memory_full_info().pss for pid in pids}
    sides = [
        Seen(
            sum(spent_us[pid] for pid in side),
            sum(spent_us[child] for pid in side for child in families[pid]),
            sum(memory[each] for pid in side for each in (pid, *families[pid])),
        )
        for side in ([processes[0].pid], [one.pid for one in processes[1:]])
    ]
    return Round(done, took_s, sides[0], sides[1], (after[server.pid] - before[server.pid]) / took_s)


def cpu_s(pids: Sequence[int]) -> Mapping[int, float]:
    """CPU seconds of each process so far, by its own clock (clock_getcpuclockid)."""
    return {pid: time.clock_gettime((~pid << 3) | 2) for pid in pids}
