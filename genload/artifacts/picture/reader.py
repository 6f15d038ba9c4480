"""Decoding a picture whole: a header alone is no picture."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image, UnidentifiedImageError

from genload.artifacts.picture.facts import PictureError, PictureFacts

MAX_PIXELS = 256 * 2**20
FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "GIF", "TIFF", "BMP")
"""Those that Pillow decodes itself: of others it has other programs make a picture."""
ONE_COLOUR = 2
"""How far apart, of 255, the values of a channel may be in a picture of one colour."""

_IN_BYTES = ("1", "L", "LA", "RGB", "RGBA", "CMYK", "YCbCr")
_IN_NUMBERS = ("I", "F")


def read_picture(content: bytes) -> PictureFacts:
    """What the picture is, all of it decoded.

    Raises:
        PictureError: it is none, or not all of one.
    """
    Image.MAX_IMAGE_PIXELS = None  # our own limit counts
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                size = f"{picture.width} × {picture.height} pixels"
                raise PictureError("too_large", f"{size} are more than are unpacked")
            picture.load()
            return PictureFacts(
                format=str(picture.format).lower(),
                width_px=picture.width,
                height_px=picture.height,
                is_plain=_is_plain(picture),
            )
    except UnidentifiedImageError as error:
        raise PictureError("not_a_picture", "no format of pictures that is known") from error
    except (OSError, EOFError) as error:
        cut = "truncated" in str(error) or isinstance(error, EOFError)
        raise PictureError("truncated" if cut else "not_a_picture", str(error) or "it is cut off") from error
    except (ValueError, SyntaxError, TypeError, IndexError, KeyError, OverflowError) as error:
        raise PictureError("not_a_picture", f"it contradicts itself: {error}") from error


def _is_plain(picture: Image.Image) -> bool:
    exact = picture.mode.startswith(_IN_NUMBERS)
    if not exact and picture.mode not in _IN_BYTES:
        picture = picture.convert("RGBA")
    channels: list[Any] = [channel.getextrema() for channel in picture.split()]
    if picture.mode in ("LA", "RGBA") and channels[-1] == (0, 0):
        return True
    return all(high - low <= (0 if exact else ONE_COLOUR) for low, high in channels)
