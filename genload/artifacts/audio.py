"""Decoding an answer's audio and saying what it is. Knows nothing of judging: `listening` does that.

Runs in the inspector's process: what generates load asks that one. WAV and raw PCM of 16 bits, and floats,
are read by numpy, everything else by libsndfile; always in blocks, so that what is small as a file and hours
long as audio ends in an error and not in memory.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import soundfile
from xxhash import xxh3_128_digest

from genload.artifacts.audio_facts import AudioError, AudioFacts, RawSamples
from genload.artifacts.audio_meter import Meter
from genload.artifacts.flac_layout import flac_with_length
from genload.artifacts.mp3_layout import mp3_with_length
from genload.artifacts.wav_layout import ALAW, FLOAT, MULAW, PCM, WavLayout, raw_layout, wav_layout

File = bytes | memoryview

LONGEST_S = 3600.0
"""More audio than this is nobody's answer, whatever the text."""

_READ_BLOCKS = 16  # 16 MiB: nearly always all of it, for soundfile seeks after every read
_MOST_CHANNELS = 8
_MOST_HZ = 768_000
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
_WITH_LENGTH = {"flac": flac_with_length, "mp3": mp3_with_length}


def read_audio(
    content: File,
    form: str,
    *,
    raw: RawSamples = _USUAL_RAW,
    streamed: bool = False,
    silent_below: float = 0.001,
    longest_s: float = LONGEST_S,
) -> AudioFacts:
    """What the audio is.

    Args:
        form: the format that the bytes are in, as `audio_format.told_format` says.
        raw: what samples without a header are; for ``pcm`` only.
        streamed: a WAV's header may state any length.
        silent_below: RMS of a frame under which it is silent.
        longest_s: decode no further; `LONGEST_S` at most.

    A file in frames that was cut off may decode as far as it goes: that it was, `frame_timeline` tells.

    Raises:
        AudioError: whatever it is that the bytes are not; see there.
    """
    meter = _metered(content, form, raw, streamed, silent_below, longest_s)
    if not meter.duration_s:
        raise AudioError("empty_audio", "there are headers, and not a single sample")
    return meter.facts(form, xxh3_128_digest(content))


def _metered(
    content: File, form: str, raw: RawSamples, streamed: bool, silent_below: float, longest_s: float
) -> Meter:
    if form in ("wav", "pcm"):
        layout = raw_layout(len(content), raw) if form == "pcm" else wav_layout(content, streamed=streamed)
        return _samples_metered(content, layout, silent_below, longest_s)
    with_length = _WITH_LENGTH.get(form, bytes)
    return _file_metered(with_length(bytes(content)), {}, silent_below, longest_s)


def _samples_metered(content: File, layout: WavLayout, silent_below: float, longest_s: float) -> Meter:
    """Samples that lie in the file as they are, all of one size; or packed, for libsndfile to find."""
    kind = layout.encoding, layout.bits
    data = memoryview(content)[layout.data_start : layout.data_start + layout.data_bytes]
    if kind in _NUMPY_TYPES:
        _check_bounds(layout.rate_hz, layout.channels)
        _check_length(layout.duration_s, longest_s)
        word, full_scale = _NUMPY_TYPES[kind]
        meter = Meter(layout.rate_hz, layout.channels, silent_below, full_scale)
        samples = np.frombuffer(data, word)
        if layout.encoding == FLOAT:
            with _what_overflows_is_told():
                meter.feed(samples)
        else:
            meter.feed(samples)
        return meter
    subtype = _RAW_SUBTYPES.get(kind)
    if subtype is None:
        return _file_metered(content, {}, silent_below, longest_s)
    shape = {"samplerate": layout.rate_hz, "channels": layout.channels}
    told = {"format": "RAW", "subtype": subtype, "endian": "LITTLE", **shape}
    return _file_metered(data, told, silent_below, longest_s)


def _what_overflows_is_told() -> np.errstate:
    """As what it is, and needs no warning. Whole numbers cannot, and to say so takes a microsecond."""
    return np.errstate(over="ignore", invalid="ignore")


def _file_metered(file: File, told: Mapping[str, Any], silent_below: float, longest_s: float) -> Meter:
    """What libsndfile decodes; `told` is what it cannot see by itself."""
    try:
        with _what_overflows_is_told(), soundfile.SoundFile(io.BytesIO(file), **told) as sound:
            _check_bounds(sound.samplerate, sound.channels)
            full = _FULL_SCALE.get(sound.subtype, 32767 / 32768)
            meter = Meter(sound.samplerate, sound.channels, silent_below, clipped_from=full)
            frames = _READ_BLOCKS * meter.block // sound.channels
            while len(block := sound.read(frames, dtype="float32", always_2d=True)):
                meter.feed(block.reshape(-1))
                _check_length(meter.duration_s, longest_s)
    except (soundfile.SoundFileError, RuntimeError, ValueError, TypeError) as error:
        raise AudioError("bad_audio", f"libsndfile cannot decode it: {error}") from error
    return meter


def _check_bounds(rate_hz: int, channels: int) -> None:
    if channels > _MOST_CHANNELS or rate_hz > _MOST_HZ:
        raise AudioError("bad_audio", f"{channels} channels at {rate_hz} Hz: nobody speaks like that")


def _check_length(duration_s: float, longest_s: float) -> None:
    most_s = min(longest_s, LONGEST_S)
    if duration_s > most_s:
        raise AudioError("implausible_audio", f"more than {most_s:g} s of audio")
