"""Users of this process: how they find what they share, and what becomes of what their code raises."""

from __future__ import annotations

from typing import Any

import gevent

from genload.harness import locust_hooks
from genload.harness.process import LoadProcess
from genload.harness.users import REST_S, LoadUser


def take_users(environment: Any, process: LoadProcess) -> None:
    """Let the users of Locust's environment run in `process`, which records what they do."""
    environment.genload = process
    locust_hooks.record_first(environment, process.recorder.on_request)
    _watch_code(environment, process)


def _watch_code(environment: Any, process: LoadProcess) -> None:
    """Whatever the code of users raises in this process is told once, and not in thousands of lines."""

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
