"""What the templates of one utterance may name."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any

import msgspec

from genload.described.values import Named
from genload.service import Utterance

_LONGEST_SEED = 2**31 - 1

OF_ALL = ("format", "is_pcm", "model", "speed", "speed.inverse")
"""What all utterances of a request have: the format by the service's own name and whether it is raw samples,
the model, the speed and 1 ÷ speed (how long it takes)."""

SENTENCE = "sentence"
"""The part of the text that one message of a WebSocket brings."""

UNNAMED = "default"
"""The voice of a service that is asked for none."""


class Spoken(Named, msgspec.Struct, eq=False):  # made in C: every request has one
    """The names of one utterance and their values.

    Attributes:
        of_all: the values of `OF_ALL`.
        request_id: of the request.
        sentence: the part of the text that the next message brings.
    """

    utterance: Utterance
    of_all: Mapping[str, Any]
    request_id: str
    sentence: str

    def __getitem__(self, name: str) -> Any:
        own = OWN_NAMES.get(name)
        return self.of_all[name] if own is None else own(self)


def _seed(values: Spoken) -> int:
    # Of the text itself: the same run again sends the same seeds.
    return zlib.crc32(values.utterance.text.encode()) & _LONGEST_SEED


OWN_NAMES: Mapping[str, Callable[[Spoken], Any]] = {
    "text": attrgetter("utterance.text"),
    "voice": attrgetter("utterance.voice"),
    "number": attrgetter("utterance.number"),
    "seed": _seed,
    "uuid": attrgetter("request_id"),
    SENTENCE: attrgetter("sentence"),
}
"""What every utterance has of its own."""
