"""What is said between the process that generates load and the one that looks into its outputs.

Each way a 4-byte length and a msgpack message. The files themselves lie in memory that both share, one
after the other, each at a multiple of `ALIGNMENT_BYTES`.
"""

from __future__ import annotations

import struct

import msgspec

from genload.artifacts.audio.facts import AudioFacts, RawSamples
from genload.artifacts.mesh.facts import MeshFacts
from genload.artifacts.picture.facts import PictureFacts
from genload.artifacts.splats.facts import SplatsFacts

LENGTH = struct.Struct("<I")
ALIGNMENT_BYTES = 64


class MeshTask(msgspec.Struct, tag="mesh", array_like=True):
    """Read a mesh: `genload.artifacts.mesh.reader.read_mesh`."""

    size: int  # of the file
    hint: str


class AudioTask(msgspec.Struct, tag="audio", array_like=True):
    """Decode audio, tell how much of it could be played when, or both.

    Attributes:
        form: what `genload.artifacts.audio.format.told_format` says of the file.
        raw: what samples without a header are.
        decode: whether to decode it; the arguments of `genload.artifacts.audio.reader.read_audio` follow.
        offsets: bytes after which the playable seconds are asked for; empty: not asked.
    """

    size: int
    form: str
    raw: RawSamples
    decode: bool
    streamed: bool
    silent_below: float
    longest_s: float
    offsets: list[int]


class PictureTask(msgspec.Struct, tag="picture", array_like=True):
    """Decode a picture: `genload.artifacts.picture.reader.read_picture`."""

    size: int


class SplatsTask(msgspec.Struct, tag="splats", array_like=True):
    """Read splats: `genload.artifacts.splats.reader.read_splats`."""

    size: int
    hint: str


class OwnTask(msgspec.Struct, tag="own", array_like=True):
    """Call a user's own check: `genload.artifacts.own.function.run_check`."""

    size: int
    check: str
    name: str
    limit_s: float


class Batch(msgspec.Struct, array_like=True):
    """Several tasks at once, in the order in which their files lie in shared memory."""

    memory: int  # its descriptor
    memory_bytes: int  # how large it is now
    tasks: list[MeshTask | AudioTask | PictureTask | SplatsTask | OwnTask]


class MeshFound(msgspec.Struct, tag="mesh", array_like=True):
    facts: MeshFacts


class PictureFound(msgspec.Struct, tag="picture", array_like=True):
    facts: PictureFacts


class SplatsFound(msgspec.Struct, tag="splats", array_like=True):
    facts: SplatsFacts


class OwnFound(msgspec.Struct, tag="own", array_like=True):
    numbers: dict[str, float]


class AudioFound(msgspec.Struct, tag="audio", array_like=True):
    """`facts` where it was decoded. `available_s` (one for each offset) and `duration_s` where that was asked
    for and can be said. `streams`: how many follow one another; of WAV and PCM 0, for they are not counted
    here. `cannot_inspect`: why it was not decoded though that was asked for."""

    facts: AudioFacts | None
    available_s: list[float] | None = None
    duration_s: float | None = None
    streams: int = 0
    cannot_inspect: str = ""


class Refusal(msgspec.Struct, tag="refusal", array_like=True):
    error_class: str
    message: str
    numbers: dict[str, float] = {}  # what is known all the same


Task = MeshTask | AudioTask | PictureTask | SplatsTask | OwnTask
Reply = MeshFound | AudioFound | PictureFound | SplatsFound | OwnFound | Refusal

decode_batch = msgspec.msgpack.Decoder(Batch).decode
decode_replies = msgspec.msgpack.Decoder(list[Reply]).decode
_encode = msgspec.msgpack.Encoder().encode


def framed(message: Batch | list[Reply]) -> bytes:
    """A message with its length in front."""
    data = _encode(message)
    return LENGTH.pack(len(data)) + data


def place_after(place: int, size: int) -> int:
    """Where the file after one of this size begins."""
    return (place + size + ALIGNMENT_BYTES - 1) & -ALIGNMENT_BYTES
