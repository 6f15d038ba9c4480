"""The input of every job: an image that no other job of the run was given.

A service may keep results by image, and then answers a repeated one without any work. Why the images are
made as they are: docs/decisions/0002-input-images.md.
"""

from __future__ import annotations

import hashlib
import io
import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from PIL import Image
from xxhash import xxh3_128_hexdigest

from genload.artifacts.inputs.picture import draw, png, png_chunk
from genload.artifacts.inputs.screening import MAX_FILE_BYTES, looks_executable, refusal
from genload.errors import ConfigError
from genload.service import JobInput

_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}
_MEDIA_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg"}
# The user's pictures are held in memory, so that no user waits for a disk between two jobs.
_MAX_FOLDER_BYTES = 512 * 2**20


@dataclass(frozen=True, slots=True)
class _Picture:
    content: bytes
    suffix: str
    media_type: str
    shows: str = ""  # as of `JobInput`


class ImageSource:
    """Makes the image of each job from its place in the run alone: same seed, same images.

    Args:
        seed: of the run.
        folder: a folder of the user's own PNG and JPEG files to take instead of drawn pictures. Each job gets
            one of them with a comment of its own in the file: other bytes, the same picture.
        named: files of the user's own that jobs ask for by their path.

    Attributes:
        skipped: files of the folder that are not used, each with the reason.
        own: how many of the folder are.

    Raises:
        ConfigError: no such folder, or no usable image in it; a named one that cannot be used.
    """

    def __init__(self, seed: int, folder: Path | None = None, named: Sequence[Path] = ()) -> None:
        self._seed = seed
        self.skipped: list[str] = []
        self._pictures = self._read(folder) if folder else []
        self.own = len(self._pictures)
        self._named = _read_named(named)

    def image(self, source: str, user: int, k: int, name: str = "") -> JobInput:
        """The input of the k-th job of one user of one process.

        Args:
            source: the process, as in the records: ``local``, ``w0``, …
            name: the path of the picture that it is to be; "": any.
        """
        chosen = self._named[name] if name else None
        for attempt in count():
            # A second attempt is for the one image in a hundred that looks like a program.
            identity = f"{self._seed}/{source}/{user}/{k}/{attempt}"
            digest = hashlib.blake2b(identity.encode(), digest_size=16).hexdigest()
            if chosen is None and self._pictures:
                chosen = self._pictures[int(digest, 16) % self.own]
            picture = _drawn(digest) if chosen is None else _commented(chosen, digest)
            if not looks_executable(picture.content):
                name = f"genload-{digest}{picture.suffix}"
                return JobInput(name, picture.content, picture.media_type, shows=picture.shows)
        raise AssertionError("unreachable")

    def _read(self, folder: Path) -> list[_Picture]:
        remedy = "name a folder of PNG or JPEG files under service.images, or leave it out for drawn pictures"
        if not folder.is_dir():
            raise ConfigError(f"'{folder}' is no folder", key="service.images", remedy=remedy)
        pictures: list[_Picture] = []
        room = _MAX_FOLDER_BYTES
        for path in sorted(path for path in folder.iterdir() if path.is_file()):
            try:
                picture = _load(path, room)
            except ValueError as error:
                self.skipped.append(f"{path.name}: {error}")
            else:
                pictures.append(picture)
                room -= len(picture.content)
        if not pictures:
            reasons = "; ".join(self.skipped[:3]) or "it is empty"
            text = f"'{folder}' holds no usable image ({reasons})"
            raise ConfigError(text, key="service.images", remedy=remedy)
        return pictures


def _read_named(paths: Sequence[Path]) -> dict[str, _Picture]:
    pictures: dict[str, _Picture] = {}
    room = _MAX_FOLDER_BYTES
    for path in paths:
        try:
            picture = pictures[str(path)] = _load(path, room)
        except ValueError as error:
            raise ConfigError(
                f"the image cannot be used: {error}", file=str(path), remedy="name a PNG or JPEG file"
            ) from error
        room -= len(picture.content)
    return pictures


def _drawn(digest: str) -> _Picture:
    content = png(draw(digest), digest.encode())
    return _Picture(content, ".png", "image/png")


def _commented(picture: _Picture, digest: str) -> _Picture:
    comment = _with_png_comment if picture.media_type == "image/png" else _with_jpeg_comment
    return replace(picture, content=comment(picture.content, digest.encode()))


def _load(path: Path, room: int) -> _Picture:
    """One file of the user's.

    Raises:
        ValueError: it cannot be used; the text is the reason.
    """
    expected = _FORMATS.get(path.suffix.lower())
    if expected is None:
        raise ValueError("neither .png nor .jpg")
    try:
        if path.stat().st_size > min(room, MAX_FILE_BYTES):
            raise ValueError(f"{path.stat().st_size} bytes are too many")
        content = path.read_bytes()
        with Image.open(io.BytesIO(content)) as image:
            found, (width_px, height_px) = image.format, image.size
            reason = refusal(content, width_px, height_px)
            if not reason:
                image.load()
    except (OSError, SyntaxError, EOFError, struct.error, Image.DecompressionBombError) as error:
        raise ValueError(f"cannot be read: {error}") from error
    if found != expected:
        raise ValueError(f"is {found}, against its name")
    if reason:
        raise ValueError(reason)
    return _Picture(content, path.suffix.lower(), _MEDIA_TYPES[expected], xxh3_128_hexdigest(content))


def _with_png_comment(content: bytes, comment: bytes) -> bytes:
    # Right behind the header, which has a fixed length of 33 bytes: the one place that needs no search.
    return content[:33] + png_chunk(b"tEXt", b"Comment\0" + comment) + content[33:]


def _with_jpeg_comment(content: bytes, comment: bytes) -> bytes:
    # JFIF and Exif want their segments first, so the comment goes behind the leading APPn segments.
    at = 2
    while content[at] == 0xFF and 0xE0 <= content[at + 1] <= 0xEF:
        at += 2 + int(struct.unpack_from(">H", content, at + 2)[0])
    segment = b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment
    return content[:at] + segment + content[at:]
