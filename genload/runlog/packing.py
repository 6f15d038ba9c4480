"""The request records of a run that has ended, packed by gzip: a third to a fifth of their size on the disk.

While a run goes on its records are plain lines, which a kill can cut only at their end. `pack` writes the
packed file beside them and removes them when the disk has all of it: whatever happens, one of the two is
whole.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import BinaryIO, cast

from isal import isal_zlib

from genload.errors import RunDirectoryError
from genload.runlog.layout import REQUESTS

PACKED = ".gz"
LEAST_BYTES = 1 << 20
"""Less stays as it is, for every editor to open."""

_MEMBER_BYTES = 1 << 22  # each readable without those before it
_BLOCK_BYTES = 1 << 16  # with its records, it stays in a core's own cache
_LEVEL = 1  # the highest takes twice as long, for a fiftieth less
_PACKED_TO = 4  # to one in so many
_GZIP = 16 + isal_zlib.MAX_WBITS
_NOT_PACKED = cast(type[Exception], isal_zlib.error)
_HEAD = b"\x1f\x8b\x08" + bytes(5)
"""How each member begins that `pack` has written: gzip, deflate, no name, no time."""


class DamagedError(Exception):
    """What follows in a packed file cannot be unpacked."""


@dataclass(frozen=True)
class Cut:
    """A place between two lines of a file.

    Attributes:
        member: at which byte the gzip member begins in which it lies; a plain file is like one member at 0.
        offset: how many bytes before it this member holds, unpacked.
    """

    member: int = 0
    offset: int = 0


BEGINNING = Cut()


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


def blocks(path: Path, begin: Cut = BEGINNING, end: Cut | None = None) -> Iterator[bytes]:
    """What a file of lines holds, plain or packed, in blocks of about 64 KiB.

    Args:
        begin, end: of the part that is wanted; without them it is the whole.

    Raises:
        FileNotFoundError: it is there in neither form.
        DamagedError: the rest cannot be unpacked.
        OSError: the disk refuses to be read.
    """
    plain = _is_plain(path)
    with (path if plain else packed(path)).open("rb", buffering=0) as file:
        for member, offset, block in (_plain if plain else _unpacked)(file, begin):
            first = max(0, begin.offset - offset) if member == begin.member else 0
            if end is not None and member == end.member and end.offset <= offset + len(block):
                yield block[first : end.offset - offset]
                return
            yield block[first:]


def middle(path: Path, further: int = 0) -> Cut | None:
    """A place between two lines about in the middle of a file, plain or packed; None where none is found.

    Args:
        further: so many bytes behind the middle, unpacked, at most a quarter of them; negative: before it.

    Raises:
        OSError: it is not there, or cannot be read.
    """
    if _is_plain(path):
        near: Cut | None = Cut(0, _near_the_middle(path, further))
    else:
        near = _member_after(packed(path), _near_the_middle(packed(path), further // _PACKED_TO))
    if near is None:
        return None
    try:
        line = next(blocks(path, near), b"").find(b"\n")
    except DamagedError:  # it only looked like the beginning of one
        return None
    return Cut(near.member, near.offset + line + 1) if line >= 0 else None


def size_bytes(path: Path) -> int:
    """About how large a file is, unpacked; 0 where it is not there."""
    for there, share in ((path, 1), (packed(path), _PACKED_TO)):
        if there.exists():
            return there.stat().st_size * share
    return 0


def _is_plain(path: Path) -> bool:
    return path.exists() or not packed(path).exists()


def _near_the_middle(path: Path, further: int) -> int:
    size_bytes = path.stat().st_size
    return size_bytes // 2 + max(-size_bytes // 4, min(size_bytes // 4, further))


def _member_after(path: Path, place: int) -> Cut | None:
    """The first member that begins there, or later."""
    with path.open("rb", buffering=0) as file:
        file.seek(place)
        rest = b""
        while block := file.read(_BLOCK_BYTES):
            rest += block
            if (found := rest.find(_HEAD)) >= 0:
                return Cut(file.tell() - len(rest) + found)
            rest = rest[-len(_HEAD) :]
    return None


def _plain(file: FileIO, begin: Cut) -> Iterator[tuple[int, int, bytes]]:
    """Blocks from `begin` on: the member, what of it is before the block, and the block."""
    file.seek(begin.offset)
    while block := file.read(_BLOCK_BYTES):
        yield 0, file.tell() - len(block), block


def _unpacked(file: FileIO, begin: Cut) -> Iterator[tuple[int, int, bytes]]:
    """The same, from the beginning of its member on."""
    file.seek(begin.member)
    unpacking, member, offset = isal_zlib.decompressobj(_GZIP), begin.member, 0
    while block := file.read(_BLOCK_BYTES):
        while block:
            try:
                piece = unpacking.decompress(block, _BLOCK_BYTES)
            except _NOT_PACKED as error:
                at = file.tell() - len(block)
                raise DamagedError(f"cannot be unpacked from byte {at} on") from error
            yield member, offset, piece
            offset += len(piece)
            block = unpacking.unconsumed_tail or unpacking.unused_data
            if unpacking.eof:
                unpacking, member, offset = isal_zlib.decompressobj(_GZIP), file.tell() - len(block), 0
    if member < file.tell():
        raise DamagedError("is not whole: its end is not there")


def _pack_member(source: FileIO, file: BinaryIO) -> bool:
    """Pack the next part; False when there is none."""
    packing, size_bytes = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, _GZIP), 0
    while size_bytes < _MEMBER_BYTES and (block := source.read(_BLOCK_BYTES)):
        file.write(packing.compress(block))
        size_bytes += len(block)
    if size_bytes:
        file.write(packing.flush())
    return size_bytes > 0
