"""Pictures drawn by genload: smooth hills and one sharp-edged block, grey on black, as a height map.

Cheap, for it happens on the event loop: 1.3 ms for 256 × 256 pixels, drawn and encoded (median of 2,000
calls of `ImageSource.image` timed one by one, both cores busy). Hence hills that are products of two curves,
one matrix product for all of them, and PNG's cheapest filter and compression.
"""

from __future__ import annotations

import random
import struct
import zlib

import numpy as np
from numpy.typing import NDArray

SIDE_PX = 256
_HILLS = 6
_UP_FILTER = 2  # PNG: each byte minus the one above it; smooth hills become runs of small numbers
_AXIS = np.linspace(-1.0, 1.0, SIDE_PX, dtype=np.float32)
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_IHDR = struct.pack(">IIBBBBB", SIDE_PX, SIDE_PX, 8, 2, 0, 0, 0)  # 8 bit a channel, RGB


def draw(rng: random.Random) -> NDArray[np.uint8]:
    """A height map, `SIDE_PX` square: 0 is the ground, 255 the highest."""
    centres = np.array([[rng.uniform(-0.7, 0.7), rng.uniform(-0.7, 0.7)] for _ in range(_HILLS)], np.float32)
    widths = np.array([rng.uniform(0.1, 0.35) for _ in range(_HILLS)], np.float32)[:, None]
    heights = np.array([rng.uniform(0.3, 1.0) for _ in range(_HILLS)], np.float32)[:, None]
    across = np.exp(-(((_AXIS - centres[:, :1]) / widths) ** 2))
    down = np.exp(-(((_AXIS - centres[:, 1:]) / widths) ** 2))
    hills = (heights * down).T @ across
    hills *= 200.0 / float(hills.max())
    left, top = rng.randrange(16, 176), rng.randrange(16, 176)
    hills[top : top + rng.randrange(24, 64), left : left + rng.randrange(24, 64)] += 50.0
    picture: NDArray[np.uint8] = hills.astype(np.uint8)
    return picture


def png(grey: NDArray[np.uint8], comment: bytes) -> bytes:
    """An RGB PNG of a `SIDE_PX` square picture, with a comment: part of the file, not of what it shows."""
    rows = np.empty((SIDE_PX, 1 + 3 * SIDE_PX), np.uint8)
    rows[:, 0] = _UP_FILTER
    difference = grey.copy()
    difference[1:] -= grey[:-1]
    rows[:, 1:] = np.repeat(difference, 3, axis=1)
    return b"".join(
        (
            _SIGNATURE,
            png_chunk(b"IHDR", _IHDR),
            png_chunk(b"tEXt", b"Comment\0" + comment),
            png_chunk(b"IDAT", zlib.compress(rows.tobytes(), 1)),
            png_chunk(b"IEND", b""),
        )
    )


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """One chunk of a PNG: length, kind, data, checksum over kind and data."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(data, zlib.crc32(kind)))
