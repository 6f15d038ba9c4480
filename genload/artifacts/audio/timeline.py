"""How many seconds of an answer's audio can be played once so many of its bytes have come.

Headers are no audio; a frame or page counts when its last byte is there. Where a format does not say,
there is no timeline: not applicable, never a guess. Of WAV and raw PCM it is arithmetic: see `WavLayout`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from genload.artifacts.audio.aac_layout import aac_streams
from genload.artifacts.audio.flac_layout import flac_streams
from genload.artifacts.audio.mp3_layout import mp3_streams
from genload.artifacts.audio.ogg_layout import ogg_streams
from genload.artifacts.audio.stream import Stream

_LAYOUTS: dict[str, Callable[[bytes], list[Stream]]] = {
    "aac": aac_streams,
    "flac": flac_streams,
    "mp3": mp3_streams,
    "ogg": ogg_streams,
    "opus": ogg_streams,
}


@dataclass(frozen=True, slots=True)
class FrameTimeline:
    """When frames or pages are whole.

    Attributes:
        ends: bytes after which there is more to play, rising.
        seconds: what can be played then, of all streams so far.
    """

    ends: Sequence[int]
    seconds: Sequence[float]

    @property
    def duration_s(self) -> float:
        """Of all there is."""
        return self.seconds[-1] if self.seconds else 0.0

    def available_s(self, offsets: Sequence[int]) -> list[float]:
        """Seconds of audio in the first so many bytes, for each number of bytes."""
        steps = [0.0, *self.seconds]
        return [steps[bisect_right(self.ends, offset)] for offset in offsets]


def audio_streams(content: bytes, form: str) -> list[Stream]:
    """The streams of a file in ``mp3``, ``flac``, ``ogg``, ``opus`` or ``aac``: at least one.

    Long pure Python: for the inspector's process, not for an event loop.

    Raises:
        AudioError: truncated before any audio, or bad_audio.
    """
    return _LAYOUTS[form](content)


def frame_timeline(streams: Sequence[Stream]) -> FrameTimeline | None:
    """Of streams that are played one after the other; None where one of them does not say.

    What a decoder drops at the beginning and end (the delay and padding of MP3 where a tag names them, the
    pre-skip of Opus) is no audio.
    """
    ends: list[int] = []
    seconds: list[float] = []
    for stream in streams:
        if stream.seconds is None:
            return None
        before_s = seconds[-1] if seconds else 0.0
        ends += stream.ends
        seconds += [before_s + done_s for done_s in stream.seconds] if before_s else stream.seconds
    return FrameTimeline(ends, seconds)
