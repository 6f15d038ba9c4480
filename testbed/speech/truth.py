"""The truth of one speech request: what was asked, and when exactly which bytes of the answer were sent."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from .encoding import WAV_HEADER_BYTES, Format
from .wire import Answer

_FRAME_S = 0.02  # the least audio that counts as some


@dataclass(slots=True)
class SpeechTruth:
    """One row of the truth log. Times are `time.monotonic_ns()` of the host."""

    request_id: str
    path: str
    received_ns: int
    fault: str = ""
    voice: str = ""
    format: str = ""
    speed: float = 1.0
    characters: int = 0
    spoken: str = ""  # instead of the text that was asked for
    streamed: bool = False
    events: bool = False
    cache: str = ""  # hit, miss; "": there is none
    outcome: str = "unfinished"  # completed, refused, failed, broken (on purpose), client_gone
    cold_ns: int = 0  # how much longer it took because nothing was asked for before
    gpu_jobs: int = 0  # that ran on the same GPU when it came
    slowed_ns: int = 0  # how much longer it took for them
    first_due_ns: int = 0  # when the first write of audio was due; 0: no schedule
    audio_s: float = 0.0  # sent; 0 from the cache
    late_max_s: float = 0.0  # how late the latest write of audio was against its schedule

    @property
    def held_back_ns(self) -> int:
        """By how much its first audio comes later than it otherwise would."""
        return self.cold_ns + self.slowed_ns

    def row(self, answer: Answer, rate_hz: int) -> dict[str, Any]:
        """As it is logged: seconds, and nanoseconds since `received_ns`.

        Args:
            rate_hz: of the audio.
        """
        start_ns, stamps_ns = self.received_ns, answer.stamps_ns
        return {
            "request_id": self.request_id,
            "path": self.path,
            "fault": self.fault,
            "voice": self.voice,
            "format": self.format,
            "speed": self.speed,
            "characters": self.characters,
            "spoken": self.spoken,
            "streamed": self.streamed,
            "events": self.events,
            "cache": self.cache,
            "status": answer.status,
            "outcome": self.outcome,
            "received_ns": start_ns,
            "received_s": start_ns / 1e9,
            "cold_s": self.cold_ns / 1e9,
            "gpu_jobs": self.gpu_jobs,
            "slowed_s": self.slowed_ns / 1e9,
            "first_due_s": _seconds(self.first_due_ns),
            "first_byte_s": _seconds(stamps_ns[0] if stamps_ns else 0),
            "first_audio_s": _seconds(self._first_audio_ns(answer, rate_hz)),
            "end_s": _seconds(answer.last_ns),
            "audio_s": self.audio_s,
            "late_max_s": self.late_max_s,
            "body_bytes": sum(answer.sizes),
            "chunk_ns": [stamp_ns - start_ns for stamp_ns in stamps_ns],
            "chunk_bytes": answer.sizes.tolist(),
        }

    def _first_audio_ns(self, answer: Answer, rate_hz: int) -> int:
        """Just before the write with which 20 ms of audio, or all of a shorter one, were sent. 0: none, or a
        format whose audio cannot be told from its other bytes, unless all came at once."""
        stamps_ns = answer.stamps_ns
        if not stamps_ns or not (self.audio_s or self.cache == "hit"):
            return 0
        header_bytes = {Format.WAV: WAV_HEADER_BYTES, Format.PCM: 0}.get(Format(self.format))
        if header_bytes is None:
            return stamps_ns[0] if len(stamps_ns) == 1 else 0
        enough = min(sum(answer.sizes), header_bytes + 2 * round(_FRAME_S * rate_hz))
        by_then = accumulate(answer.sizes)
        return next(stamp_ns for stamp_ns, sent in zip(stamps_ns, by_then, strict=False) if sent >= enough)


def _seconds(stamp_ns: int) -> float | None:
    return stamp_ns / 1e9 if stamp_ns else None
