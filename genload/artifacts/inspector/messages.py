"""What is said between the process that generates load and the one that looks into its outputs.

Each way a 4-byte length and a msgpack message. The files themselves lie in memory that both share, one
after the other, each at a multiple of `ALIGNMENT_BYTES`; those that are open files already are handed over
with the length, and so are files that are to be written.
"""

from __future__ import annotations

import struct
from typing import Any

import msgspec

from genload.artifacts.audio.facts import AudioFacts, RawSamples

LENGTH = struct.Struct("<I")
ALIGNMENT_BYTES = 64


class MeshTask(msgspec.Struct, tag="mesh", array_like=True):
    """Read a mesh: `genload.artifacts.mesh.reader.read_mesh`."""

    hint: str


class AudioTask(msgspec.Struct, tag="audio", array_like=True):
    """Decode audio, tell how much of it could be played when, or both.

    Attributes:
        form: what `genload.artifacts.audio.format.told_format` says of the file.
        raw: what samples without a header are.
        decode: whether to decode it; the arguments of `genload.artifacts.audio.reader.read_audio` follow.
        offsets: bytes after which the playable seconds are asked for; empty: not asked.
    """

    form: str
    raw: RawSamples
    decode: bool
    streamed: bool
    silent_below: float
    longest_s: float
    offsets: list[int]


class WordsTask(msgspec.Struct, tag="words", array_like=True):
    """Recognise the words of a sound answer: `genload.artifacts.words.hearing.heard`.

    Attributes:
        form, raw, streamed: as of an `AudioTask`.
        last_s: of the audio, in which digits are listened for; 0: not at all.
        text: what it should say, to be compared with a transcript; "": no transcript.
    """

    form: str
    raw: RawSamples
    streamed: bool
    last_s: float
    text: str


class PictureTask(msgspec.Struct, tag="picture", array_like=True):
    """Decode a picture: `genload.artifacts.picture.reader.read_picture`."""


class SplatsTask(msgspec.Struct, tag="splats", array_like=True):
    """Read splats: `genload.artifacts.splats.reader.read_splats`."""

    hint: str


class OwnTask(msgspec.Struct, tag="own", array_like=True):
    """Call a user's own check: `genload.artifacts.own.function.run_check`."""

    check: str
    name: str
    limit_s: float


class AnswerTask(msgspec.Struct, tag="answer", array_like=True):
    """Read JSON: `genload.artifacts.answer.reader.read_answer`. What is at the path `encoded`, if it is
    base64, is written to the file that comes with the task."""

    paths: list[str]
    encoded: str


class ZipTask(msgspec.Struct, tag="zip", array_like=True):
    """Unpack a member: `genload.artifacts.answer.archive.unpack`; into the file that comes with the task."""

    pattern: str
    max_bytes: int


Task = MeshTask | AudioTask | WordsTask | PictureTask | SplatsTask | OwnTask | AnswerTask | ZipTask


class Batch(msgspec.Struct, array_like=True):
    """Several tasks at once, in the order in which their files lie in shared memory.

    Attributes:
        memory: its descriptor.
        memory_bytes: how large it is now.
        places: of each task the size of its file in that memory; which of the files handed over it is instead
            (-1: none); and which of them is written (-1: none).
    """

    memory: int
    memory_bytes: int
    tasks: list[Task]
    places: list[tuple[int, int, int]]


class AudioFound(msgspec.Struct, array_like=True):
    """`facts` where it was decoded. `available_s` (one for each offset) and `duration_s` where that was asked
    for and can be said. `streams`: how many follow one another; of WAV and PCM 0, for they are not counted
    here. `cannot_inspect`: why it was not decoded though that was asked for."""

    facts: AudioFacts | None
    available_s: list[float] | None = None
    duration_s: float | None = None
    streams: int = 0
    cannot_inspect: str = ""


class WordsFound(msgspec.Struct, array_like=True):
    """`digits` that were heard, and the `word_error_rate` of the transcript, each where it was asked for."""

    digits: str | None = None
    word_error_rate: float | None = None


class Found(msgspec.Struct, tag="found", array_like=True):
    """What is in the file, as its kind of task has it."""

    facts: msgspec.Raw


class Refusal(msgspec.Struct, tag="refusal", array_like=True):
    error_class: str
    message: str
    numbers: dict[str, float] = {}  # what is known all the same


Reply = Found | Refusal

decode_batch = msgspec.msgpack.Decoder(Batch).decode
decode_replies = msgspec.msgpack.Decoder(list[Reply]).decode
_encode = msgspec.msgpack.Encoder().encode


def found(facts: Any) -> Found:
    """A reply with these."""
    return Found(msgspec.Raw(_encode(facts)))


def framed(message: Batch | list[Reply]) -> bytes:
    """A message with its length in front."""
    data = _encode(message)
    return LENGTH.pack(len(data)) + data


def place_after(place: int, size: int) -> int:
    """Where the file after one of this size begins."""
    return (place + size + ALIGNMENT_BYTES - 1) & -ALIGNMENT_BYTES
