"""How processes listened to the service, told by their own lines in the events."""

from __future__ import annotations

from genload.analysis.heard import CONNECTIONS, MESSAGES, Heard
from genload.analysis.series import SeriesStore
from genload.runlog.records import ClientHealth, Event, WorkerLost


def line(t_s: float, source: str, connections: int | None = None, messages: int = 0) -> Event:
    return ClientHealth(
        t_s=t_s,
        source=source,
        lags_ms=[],
        cpu=0.1,
        rss_bytes=1,
        connections=connections,
        messages=messages,
    )


def test_connections_and_messages_of_all_processes_add_up() -> None:
    heard = Heard.of(
        [
            line(1.0, "w0", 1, 4),
            line(1.1, "w1", 1, 5),
            line(2.0, "w0", 0, 6),
            line(2.1, "w1", 1, 9),
            WorkerLost(t_s=2.5, source="w1"),
            line(3.0, "w0", 1, 6),
        ]
    )
    store = SeriesStore(heard.samples, heard.plans, (0.5, 3.5))
    connections, messages = store.find(CONNECTIONS), store.find(MESSAGES)

    assert connections is not None and messages is not None
    assert connections.times_s.tolist() == [1.0, 1.1, 2.0, 2.1, 3.0]
    assert connections.values.tolist() == [1, 2, 1, 1, 1]  # a lost worker's are closed
    assert messages.values.tolist() == [4, 9, 11, 15, 15]  # what it has heard, it has heard


def test_processes_that_poll_have_no_such_series() -> None:
    heard = Heard.of([line(1.0, "local"), line(2.0, "local")])
    assert heard.samples == [] and heard.plans == []
