"""Upload validation: ORFEAS's checks and its words, without a process."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from PIL import Image

from testbed.images import ImageRefusedError, check_executable, check_image

KINDS = [
    ("png", "PNG"),
    ("jpg", "JPEG"),
    ("jpeg", "JPEG"),
    ("gif", "GIF"),
    ("bmp", "BMP"),
    ("tiff", "TIFF"),
    ("webp", "WEBP"),
]


@pytest.mark.parametrize(("extension", "kind"), KINDS)
def test_takes_every_kind(extension: str, kind: str, picture: Callable[..., bytes]) -> None:
    content = picture(3, kind)
    info = check_image(content, f"some.picture.{extension.upper()}")

    assert info["size"] == [64, 48]
    assert info["format"] == kind
    assert info["file_size"] == len(content)
    assert info["has_transparency"] is False


def test_sees_transparency() -> None:
    buffer = io.BytesIO()
    Image.effect_noise((40, 40), 60).convert("RGBA").save(buffer, "PNG")
    info = check_image(buffer.getvalue(), "a.png")
    assert (info["mode"], info["has_transparency"]) == ("RGBA", True)


@pytest.mark.parametrize(
    ("content", "filename", "reason"),
    [
        (b"\x89PNG", "a.png", "too small"),
        (b"x" * 100, "a.txt", "Invalid file extension: txt"),
        (b"x" * 100, "picture", "Invalid file extension: $"),
        (b"x" * 100, "a.png", "magic number doesn't match png"),
        (b"\x89PNG\r\n\x1a\n" + b"x" * 100, "a.png", "Invalid or corrupted"),
    ],
)
def test_refuses_what_is_no_image(content: bytes, filename: str, reason: str) -> None:
    with pytest.raises(ImageRefusedError, match=reason):
        check_image(content, filename)


def test_refuses_an_image_under_another_extension(picture: Callable[..., bytes]) -> None:
    with pytest.raises(ImageRefusedError, match="doesn't match jpg"):
        check_image(picture(), "a.jpg")


@pytest.mark.parametrize(
    ("size", "reason"),
    [((31, 200), "too small: 31x200"), ((200, 31), "too small"), ((4097, 40), "too large")],
)
def test_refuses_sides_out_of_bounds(
    size: tuple[int, int], reason: str, picture: Callable[..., bytes]
) -> None:
    with pytest.raises(ImageRefusedError, match=reason):
        check_image(picture(1, "PNG", size), "a.png")


def test_takes_the_smallest_and_the_longest_side(picture: Callable[..., bytes]) -> None:
    assert check_image(picture(1, "PNG", (32, 32)), "a.png")["size"] == [32, 32]
    assert check_image(picture(1, "PNG", (4096, 32)), "a.png")["size"] == [4096, 32]


def test_refuses_an_image_that_packs_too_well() -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (2000, 2000)).save(buffer, "PNG")
    assert 2000 * 2000 * 3 / len(buffer.getvalue()) > 1000  # else the test tests nothing
    with pytest.raises(ImageRefusedError, match="Suspicious compression ratio"):
        check_image(buffer.getvalue(), "a.png")


@pytest.mark.parametrize("header", [b"MZ", b"\x7fELF", b"\xca\xfe\xba\xbe"])
@pytest.mark.parametrize("position", [12, 500, 1020])
def test_executable_headers_count_from_byte_12_to_1024(header: bytes, position: int) -> None:
    with pytest.raises(ImageRefusedError, match="Executable code detected"):
        check_executable(b"." * position + header + b"." * 2000)


@pytest.mark.parametrize("header", [b"MZ", b"\x7fELF", b"\xca\xfe\xba\xbe"])
@pytest.mark.parametrize("position", [0, 11, 1023, 1500])
def test_executable_headers_elsewhere_are_nothing(header: bytes, position: int) -> None:
    check_executable(content := b"." * position + header + b"." * 2000)
    assert content.index(header) == position


def test_refuses_a_sound_image_with_such_bytes_in_its_pixels() -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), (1, 2, 3)).save(buffer, "BMP")  # holds its pixels as they are
    content = bytearray(buffer.getvalue())
    assert check_image(bytes(content), "a.bmp")["format"] == "BMP"
    content[900:902] = b"MZ"
    with pytest.raises(ImageRefusedError, match="Executable code detected"):
        check_image(bytes(content), "a.bmp")
