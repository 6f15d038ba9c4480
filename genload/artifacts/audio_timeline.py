"""How many seconds of an answer's audio can be played once so many of its bytes have come.

Headers are no audio; a frame or page counts when its last byte is there. Where a format does not say,
there is no timeline: not applicable, never a guess. Of WAV and raw PCM it is arithmetic: see `WavLayout`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from genload.artifacts.flac_layout import flac_layout
from genload.artifacts.mp3_layout import mp3_layout
from genload.artifacts.ogg_layout import ogg_layout


@dataclass(frozen=True, slots=True)
class FrameTimeline:
    """When frames or pages are whole.

    Attributes:
        ends: bytes after which there is more to play, rising.
        seconds: what can be played then.
        cut: what is missing at the end of the file; "" for nothing.
    """

    ends: Sequence[int]
    seconds: Sequence[float]
    cut: str

    @property
    def duration_s(self) -> float:
        """Of all there is."""
        return self.seconds[-1] if self.seconds else 0.0

    def available_s(self, offsets: Sequence[int]) -> list[float]:
        """Seconds of audio in the first so many bytes, for each number of bytes."""
        steps = [0.0, *self.seconds]
        return [steps[bisect_right(self.ends, offset)] for offset in offsets]


def frame_timeline(content: bytes, form: str) -> FrameTimeline | None:
    """Of a file in ``mp3``, ``flac``, ``ogg`` or ``opus``; None where it does not say.

    What a decoder drops at the beginning and end (the delay and padding of MP3 where a tag names them, the
    pre-skip of Opus) is no audio. Long pure Python: for the inspector's process, not for an event loop.

    Raises:
        AudioError: truncated before any audio, or bad_audio.
    """
    if form == "mp3":
        return _mp3_timeline(content)
    if form == "flac":
        flac = flac_layout(content)
        if flac is None:
            return None
        done = [samples / flac.rate_hz for samples in accumulate(flac.samples)]
        return FrameTimeline(flac.ends, done, flac.cut)
    ogg = ogg_layout(content)
    return None if ogg is None else FrameTimeline(ogg.ends, ogg.seconds, ogg.cut)


def _mp3_timeline(content: bytes) -> FrameTimeline | None:
    mp3 = mp3_layout(content)
    if mp3 is None:
        return None
    last = sum(mp3.samples) - mp3.skipped - mp3.padding
    done = [max(min(done - mp3.skipped, last), 0) / mp3.rate_hz for done in accumulate(mp3.samples)]
    return FrameTimeline(mp3.ends, done, mp3.cut)
