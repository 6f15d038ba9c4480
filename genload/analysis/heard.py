"""How the processes with users listened to the service, as series like those of monitors."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from genload.runlog.records import ClientHealth, Event, MonitorPlan, Sample, WorkerLost

NAME = "updates"
CONNECTIONS, MESSAGES = "service.websocket.connections", "service.websocket.messages"
_EVERY_S = 1.0  # at least so often one of them tells of itself


@dataclass
class Heard:
    """All processes together.

    Attributes:
        samples: one whenever a process has told of itself; none where no process listens.
    """

    samples: list[Sample] = field(default_factory=list)

    @classmethod
    def of(cls, events: Iterable[Event]) -> Heard:
        heard, open_now, came = cls(), dict[str, int](), dict[str, int]()
        for event in events:
            if isinstance(event, WorkerLost):
                open_now.pop(event.source, None)
            elif isinstance(event, ClientHealth) and event.connections is not None:
                open_now[event.source], came[event.source] = event.connections, event.messages
                values = {CONNECTIONS: float(sum(open_now.values())), MESSAGES: float(sum(came.values()))}
                heard.samples.append(Sample(t_s=event.t_s, monitor=NAME, values=values))
        return heard

    @property
    def plans(self) -> list[MonitorPlan]:
        if not self.samples:
            return []
        return [
            MonitorPlan(name=NAME, interval_s=_EVERY_S, metrics=[CONNECTIONS, MESSAGES], source="genload")
        ]
