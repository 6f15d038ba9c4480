"""What ORFEAS accepts as an image: its checks, in its order, with its words."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image

MAX_BYTES = 50 * 1024 * 1024
MIN_SIDE_PX, MAX_SIDE_PX = 32, 4096
MAX_RATIO = 1000  # pixels × 3 ÷ bytes of the file
_MAGIC: dict[str, tuple[bytes, ...]] = {
    "png": (b"\x89PNG\r\n\x1a\n",),
    "jpg": (b"\xff\xd8",),
    "jpeg": (b"\xff\xd8",),
    "gif": (b"GIF89a", b"GIF87a"),
    "bmp": (b"BM",),
    "tiff": (b"II*\x00", b"MM\x00*"),
    "webp": (b"RIFF",),
}
_EXECUTABLE = (b"MZ", b"\x7fELF", b"\xca\xfe\xba\xbe")
# Where ORFEAS looks for them. Compressed image data has any bytes there: about 1 % of random images fail.
_SCANNED = slice(12, 1024)


class ImageRefusedError(Exception):
    """The image is not accepted; the text is ORFEAS's own."""


def check_image(content: bytes, filename: str) -> dict[str, Any]:
    """ORFEAS's ``image_info`` of an accepted image: size, format, mode, has_transparency, file_size.

    Raises:
        ImageRefusedError: with the reason as the service states it.
    """
    _check_magic(content, filename)
    try:
        with Image.open(io.BytesIO(content)) as picture:
            _check_size(picture.width, picture.height, len(content))
            check_executable(content)
            picture.load()
            return {
                "size": [picture.width, picture.height],
                "format": picture.format,
                "mode": picture.mode,
                "has_transparency": picture.has_transparency_data,
                "file_size": len(content),
            }
    except Image.DecompressionBombError as error:
        raise ImageRefusedError(f"Image too large: {error}") from error
    # Pillow's decoders raise all of these on broken data.
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise ImageRefusedError(f"Invalid or corrupted image file: {error}") from error


def _check_magic(content: bytes, filename: str) -> None:
    if len(content) < 12:
        raise ImageRefusedError("File too small to be valid image")
    extension = filename.rpartition(".")[2].lower() if "." in filename else ""
    if extension not in _MAGIC:
        raise ImageRefusedError(f"Invalid file extension: {extension}")
    if not content.startswith(_MAGIC[extension]):
        raise ImageRefusedError(f"File magic number doesn't match {extension} format (possible spoofing)")


def _check_size(width: int, height: int, size_bytes: int) -> None:
    if min(width, height) < MIN_SIDE_PX:
        raise ImageRefusedError(f"Image too small: {width}x{height} (min {MIN_SIDE_PX}x{MIN_SIDE_PX})")
    if max(width, height) > MAX_SIDE_PX:
        raise ImageRefusedError(f"Image too large: {width}x{height} (max {MAX_SIDE_PX}x{MAX_SIDE_PX})")
    ratio = width * height * 3 / size_bytes
    if ratio > MAX_RATIO:
        raise ImageRefusedError(f"Suspicious compression ratio: {ratio:.1f}x (possible decompression bomb)")


def check_executable(content: bytes) -> None:
    """ORFEAS's scan for executables hidden in images.

    Raises:
        ImageRefusedError: such bytes stand where it looks.
    """
    scanned = content[_SCANNED]
    if any(header in scanned for header in _EXECUTABLE):
        raise ImageRefusedError("Executable code detected in image file")
