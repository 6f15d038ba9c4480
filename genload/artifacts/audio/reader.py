"""Decoding an answer's audio and saying what it is. Knows nothing of judging: `listener` does that.

Runs in the inspector's process: what generates load asks that one. Plain samples are read by `samples`,
everything else by libsndfile or FFmpeg's libraries; always in blocks, so that what is small as a file and
hours long as audio ends in an error and not in memory.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import soundfile

from genload.artifacts.audio.facts import LONGEST_S, AudioError, AudioFacts, RawSamples
from genload.artifacts.audio.ffmpeg import decoded
from genload.artifacts.audio.flac_layout import flac_with_length
from genload.artifacts.audio.meter import Floats, Meter
from genload.artifacts.audio.mp3_layout import mp3_with_length
from genload.artifacts.audio.ogg_layout import flac_of_ogg
from genload.artifacts.audio.samples import FULL_SCALE_16, Ear, File, are_plain, what_overflows_is_told
from genload.artifacts.audio.stream import Stream
from genload.artifacts.audio.timeline import audio_streams
from genload.artifacts.audio.wav_layout import (
    ALAW,
    FLOAT,
    MULAW,
    PCM,
    WavLayout,
    check_no_header_inside,
    raw_layout,
    wav_layouts,
)
from genload.errors import CANNOT_INSPECT

_READ_BLOCKS = 16  # 16 MiB: nearly always all of it, for soundfile seeks after every read
_USUAL_RAW = RawSamples()
_RAW_SUBTYPES = {  # what libsndfile calls WAV's encodings, by (encoding, bits)
    (PCM, 8): "PCM_U8",
    (PCM, 24): "PCM_24",
    (PCM, 32): "PCM_32",
    (FLOAT, 64): "DOUBLE",
    (ALAW, 8): "ALAW",
    (MULAW, 8): "ULAW",
}
_FULL_SCALE = {"PCM_U8": 127 / 128, "ALAW": 32256 / 32768, "ULAW": 32124 / 32768}
_WAV_CODECS = {  # that nothing here decodes, by their numbers in the registry
    0x0042: "G.723.1",
    0x0045: "G.726",
    0x0083: "G.729",
    0x00FF: "AAC",
    0x0160: "Windows Media Audio",
    0x0161: "Windows Media Audio",
    0x1600: "AAC",
    0x704F: "Opus",
    0xF1AC: "FLAC",
}
_FRAMED: dict[str, Callable[[bytes, int], bytes]] = {  # (stream, its frames or samples) for libsndfile
    "mp3": mp3_with_length,
    "flac": flac_with_length,
    "flac in ogg": lambda stream, _: _flac_with_length(flac_of_ogg(stream)),
}
_BY_FFMPEG = ("aac", "speex")


def read_audio(
    content: File,
    form: str,
    *,
    streams: Sequence[Stream] | None = None,
    raw: RawSamples = _USUAL_RAW,
    streamed: bool = False,
    silent_below: float = 0.001,
    longest_s: float = LONGEST_S,
) -> AudioFacts:
    """What the audio is: that of all its streams, one after the other.

    Args:
        form: the format that the bytes are in, as `genload.artifacts.audio.format.told_format` says.
        streams: of a file in frames or pages, as `audio_streams` has them; None: they are looked for.
        raw: what samples without a header are; for ``pcm`` only.
        streamed: a WAV's header may state any length.
        silent_below: RMS of a frame under which it is silent.
        longest_s: decode no further; `LONGEST_S` at most.

    A file in frames that was cut off may decode as far as it goes: that it was, its `Stream` tells.

    Raises:
        AudioError: whatever it is that the bytes are not; see there.
    """
    ear = Ear(silent_below, longest_s)
    hear(ear, content, form, streams=streams, raw=raw, streamed=streamed)
    return ear.facts(content, form)


def hear(
    ear: Ear,
    content: File,
    form: str,
    *,
    streams: Sequence[Stream] | None = None,
    raw: RawSamples = _USUAL_RAW,
    streamed: bool = False,
) -> None:
    """Feed all of a file's audio to an ear; arguments and errors are those of `read_audio`."""
    if form == "pcm":
        _hear_samples(ear, content, raw_layout(len(content), raw))
    elif form == "wav":
        for layout in wav_layouts(content, streamed=streamed, search=False):
            _hear_samples(ear, content, layout)
    else:
        file = bytes(content)
        for stream in audio_streams(file, form) if streams is None else streams:
            _hear_stream(ear, file, stream)


