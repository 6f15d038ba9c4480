"""A locustfile: speech users who make one request each, and from then on only say that they made it again.

So a worker hands over as many records a second as REPEATED_PER_S asks of each of its users, and needs a
hundredth of a core for a thousand of them. All else is as it is: gate, event, recorder, report.
"""

from __future__ import annotations

import os
import time

import gevent
import msgspec
from locust import task

from genload.identifiers import new_identifier
from genload.runlog.records import RequestRecord
from locustfiles import speech as whole

AT_ONCE = 10
EVERY_S = AT_ONCE / float(os.environ["REPEATED_PER_S"])


class Repeated(whole.Speech):
    """Its one request is the pattern of the others."""

    real: RequestRecord | None = None
    due_s = 0.0

    def _fire(self, record: RequestRecord) -> None:
        super()._fire(record)
        self.real, self.due_s = record, time.monotonic()

    @task
    def say_again(self) -> None:
        if self.real is None:
            self.say()
            return
        with self.turn() as turn:
            for _ in range(AT_ONCE):
                start_s = self.load.recorder.since_start(time.monotonic()) - self.real.duration_s
                again = msgspec.structs.replace(
                    self.real, request_id=new_identifier(), phase=turn.phase, start_s=start_s
                )
                super()._fire(again)
        now_s = time.monotonic()
        self.due_s = max(self.due_s + EVERY_S, now_s)  # what a pause has held up is not made up for
        gevent.sleep(self.due_s - now_s)


Repeated.tasks = [Repeated.say_again]
