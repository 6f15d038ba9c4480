"""Decoding a picture whole: a header alone is no picture."""

from __future__ import annotations

import io

from PIL import Image, UnidentifiedImageError

from genload.artifacts.picture.facts import PictureError, PictureFacts

MAX_PIXELS = 256 * 2**20


def read_picture(content: bytes) -> PictureFacts:
    """What the picture is, all of it decoded.

    Raises:
        PictureError: it is none, or not all of one.
    """
    Image.MAX_IMAGE_PIXELS = None  # our own limit counts
    try:
        with Image.open(io.BytesIO(content)) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                size = f"{picture.width} × {picture.height} pixels"
                raise PictureError("too_large", f"{size} are more than are unpacked")
            found = PictureFacts(
                format=str(picture.format).lower(), width_px=picture.width, height_px=picture.height
            )
            picture.load()
    except UnidentifiedImageError as error:
        raise PictureError("not_a_picture", "no format of pictures that is known") from error
    except (OSError, EOFError) as error:
        cut = "truncated" in str(error) or isinstance(error, EOFError)
        raise PictureError("truncated" if cut else "not_a_picture", str(error) or "it is cut off") from error
    except (ValueError, SyntaxError, TypeError, IndexError, KeyError, OverflowError) as error:
        raise PictureError("not_a_picture", f"it contradicts itself: {error}") from error
    return found
