"""A locustfile: the speech user as it is, whose streams are written down as STREAMS_OUT says."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import gevent
from gevent import getcurrent
from locust import events
from parts.listened import Row, stamp_sends, write_down

from genload.client.connection import Connection
from genload.extensions import attribute
from genload.service import Speech, Utterance
from locustfiles.speech import Speech as Streamed  # noqa: F401  Locust finds it here

rows: list[Row] = []
client: Any = attribute("services", "speech", "Client")
speak = client.speak


def spoken(self: Any, utterance: Utterance) -> Speech:
    speech: Speech = speak(self, utterance)
    true_sent_s = getcurrent().true_sent_s
    rows.append((self.request_id, speech.sent_s, true_sent_s, speech.end_s, list(speech.arrivals)))
    return speech


client.speak = spoken
stamp_sends(Connection, "send")


@events.test_start.add_listener
def begin(environment: Any, **_: Any) -> None:
    times = {
        name: float(os.environ[f"STREAMS_{name.upper()}"]) for name in ("warm_up_s", "seconds", "audio_s")
    }
    gevent.spawn(write_down, rows, environment.stats, Path(os.environ["STREAMS_OUT"]), **times)
