"""Every finished request becomes one numbered record, whoever made it.

The recorder listens to Locust's own `request` event: our users put a ready record into its context, and
whatever else fires the event (an `HttpUser` in somebody's locustfile) is recorded from its arguments.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from genload.runlog.records import RequestRecord

CONTEXT_KEY = "genload"
BLOCK = 256
"""So many records are handed on at once, at most."""


class Recorder:
    """Numbers the records of one process, and hands them on to `sink` many at a time. One that failed, or is
    of the warm-up, may decide how the run goes on: it goes at once, with all before it. Whoever looks at what
    came of them calls `hand_on` first.

    Args:
        sink: takes finished records, in their order: the run, or on a worker the sender.
        clock: monotonic seconds.
    """

    def __init__(
        self, sink: Callable[[Sequence[RequestRecord]], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._sink = sink
        self._clock = clock
        self.reset("local", 0.0)

    def reset(self, source: str, t0_s: float) -> None:
        """A new run: numbers begin at 0 again. `t0_s` is when it began, on this process's clock."""
        self.source, self.t0_s, self.count = source, t0_s, 0
        self.current_phase = ""
        self._new: list[RequestRecord] = []  # that are not handed on yet

    def since_start(self, monotonic_s: float) -> float:
        """Seconds since the run began."""
        return monotonic_s - self.t0_s

    def on_request(
        self,
        request_type: str,
        name: str,
        response_time: float | None,
        response_length: int | None,
        exception: BaseException | None = None,
        context: Mapping[str, Any] | None = None,
        start_time: float | None = None,
        response: Any = None,
        **_: Any,
    ) -> None:
        """Listener for `events.request`."""
        record = (context or {}).get(CONTEXT_KEY)
        if not isinstance(record, RequestRecord):
            duration_s = _number(response_time) / 1e3
            record = RequestRecord(
                source=self.source,
                n=0,
                name=str(name),
                type=str(request_type),
                phase=self.current_phase,
                start_s=self.since_start(self._clock() - duration_s),
                duration_s=duration_s,
                outcome="failed" if exception else "ok",
                error_class=type(exception).__name__ if exception else "",
                error=str(exception) if exception else "",
                status=int(_number(getattr(response, "status_code", 0))),
                bytes_received=int(_number(response_length)),
            )
        self.add(record)

    def add(self, record: RequestRecord) -> None:
        """Number a record, which is not changed any more."""
        record.source, record.n = self.source, self.count
        self.count = count = record.n + 1
        self._new.append(record)
        if record.outcome != "ok" or record.warmup or not count % BLOCK:
            self.hand_on()

    def hand_on(self) -> None:
        """Those that wait."""
        if self._new:
            new, self._new = self._new, []
            self._sink(new)


def _number(value: Any) -> float:
    """What a client of somebody else's reports as a number, 0 for anything that is none: its record can
    be written, and read back."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return 0.0
    return number if math.isfinite(number) else 0.0
