"""Decoding an answer's audio and saying what it is. Knows nothing of judging: `listener` does that.

Runs in the inspector's process: what generates load asks that one. WAV and raw PCM of 16 bits, and floats,
are read by numpy, everything else by libsndfile or FFmpeg's libraries; always in blocks, so that what is
small as a file and hours long as audio ends in an error and not in memory.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import soundfile
from xxhash import xxh3_128_digest

from genload.artifacts.audio.facts import LONGEST_S, AudioError, AudioFacts, RawSamples
from genload.artifacts.audio.ffmpeg import decoded
from genload.artifacts.audio.flac_layout import flac_with_length
from genload.artifacts.audio.meter import Floats, Meter, facts_of
from genload.artifacts.audio.mp3_layout import mp3_with_length
from genload.artifacts.audio.ogg_layout import flac_of_ogg
from genload.artifacts.audio.stream import Stream
from genload.artifacts.audio.timeline import audio_streams
from genload.artifacts.audio.wav_layout import (
    ALAW,
    FLOAT,
    HEADER_PEAK,
    MULAW,
    PCM,
    WavLayout,
    check_no_header_inside,
    raw_layout,
    wav_layouts,
)
from genload.errors import CANNOT_INSPECT
from genload.human import human

File = bytes | memoryview

_READ_BLOCKS = 16  # 16 MiB: nearly always all of it, for soundfile seeks after every read
_MOST_CHANNELS = 8
_MOST_HZ = 768_000
_FULL_SCALE_16 = 32767 / 32768
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
_NUMPY_TYPES = {(PCM, 16): ("<i2", 32768.0), (FLOAT, 32): ("<f4", 1.0)}
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
    ear = _Ear(silent_below, longest_s)
    if form == "pcm":
        _hear_samples(ear, content, raw_layout(len(content), raw))
    elif form == "wav":
        for layout in wav_layouts(content, streamed=streamed, search=False):
            _hear_samples(ear, content, layout)
    else:
        file = bytes(content)
        for stream in audio_streams(file, form) if streams is None else streams:
            _hear_stream(ear, file, stream)
    facts = facts_of(ear.meters, form, xxh3_128_digest(content))
    if facts is None:
        raise AudioError("empty_audio", "there are headers, and not a single sample")
    return facts


class _Ear:
    """Meters of the streams of one file."""

    __slots__ = ("_most_s", "_silent_below", "meters")

    def __init__(self, silent_below: float, longest_s: float) -> None:
        self._silent_below, self._most_s = silent_below, min(longest_s, LONGEST_S)
        self.meters: list[Meter] = []

    @property
    def duration_s(self) -> float:
        """Of what was heard."""
        return sum([meter.duration_s for meter in self.meters])

    def begin(
        self, rate_hz: int, channels: int, full_scale: float = 1.0, clipped_from: float = _FULL_SCALE_16
    ) -> Meter:
        """The meter of the next stream.

        Raises:
            AudioError: bad_audio; wrong_rate or wrong_channels, if they are not those of the first stream.
        """
        if channels > _MOST_CHANNELS or rate_hz > _MOST_HZ:
            raise AudioError("bad_audio", f"{channels} channels at {rate_hz} Hz: nobody speaks like that")
        if self.meters:
            first_hz, first_channels = self.meters[0].shape
            if rate_hz != first_hz:
                raise AudioError("wrong_rate", f"its streams differ: {first_hz} and {rate_hz} Hz")
            if channels != first_channels:
                raise AudioError(
                    "wrong_channels", f"its streams differ: {first_channels} and {channels} channels"
                )
        meter = Meter(rate_hz, channels, self._silent_below, full_scale, clipped_from)
        self.meters.append(meter)
        return meter

    def check_length(self, more_s: float = 0.0) -> None:
        """Raises AudioError, implausible_audio: there is more of it than anyone wants."""
        heard_s = self.duration_s if self.meters else 0.0
        if heard_s + more_s > self._most_s:
            raise AudioError("implausible_audio", f"more than {human(self._most_s, 's')} of audio")


def _hear_samples(ear: _Ear, content: File, layout: WavLayout) -> None:
    """Samples that lie in the file as they are, all of one size; or packed, for libsndfile to find."""
    kind = layout.encoding, layout.bits
    if kind in _NUMPY_TYPES:
        word, full_scale = _NUMPY_TYPES[kind]
        ear.check_length(layout.duration_s)
        meter = ear.begin(layout.rate_hz, layout.channels, full_scale)
        count = layout.data_bytes * 8 // layout.bits
        samples = np.frombuffer(content, word, count, layout.data_start)
        if layout.encoding == FLOAT:
            check_no_header_inside(content, layout)  # before its letters count as numbers out of all bounds
            with _what_overflows_is_told():
                meter.feed(samples)
        else:
            meter.feed(samples)
            if meter.peak >= HEADER_PEAK:  # most answers are not: a fifth of their time is not spent
                check_no_header_inside(content, layout)
        return
    check_no_header_inside(content, layout)
    subtype = _RAW_SUBTYPES.get(kind)
    if subtype is None:
        _hear_packed(ear, memoryview(content)[layout.start : layout.end], layout.encoding)
        return
    data = memoryview(content)[layout.data_start : layout.data_start + layout.data_bytes]
    shape = {"samplerate": layout.rate_hz, "channels": layout.channels}
    _hear_file(ear, data, {"format": "RAW", "subtype": subtype, "endian": "LITTLE", **shape})


def _hear_packed(ear: _Ear, file: File, encoding: int) -> None:
    """A WAV of samples that do not all take the same number of bytes."""
    if encoding in _WAV_CODECS:
        raise AudioError(CANNOT_INSPECT, f"{_WAV_CODECS[encoding]} in WAV, which nothing here decodes")
    _hear_file(ear, file, {})


def _hear_stream(ear: _Ear, file: bytes, stream: Stream) -> None:
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


def _what_overflows_is_told() -> np.errstate:
    """As what it is, and needs no warning. Whole numbers cannot, and to say so takes a microsecond."""
    return np.errstate(over="ignore", invalid="ignore")


def _hear_file(ear: _Ear, file: File, told: Mapping[str, Any]) -> None:
    """What libsndfile decodes; `told` is what it cannot see by itself."""
    try:
        with _what_overflows_is_told(), soundfile.SoundFile(io.BytesIO(file), **told) as sound:
            full = _FULL_SCALE.get(sound.subtype, _FULL_SCALE_16)
            meter = ear.begin(sound.samplerate, sound.channels, clipped_from=full)
            frames = _READ_BLOCKS * meter.block // sound.channels
            while len(block := sound.read(frames, dtype="float32", always_2d=True)):
                meter.feed(block.reshape(-1))
                ear.check_length()
    except (soundfile.SoundFileError, RuntimeError, ValueError, TypeError) as error:
        # Not all of its words: they name the address of the file in memory.
        why = getattr(error, "error_string", error)
        raise AudioError("bad_audio", f"libsndfile cannot decode it: {why}") from error


def _hear_pieces(ear: _Ear, content: bytes, codec: str) -> None:
    """What FFmpeg's libraries decode: small pieces, which are put together for the meter."""
    meter: Meter | None = None
    kept: list[Floats] = []
    size = 0
    with _what_overflows_is_told():
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
