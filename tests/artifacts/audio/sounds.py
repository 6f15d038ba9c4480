"""Audio made here: known lengths and loudness, in every format that is listened to."""

from __future__ import annotations

import io
import struct
from functools import cache

import numpy as np
import numpy.typing as npt
import soundfile

RATE_HZ = 24_000
FORMATS = {
    "wav": ("WAV", "PCM_16"),
    "flac": ("FLAC", "PCM_16"),
    "ogg": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
}

Wave = npt.NDArray[np.float64]


def tone(duration_s: float, *, hz: float = 220.0, peak: float = 0.3, rate_hz: int = RATE_HZ) -> Wave:
    """A sine with a little noise, so that no codec can pack it into nothing."""
    moments = np.arange(round(duration_s * rate_hz)) / rate_hz
    noise = np.random.default_rng(1).standard_normal(len(moments))
    return peak * np.sin(2 * np.pi * hz * moments) + 0.003 * noise


def encoded(wave: Wave, form: str, *, rate_hz: int = RATE_HZ, subtype: str = "") -> bytes:
    """As a file; `form` is a format that a suite can ask for."""
    if form == "pcm":
        return pcm16(wave)
    file = io.BytesIO()
    container, usual = FORMATS[form]
    soundfile.write(file, wave, rate_hz, format=container, subtype=subtype or usual)
    return file.getvalue()


@cache
def spoken(form: str, duration_s: float = 1.0) -> bytes:
    """A tone of that length as a file."""
    return encoded(tone(duration_s), form)


def pcm16(wave: Wave) -> bytes:
    return (np.clip(wave, -1, 32767 / 32768) * 32768).round().astype("<i2").tobytes()


def wav(
    samples: bytes,
    *,
    stated: int | None = None,
    rate_hz: int = RATE_HZ,
    channels: int = 1,
    encoding: int = 1,
    bits: int = 16,
    before: bytes = b"",
    after: bytes = b"",
) -> bytes:
    """A WAV byte by byte: `stated` is the length in its header, `before` and `after` other chunks."""
    block = channels * bits // 8
    shape = struct.pack("<HHIIHH", encoding, channels, rate_hz, rate_hz * block, block, bits)
    length = len(samples) if stated is None else stated
    data = b"fmt " + struct.pack("<I", 16) + shape + before + b"data" + struct.pack("<I", length) + samples
    return b"RIFF" + struct.pack("<I", min(4 + len(data) + len(after), 2**32 - 1)) + b"WAVE" + data + after


def chunk(name: bytes, content: bytes) -> bytes:
    """A chunk of a WAV, padded to an even length."""
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


# --- Ogg, page by page ------------------------------------------------------------------------------


def ogg_pages(content: bytes) -> list[bytes]:
    """The pages of a file, each as its bytes."""
    pages, place = [], 0
    while place < len(content):
        segments = content[place + 26]
        size = 27 + segments + sum(content[place + 27 : place + 27 + segments])
        pages.append(content[place : place + size])
        place += size
    return pages


def with_checksum(page: bytes) -> bytes:
    """The page with the checksum of what it holds, by the textbook (RFC 3533): bit by bit."""
    bare = bytearray(page)
    bare[22:26] = bytes(4)
    crc = 0
    for byte in bare:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc & 0x80000000 else 0)) & 0xFFFFFFFF
    bare[22:26] = crc.to_bytes(4, "little")
    return bytes(bare)
