"""A member of a zip."""

from __future__ import annotations

import fnmatch
import io
import zipfile
import zlib
from collections.abc import Callable

from genload.artifacts.answer.facts import AnswerError, Unpacked

_PIECE_BYTES = 1 << 20
_DAMAGED = (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, zlib.error, OSError, ValueError)


def unpack(content: bytes, pattern: str, max_bytes: int, write: Callable[[bytes], object]) -> Unpacked:
    """Write the first member whose name fits the pattern.

    Raises:
        AnswerError: ``bad_zip``; ``too_large``, it has more than `max_bytes`.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
            chosen = next((name for name in names if fnmatch.fnmatchcase(name, pattern)), None)
            if chosen is None:
                there = ", ".join(names[:10]) or "nothing"
                raise AnswerError("bad_zip", f"no member is '{pattern}'; there are {there}")
            size_bytes = 0
            with archive.open(chosen) as member:
                while piece := member.read(_PIECE_BYTES):
                    size_bytes += len(piece)
                    if size_bytes > max_bytes:
                        words = f"'{chosen}' unpacks to more than {max_bytes:,} bytes"
                        raise AnswerError("too_large", words)
                    write(piece)
    except _DAMAGED as error:
        raise AnswerError("bad_zip", f"the zip is damaged: {error}") from error
    return Unpacked(chosen.rpartition("/")[2], size_bytes)
