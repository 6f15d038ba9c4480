"""Pictures drawn by genload: smooth hills and one sharp-edged block, grey on black, as a height map.

Cheap, for it happens on the event loop: 0.5 ms for 256 × 256 pixels, drawn and encoded. Hence hills that are
products of two curves, one matrix product for all of them, drawn at half the size; and PNG's cheapest filter
and compression, which makes most of it: it looks for runs alone, of which such a picture is made.
"""

from __future__ import annotations

import struct
import zlib
from hashlib import shake_128

import numpy as np
from numpy.typing import NDArray

SIDE_PX = 256
_DRAWN_PX = SIDE_PX // 2
_HILLS = 6
_DRAWN_NUMBERS = 4 * _HILLS + 4
_UP_FILTER = 2  # PNG: each byte minus the one above it; smooth hills become runs of small numbers
_AXIS = np.linspace(-1.0, 1.0, _DRAWN_PX, dtype=np.float32)
_BLOCK_LOW, _BLOCK_SPAN = np.array([8, 8, 12, 12]), np.array([80, 80, 20, 20])  # left, top, width, height
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_IHDR = struct.pack(">IIBBBBB", SIDE_PX, SIDE_PX, 8, 2, 0, 0, 0)  # 8 bit a channel, RGB


def draw(digest: str) -> NDArray[np.uint8]:
    """The height map that follows from a digest, `_DRAWN_PX` square: 0 is the ground, 255 the highest."""
    words = np.frombuffer(shake_128(digest.encode()).digest(4 * _DRAWN_NUMBERS), "<u4")
    shares = words.astype(np.float32) * np.float32(2.0**-32)
    drawn = shares[: 4 * _HILLS].reshape(4, _HILLS, 1)
    centres, widths, heights = drawn[:2] * 1.4 - 0.7, drawn[2] * 0.25 + 0.1, drawn[3] * 0.7 + 0.3
    across, down = np.exp(-(((_AXIS - centres) / widths) ** 2))
    hills = (heights * down).T @ across
    hills *= 200.0 / float(hills.max())
    left, top, width, height = (_BLOCK_LOW + _BLOCK_SPAN * shares[4 * _HILLS :]).astype(int).tolist()
    hills[top : top + height, left : left + width] += 50.0
    picture: NDArray[np.uint8] = hills.astype(np.uint8)
    return picture


def png(grey: NDArray[np.uint8], comment: bytes) -> bytes:
    """An RGB PNG, `SIDE_PX` square, that shows each pixel of a drawn picture two wide and two high; with a
    comment: part of the file, not of what it shows."""
    rows = np.zeros((_DRAWN_PX, 2, 1 + 3 * SIDE_PX), np.uint8)
    rows[:, :, 0] = _UP_FILTER
    difference = grey.copy()
    difference[1:] -= grey[:-1]
    rows[:, 0, 1:] = np.repeat(difference, 6, axis=1)  # every other row is like the one before
    packing = zlib.compressobj(1, strategy=zlib.Z_RLE)
    return b"".join(
        (
            _SIGNATURE,
            png_chunk(b"IHDR", _IHDR),
            png_chunk(b"tEXt", b"Comment\0" + comment),
            png_chunk(b"IDAT", packing.compress(rows.data) + packing.flush()),
            png_chunk(b"IEND", b""),
        )
    )


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """One chunk of a PNG: length, kind, data, checksum over kind and data."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(data, zlib.crc32(kind)))
