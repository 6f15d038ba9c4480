"""One stream of an answer's audio, as it lies in the file: with headers of its own, in frames or pages.

A server that encodes sentence by sentence sends several, one after the other: a player goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from genload.artifacts.audio.facts import AudioError

MOST_STREAMS = 1000
"""More of them are nobody's answer, and each takes a moment to read."""


@dataclass(frozen=True, slots=True)
class Stream:
    """Attributes:
    codec: ``mp3``, ``flac``, ``aac``; in Ogg ``vorbis``, ``opus``, ``flac in ogg``, ``speex``, or ``ogg`` for
        another one.
    start, end: where it lies in the file, its tags with it.
    ends: bytes of the file after which there is more to play, rising.
    seconds: of this stream that can be played then; None where it does not say.
    frames: how many frames it has, of FLAC samples of a channel: for a decoder that must be told.
    cut: what is missing at its end; "" for nothing.
    """

    codec: str
    start: int
    end: int
    ends: Sequence[int]
    seconds: Sequence[float] | None
    frames: int = 0
    cut: str = ""


def check_number(count: int) -> None:
    """Raises AudioError, bad_audio: there are more streams than an answer has."""
    if count > MOST_STREAMS:
        raise AudioError("bad_audio", f"more than {MOST_STREAMS} streams one after the other")