def _hear_samples(ear: Ear, content: File, layout: WavLayout) -> None:
    """Samples that lie in the file as they are, all of one size; or packed, for libsndfile to find."""
    if are_plain(layout):
        ear.hear_plain(content, layout)
        return
    check_no_header_inside(content, layout)
    subtype = _RAW_SUBTYPES.get((layout.encoding, layout.bits))
    if subtype is None:
        _hear_packed(ear, memoryview(content)[layout.start : layout.end], layout.encoding)
        return
    data = memoryview(content)[layout.data_start : layout.data_start + layout.data_bytes]
    shape = {"samplerate": layout.rate_hz, "channels": layout.channels}
    _hear_file(ear, data, {"format": "RAW", "subtype": subtype, "endian": "LITTLE", **shape})


def _hear_packed(ear: Ear, file: File, encoding: int) -> None:
    """A WAV of samples that do not all take the same number of bytes."""
    if encoding in _WAV_CODECS:
        raise AudioError(CANNOT_INSPECT, f"{_WAV_CODECS[encoding]} in WAV, which nothing here decodes")
    _hear_file(ear, file, {})


def _hear_stream(ear: Ear, file: bytes, stream: Stream) -> None:
    """One stream of a file in frames or pages."""
    content = file if (stream.start, stream.end) == (0, len(file)) else file[stream.start : stream.end]
    if stream.codec in _BY_FFMPEG:
        _hear_pieces(ear, content, stream.codec)
        return
    prepared = _FRAMED.get(stream.codec)
    _hear_file(ear, content if prepared is None else prepared(content, stream.frames), {})


def _flac_with_length(content: bytes) -> bytes:
    """A file of FLAC that may not state its length."""
    return flac_with_length(content, sum(stream.frames for stream in audio_streams(content, "flac")))


def _hear_file(ear: Ear, file: File, told: Mapping[str, Any]) -> None:
    """What libsndfile decodes; `told` is what it cannot see by itself."""
    try:
        with what_overflows_is_told(), soundfile.SoundFile(io.BytesIO(file), **told) as sound:
            full = _FULL_SCALE.get(sound.subtype, FULL_SCALE_16)
            meter = ear.begin(sound.samplerate, sound.channels, clipped_from=full)
            frames = _READ_BLOCKS * meter.block // sound.channels
            left = sound.frames  # no read goes further, and one more that finds nothing seeks all the same
            while left > 0 and len(block := sound.read(frames, dtype="float32", always_2d=True)):
                left -= len(block)
                meter.feed(block.reshape(-1))
                ear.check_length()
    except (soundfile.SoundFileError, RuntimeError, ValueError, TypeError) as error:
        # Not all of its words: they name the address of the file in memory.
        why = getattr(error, "error_string", error)
        raise AudioError("bad_audio", f"libsndfile cannot decode it: {why}") from error


def _hear_pieces(ear: Ear, content: bytes, codec: str) -> None:
    """What FFmpeg's libraries decode: small pieces, which are put together for the meter."""
    meter: Meter | None = None
    kept: list[Floats] = []
    size = 0
    with what_overflows_is_told():
        for rate_hz, channels, samples in decoded(content, codec):
            if meter is None or meter.shape != (rate_hz, channels):
                meter = ear.begin(rate_hz, channels)
            kept.append(samples)
            size += len(samples)
            if size >= meter.block:
                joined = np.concatenate(kept)
                whole = size - size % meter.block
                meter.feed(joined[:whole])
                ear.check_length()
                kept, size = [joined[whole:]], size - whole
        if meter is not None:
            meter.feed(np.concatenate(kept))
            ear.check_length()
