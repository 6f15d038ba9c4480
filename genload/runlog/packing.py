"""The request records of a run that has ended, packed by gzip: a third to a fifth of their size on the disk.

While a run goes on its records are plain lines, which a kill can cut only at their end. `pack` writes the
packed file beside them and removes them when the disk has all of it: whatever happens, one of the two is
whole.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from typing import BinaryIO

from genload.errors import RunDirectoryError
from genload.runlog.layout import REQUESTS

PACKED = ".gz"
LEAST_BYTES = 1 << 20
"""Less stays as it is, for every editor to open."""

_MEMBER_BYTES = 1 << 24  # each readable without those before it
_BLOCK_BYTES = 1 << 17
_LEVEL = 1  # a higher one takes up to three times as long, for a tenth less
_GZIP = 16 + zlib.MAX_WBITS


class DamagedError(Exception):
    """What follows in a packed file cannot be unpacked."""


def packed(path: Path) -> Path:
    """Where the records of a plain file are once they are packed."""
    return path.with_name(path.name + PACKED)


def pack(folder: Path) -> None:
    """Pack the request records of a run directory, if they are many and it has not been done.

    Raises:
        RunDirectoryError: the disk is full, …; the plain lines are still there.
    """
    plain = folder / REQUESTS
    target = packed(plain)
    partial = target.with_name(target.name + ".part")
    try:
        if not plain.is_file() or plain.stat().st_size < LEAST_BYTES:
            return
        with plain.open("rb", buffering=0) as source, partial.open("wb") as file:
            while _pack_member(source, file):
                pass
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
        plain.unlink()
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise RunDirectoryError(
            f"{plain} cannot be packed, and stays as it is: {error.strerror or error}",
            remedy="make room on that disk",
        ) from error


def blocks(path: Path) -> Iterator[bytes]:
    """What a file of lines holds, plain or packed, in blocks of about 128 KiB.

    Raises:
        FileNotFoundError: it is there in neither form.
        DamagedError: the rest cannot be unpacked.
        OSError: the disk refuses to be read.
    """
    if path.exists() or not packed(path).exists():
        with path.open("rb", buffering=0) as file:
            while block := file.read(_BLOCK_BYTES):
                yield block
        return
    unpacking = zlib.decompressobj(_GZIP)
    with packed(path).open("rb", buffering=0) as file:
        while block := file.read(_BLOCK_BYTES):
            while block:
                try:
                    yield unpacking.decompress(block, _BLOCK_BYTES)
                except zlib.error as error:
                    at = file.tell() - len(block)
                    raise DamagedError(f"cannot be unpacked from byte {at} on") from error
                block = unpacking.unconsumed_tail or unpacking.unused_data
                if unpacking.eof:
                    unpacking = zlib.decompressobj(_GZIP)


def _pack_member(source: FileIO, file: BinaryIO) -> bool:
    """Pack the next part; False when there is none."""
    packing, size_bytes = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP), 0
    while size_bytes < _MEMBER_BYTES and (block := source.read(_BLOCK_BYTES)):
        file.write(packing.compress(block))
        size_bytes += len(block)
    if size_bytes:
        file.write(packing.flush())
    return size_bytes > 0
