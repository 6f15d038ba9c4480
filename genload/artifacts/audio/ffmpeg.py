"""Audio that libsndfile does not decode: FFmpeg does, where PyAV brings it (``genload[audio]``)."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from genload.artifacts.audio.facts import AudioError
from genload.artifacts.audio.meter import Floats
from genload.errors import CANNOT_INSPECT

_CONTAINERS = {"aac": "aac", "speex": "ogg"}  # as FFmpeg calls them
_NAMES = {"aac": "AAC", "speex": "Speex"}


def decoded(content: bytes, codec: str) -> Iterator[tuple[int, int, Floats]]:
    """(rate, channels, the next samples: all channels interleaved, full scale at 1), piece by piece.

    Raises:
        AudioError: cannot_inspect, without PyAV; bad_audio.
    """
    try:
        import av
    except ImportError:
        remedy = "to have it decoded: pip install 'genload[audio]'"
        raise AudioError(CANNOT_INSPECT, f"{_NAMES[codec]}, which nothing here decodes; {remedy}") from None
    try:
        with av.open(io.BytesIO(content), format=_CONTAINERS[codec]) as file:
            yield from _pieces(file, av.AudioResampler)
    except (av.FFmpegError, IndexError) as error:
        # Not all of its words: they name addresses.
        why = getattr(error, "strerror", None) or "no audio in it"
        raise AudioError("bad_audio", f"FFmpeg cannot decode it: {why}") from error


def _pieces(file: Any, new_converter: Any) -> Iterator[tuple[int, int, Floats]]:
    stream = file.streams.audio[0]
    stream.thread_type, stream.thread_count = "NONE", 1
    converter: Any = None
    shape: tuple[str, str, int] | None = None
    for frame in file.decode(stream):
        found = frame.format.name, frame.layout.name, frame.sample_rate
        if found != shape:  # a converter takes frames of one shape
            converter, shape = new_converter(format="flt"), found
        for packed in converter.resample(frame):
            yield packed.sample_rate, packed.layout.nb_channels, packed.to_ndarray().reshape(-1)
