"""What a speech testbed is told when it starts."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from ..options import WhenFull
from .faults import SpeechFaults


class Api(StrEnum):
    """Whose API is spoken."""

    LITETTS = "litetts"
    KOKORO = "kokoro"  # Kokoro-FastAPI
    OPENAI = "openai"  # the OpenAI API itself
    VLLM = "vllm"  # vLLM-Omni, streaming raw PCM


class EngineName(StrEnum):
    """What makes the audio."""

    HIBARI = "hibari"  # real speech
    TONE = "tone"  # a sine, on an exact schedule


class Stream(StrEnum):
    """How an answer is sent, whatever is asked for."""

    RAW = "raw"  # audio as it is spoken
    SSE = "sse"  # inside of server-sent events
    WHOLE = "whole"  # once all of it is spoken
    WEBSOCKET = "websocket"  # as it is asked for, and over a WebSocket, too


@dataclass(frozen=True, slots=True)
class SpeechOptions:
    """Seconds are real ones."""

    api: Api
    engine: EngineName = EngineName.HIBARI
    stream: Stream | None = None  # None: as it is asked for, in the API's way
    port: int = 5000  # 0: any free one
    seed: int = 0
    truth: Path | None = None
    slots: int = 0  # requests that are spoken at once; 0: no limit
    when_full: WhenFull = WhenFull.QUEUE
    rate_limit_per_min: int = 0  # requests a client address may send; 0: no limit
    token: str = ""  # that clients must bear; "": none
    head_of_line: bool = False  # speaking stops the whole service
    scrape_stall_s: float = 0.0  # for how long each scrape of /metrics stops it
    chunk_s: float = 0.02  # audio a write
    pace_s: float = 0.0  # between the writes of an answer; 0: as soon as there is audio
    work_s: float = 0.0  # CPU time before each write of a stream: that of a model which speaks as it is heard
    first_chunk_s: float = 0.0  # from the request to the first write of audio, at the earliest
    gpu: Path | None = None  # what it is shared by: a file (`testbed.board`); None: nobody else uses it
    slowed_by: float = 0.0  # by how much each job that runs there delays the first audio, ÷ first_chunk_s
    per_character_s: float = 0.06  # tone: audio by the text's length …
    audio_s: float = 0.0  # … unless it is always this long
    faults: SpeechFaults = field(default_factory=SpeechFaults)
