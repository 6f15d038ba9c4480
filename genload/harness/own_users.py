"""Connects the users of this process with genload: with what they share, and with the record of their
errors."""

from __future__ import annotations

from typing import Any

import gevent

from genload.harness import locust_hooks
from genload.harness.process import LoadProcess
from genload.harness.request_event import RequestEvent
from genload.harness.users import REST_S, LoadUser


def take_users(environment: Any, process: LoadProcess) -> None:
    """From now on the users of this Locust process find `process`, which records their requests."""
    environment.genload = process
    process.event = RequestEvent(environment, process.recorder)
    _watch_code(environment, process)


def _watch_code(environment: Any, process: LoadProcess) -> None:
    """Report an exception in the code of users once, and not for each of thousands of users."""

    def blame(error: BaseException, user: Any) -> bool:
        if process.plan is None:
            return False
        process.blame(error)
        if isinstance(user, LoadUser):
            user.leave()
        return True

    def rest(exception: BaseException, **_: Any) -> None:
        # In the greenlet of the user, which would otherwise go on at once, and raise again.
        blame(exception, None)
        gevent.sleep(REST_S)

    locust_hooks.watch_code(environment, blame)
    environment.events.user_error.add_listener(rest)
