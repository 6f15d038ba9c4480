"""Outputs that are pictures: read whole, in the inspector's process."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from genload.artifacts.inspector import shared
from genload.artifacts.picture.check import PictureCheck
from genload.artifacts.picture.facts import PictureError
from genload.artifacts.picture.reader import read_picture
from genload.service import Artifact, ServiceError


def picture(kind: str = "PNG", size: tuple[int, int] = (64, 48)) -> bytes:
    file = io.BytesIO()
    Image.effect_noise(size, 50).save(file, kind)
    return file.getvalue()


PNG = picture()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP"])
def test_a_picture_of_each_format_has_its_sides(kind: str) -> None:
    facts = read_picture(picture(kind))

    assert (facts.format, facts.width_px, facts.height_px) == (kind.lower(), 64, 48)


@pytest.mark.parametrize(
    ("content", "error_class"),
    [
        (b"", "not_a_picture"),
        (b"<html>", "not_a_picture"),
        (b"solid cube\nendsolid", "not_a_picture"),
        (PNG[: len(PNG) // 2], "truncated"),
        (picture("JPEG")[:-600], "truncated"),
    ],
)
def test_what_is_none_or_not_all_of_one_is_told(content: bytes, error_class: str) -> None:
    with pytest.raises(PictureError) as raised:
        read_picture(content)
    assert raised.value.error_class == error_class


def test_a_picture_of_more_pixels_than_are_unpacked_is_refused_by_its_header() -> None:
    size = (2**15).to_bytes(4, "big")
    head = PNG[:16] + size + size + PNG[24:29]
    import zlib

    crc = zlib.crc32(head[12:29]).to_bytes(4, "big")
    with pytest.raises(PictureError) as raised:
        read_picture(head + crc + PNG[33:])
    assert raised.value.error_class == "too_large"


def saved(image: Image.Image, kind: str) -> bytes:
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP"])
def test_a_picture_of_one_colour_is_told_in_each_format(kind: str) -> None:
    plain = Image.new("RGB", (64, 48), (200, 30, 90))
    spotted = plain.copy()
    spotted.paste((20, 230, 90), (16, 16, 32, 32))

    assert read_picture(saved(plain, kind)).is_plain
    assert not read_picture(saved(spotted, kind)).is_plain


@pytest.mark.parametrize("mode", ["1", "L", "LA", "RGBA", "I;16", "CMYK"])
def test_one_colour_is_told_in_each_mode(mode: str) -> None:
    kind = "TIFF" if mode == "CMYK" else "PNG"
    plain = Image.new(mode, (8, 8), 1 if mode in ("1", "I;16") else "white")
    other = plain.copy()
    other.putpixel((3, 3), {"1": 0, "I;16": 900}.get(mode, (0,) * len(mode)))

    assert read_picture(saved(plain, kind)).is_plain
    assert not read_picture(saved(other, kind)).is_plain


def test_a_picture_with_nothing_to_be_seen_is_plain() -> None:
    hidden = Image.effect_noise((8, 8), 50).convert("RGBA")
    hidden.putalpha(0)

    assert read_picture(saved(hidden, "PNG")).is_plain


def test_what_only_another_program_could_draw_is_no_picture() -> None:
    postscript = saved(Image.effect_noise((8, 8), 50), "EPS")
    with pytest.raises(PictureError) as raised:
        read_picture(postscript)
    assert raised.value.error_class == "not_a_picture"


def test_a_placeholder_fails_unless_it_is_allowed() -> None:
    plain = Artifact(saved(Image.new("L", (8, 8)), "PNG"), "a.png", "")

    with pytest.raises(ServiceError, match=r"placeholder: a\.png is a picture of one colour"):
        PictureCheck(read_picture)(plain)
    assert PictureCheck(read_picture, allow_placeholder=True)(plain) == {"width_px": 8.0, "height_px": 8.0}


@given(st.data())
def test_a_damaged_picture_is_read_or_refused_and_nothing_else(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(PNG) - 1))
    damaged = PNG[:at] + data.draw(st.binary(max_size=8)) + PNG[at + data.draw(st.integers(0, 8)) :]
    try:
        assert read_picture(damaged).width_px >= 0
    except PictureError as error:
        assert error.message


@pytest.fixture
def no_inspector_left() -> Iterator[None]:
    yield
    shared().close()


@pytest.mark.processes
def test_the_inspector_reads_it(no_inspector_left: None) -> None:
    check = PictureCheck(shared().picture)

    assert check(Artifact(PNG, "a.png", "image/png")) == {"width_px": 64.0, "height_px": 48.0}
    with pytest.raises(ServiceError, match=r"truncated: a\.png: "):
        check(Artifact(PNG[:400], "a.png", "image/png"))
