"""The end of a worker's process."""

from __future__ import annotations

import os
import signal
from typing import Any

import gevent
from locust.runners import WorkerRunner

from genload.errors import ExitCode
from genload.harness.worker_link import WorkerLink

PARENT_POLL_S = 0.2


class WorkerEnd:
    """Sends the last records of a worker to the master, whatever ends the worker.

    If master and workers share a terminal, Ctrl-C reaches all of them at once. Therefore the first Ctrl-C
    only stops new work in a worker, and the master ends the run.
    """

    def __init__(self, environment: Any, runner: WorkerRunner, link: WorkerLink) -> None:
        self._environment, self._runner, self._link = environment, runner, link
        self._interrupted = False

    def attach(self) -> None:
        # Before the runner's own `quitting` listener, which tells the master that this worker is gone.
        self._environment.events.quitting.add_listener(lambda **_: self._leave())
        gevent.signal_handler(signal.SIGINT, self._on_interrupt)
        if hasattr(signal, "SIGHUP"):
            gevent.signal_handler(signal.SIGHUP, self._end)
        if self._environment.parsed_options.processes:
            gevent.spawn(self._end_with, os.getppid())

    def _end_with(self, parent: int) -> None:
        """A worker that its master forked ends with it, however that ends, and goes on loading nobody."""
        while os.getppid() == parent:
            gevent.sleep(PARENT_POLL_S)
        self._end()

    def _on_interrupt(self) -> None:
        if not self._interrupted:
            self._interrupted = True
            self._link.drain()
        self._end()

    def _end(self) -> None:
        self._leave()
        self._runner.quit()

    def _leave(self) -> None:
        if self._link.leave():
            self._environment.process_exit_code = int(ExitCode.INTERRUPTED)
