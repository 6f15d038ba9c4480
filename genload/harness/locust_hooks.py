"""The private parts of Locust that we change, each for a reason, each held by a test.

Locust is pinned to an exact version because of these (pyproject.toml).
"""

from __future__ import annotations

import functools
import logging
import sys
import time
from collections.abc import Callable
from operator import attrgetter
from types import SimpleNamespace
from typing import Any

import gevent
import psutil
from locust import argument_parser, env, main, runners, stats
from locust.user.task import TaskSet

from genload.harness.locust_statistics import BlockStats
from genload.orders import is_order

logger = logging.getLogger(__name__)

HEARTBEAT_LIVENESS = 15  # seconds; a worker that computes for more than 3 s is not a dead worker
MASTER_HEARTBEAT_TIMEOUT = 15  # seconds; workers of a dead master go on loading the service for so long
_TRACEBACK_LOGGERS = (None, "locust.user.task", "locust.user.users")
HISTORY_ENTRIES = 240  # of the charts: 20 minutes before the first thinning


def apply() -> None:
    """Idempotent: called once a process, and once a test."""
    if not hasattr(argument_parser.default_args_dict, "cache_info"):
        # A worker builds a whole argument parser for each option of each spawn message: 46-83 ms in which
        # no user runs.
        argument_parser.default_args_dict = functools.lru_cache(maxsize=1)(argument_parser.default_args_dict)
    runners.HEARTBEAT_LIVENESS = HEARTBEAT_LIVENESS
    runners.MASTER_HEARTBEAT_TIMEOUT = MASTER_HEARTBEAT_TIMEOUT
    theirs: Any = runners
    if theirs.time is time:
        # A worker measures the master's silence by the wall clock: set forward, it let the worker leave.
        theirs.time = SimpleNamespace(time=steady_time())
    # When it stops, it looks up the source of every caller for a line of its debug log: 30 ms.
    theirs.inspect = None
    if not hasattr(stats.update_stats_history, "__wrapped__"):
        stats.update_stats_history = bounding_history(stats.update_stats_history)
    # Ten times a request Locust asks for the user of a task: here without a call of Python.
    theirs_too: Any = TaskSet
    theirs_too.user = property(attrgetter("_user"), doc=TaskSet.user.__doc__)
    # Locust's closing tables round percentiles to two digits (82.5 s → 82) and would stand beside the
    # verdict's exact ones.
    stats.print_stats = stats.print_percentile_stats = stats.print_error_report = _print_nothing


def steady_time() -> Callable[[], float]:
    """As `time.time`, from now on by the monotonic clock."""
    ahead_s = time.time() - time.monotonic()
    return lambda: ahead_s + time.monotonic()


def keep_measuring() -> None:
    """Let Locust go on measuring its CPU and memory: with no file left to open it ended, with a traceback. To
    be called before it makes its runner.
    """
    runner_class: Any = runners.Runner
    measure = runner_class.monitor_cpu_and_memory
    if hasattr(measure, "__wrapped__"):
        return

    @functools.wraps(measure)
    def keeping_on(runner: Any) -> None:
        while True:
            try:
                measure(runner)
            except (OSError, psutil.Error) as error:
                logger.debug(f"CPU and memory could not be measured: {error}")
            gevent.sleep(runners.CPU_MONITOR_INTERVAL)

    runner_class.monitor_cpu_and_memory = keeping_on


def count_in_blocks() -> None:
    """Let Locust's statistics be counted many requests at a time. To be called before it makes its
    environment.
    """
    environments: Any = env
    environments.RequestStats = BlockStats


def send_own_traces() -> None:
    """Let `--otel` be about logical requests: Locust's own spans are of calls through `requests` alone, made
    while a load runs, and its numbers and logs are counted for each of them. To be called before Locust has
    read its options.
    """
    locust_main: Any = main
    locust_main.setup_opentelemetry = lambda *_: True


def watch_code(environment: Any, blame: Callable[[BaseException, Any], bool]) -> None:
    """Hand what users' code raises to `blame`, with the user whose greenlet dies of it, else None.

    Locust and gevent print a traceback each time: in a load, thousands of times.

    Args:
        blame: whether it has been told; where not, the traceback is printed after all.
    """
    for name in _TRACEBACK_LOGGERS:
        logging.getLogger(name).addFilter(_untold(blame))
    hub = gevent.get_hub()
    print_exception = hub.print_exception
    hub.print_exception = lambda context, kind, error, trace: (
        blame(error, None) or print_exception(context, kind, error, trace)
    )
    for user_class in environment.user_classes:
        user_class.run = _watched(user_class.run, blame)


def _untold(blame: Callable[[BaseException, Any], bool]) -> Callable[[logging.LogRecord], bool]:
    """A filter of log records: Locust logs tracebacks of users' code where it has caught the exception."""

    def untold(record: logging.LogRecord) -> bool:
        error = sys.exception()
        return error is None or "Traceback" not in record.getMessage() or not blame(error, None)

    return untold


def _watched(
    run: Callable[[Any], None], blame: Callable[[BaseException, Any], bool]
) -> Callable[[Any], None]:
    """`User.run`, whose greenlet dies in silence of what has been told."""

    @functools.wraps(run)
    def watched(user: Any) -> None:
        try:
            run(user)
        except BaseException as error:
            if is_order(error) or not blame(error, user):
                raise

    return watched


def screen_workers(runner: Any, too_late: Callable[[str], bool]) -> None:
    """Let a master send a worker away that reports as ready when `too_late` says so of its id.

    Locust takes a worker in at any time, and deals the users out anew: those taken from the others are
    killed in the middle of their jobs.
    """
    handle_message = runner.handle_message
    sent_away = set()

    def screen(client_id: str, msg: Any) -> None:
        if msg.type == "client_ready" and client_id not in sent_away and too_late(client_id):
            logger.warning(f"worker {client_id} came during a run and was sent away: start it before one")
            sent_away.add(client_id)
        if client_id not in sent_away:
            handle_message(client_id, msg)
        elif msg.type == "client_ready":
            # Only a worker that was answered, and has started all its greenlets, can quit.
            runner.send_message("ack", client_id=client_id, data={"index": -1})
        else:
            runner.send_message("quit", client_id=client_id)

    runner.handle_message = screen


def bounding_history(update: Callable[..., None]) -> Callable[..., None]:
    """Locust keeps an entry of 2 kB every 5 s for good: 35 MB a day of a sustained load."""

    @functools.wraps(update)
    def bounded(runner: Any, timestamp: str | None = None) -> None:
        update(runner, timestamp)
        history = runner.stats.history
        if len(history) > HISTORY_ENTRIES:
            del history[1::2]

    return bounded


def _print_nothing(*_: Any, **__: Any) -> None:
    return
