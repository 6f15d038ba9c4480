"""Inputs of jobs: each one new, repeatable by seed, and accepted by the upload check."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from genload.artifacts.inputs.images import ImageSource
from genload.artifacts.inputs.picture import draw
from genload.artifacts.inputs.screening import looks_executable, refusal
from genload.errors import ConfigError

FORBIDDEN = (b"MZ", b"\x7fELF", b"\xca\xfe\xba\xbe")


def pixels(content: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image.convert("RGB"))


def test_two_thousand_drawn_images_are_distinct_and_none_is_refused() -> None:
    source = ImageSource(seed=20261121)
    jobs = [source.image("w1", user=k % 10, k=k) for k in range(2000)]

    assert len({job.content for job in jobs}) == len({job.name for job in jobs}) == 2000
    for job in jobs:
        assert not any(signature in job.content[12:1024] for signature in FORBIDDEN)
        assert 1000 * len(job.content) >= 256 * 256 * 3
        assert job.media_type == "image/png" and job.name.endswith(".png")


def test_a_drawn_image_is_a_picture_with_shapes() -> None:
    picture = pixels(ImageSource(seed=1).image("local", 0, 0).content)

    assert picture.shape == (256, 256, 3)
    assert picture.max() > 150 and np.median(picture) < 150
    assert len(np.unique(picture)) > 100  # slopes, not two colours


def test_the_file_shows_what_was_drawn() -> None:
    job = ImageSource(seed=1).image("local", 0, 0)
    digest = job.name.removeprefix("genload-").removesuffix(".png")

    assert (pixels(job.content)[:, :, 0] == draw(digest).repeat(2, axis=0).repeat(2, axis=1)).all()


@given(
    st.integers(0, 2**63), st.sampled_from(["local", "w0", "w17"]), st.integers(0, 5000), st.integers(0, 9999)
)
@settings(max_examples=50)
def test_the_same_place_in_the_same_run_gives_the_same_image(
    seed: int, source: str, user: int, k: int
) -> None:
    first, again = (ImageSource(seed).image(source, user, k) for _ in range(2))

    assert first == again
    assert ImageSource(seed + 1).image(source, user, k).content != first.content
    assert ImageSource(seed).image(source, user, k + 1).content != first.content
    assert ImageSource(seed).image(source, user + 1, k).content != first.content
    assert not looks_executable(first.content)


@pytest.mark.parametrize("signature", FORBIDDEN)
def test_a_program_is_recognised_where_the_service_looks(signature: bytes) -> None:
    assert looks_executable(b"\0" * 12 + signature)
    assert looks_executable(b"\0" * (1024 - len(signature)) + signature)
    assert not looks_executable(b"\0" * 1100 + signature)


@pytest.mark.parametrize(
    ("width", "height", "size", "said"),
    [
        (31, 64, 100_000, "a side"),
        (64, 4097, 10_000_000, "a side"),
        (4096, 4096, 50_331, "decompression bomb"),
        (64, 64, 51 * 2**20, "at most"),
    ],
)
def test_the_bounds_of_an_upload_are_known(width: int, height: int, size: int, said: str) -> None:
    assert said in refusal(bytes(size), width, height)


def test_an_image_on_the_bounds_is_accepted() -> None:
    assert refusal(bytes(50_332), 4096, 4096) == ""
    assert refusal(bytes(100), 32, 32) == ""


# --- a folder of the user's own


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    noise = np.random.default_rng(3).integers(0, 255, (64, 80, 3), np.uint8)
    picture = Image.fromarray(noise)
    picture.save(tmp_path / "a.png")
    info = PngImagePlugin.PngInfo()
    info.add_text("Author", "somebody")
    picture.save(tmp_path / "b.PNG", pnginfo=info)
    picture.save(tmp_path / "c.jpg", exif=Image.Exif().tobytes(), quality=90)
    picture.save(tmp_path / "d.jpeg", progressive=True)
    return tmp_path


def test_own_pictures_stay_the_same_and_their_files_are_all_different(folder: Path) -> None:
    originals = [pixels(path.read_bytes()) for path in sorted(folder.iterdir())]
    source = ImageSource(seed=5, folder=folder)
    jobs = [source.image("local", 0, k) for k in range(200)]

    assert len({job.content for job in jobs}) == 200
    assert len({(job.shows, pixels(job.content).tobytes()) for job in jobs}) == 4
    assert source.skipped == []
    seen = set()
    for job in jobs:
        shown = pixels(job.content)
        matches = [n for n, original in enumerate(originals) if np.array_equal(shown, original)]
        assert matches
        assert not looks_executable(job.content)
        assert job.media_type == ("image/png" if job.name.lower().endswith(".png") else "image/jpeg")
        seen.update(matches)
    assert seen == {0, 1, 2, 3}


def test_files_that_cannot_be_used_are_skipped_with_their_reason(folder: Path) -> None:
    (folder / "notes.txt").write_text("no image")
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 50)
    (folder / "cut.jpg").write_bytes((folder / "c.jpg").read_bytes()[:900])
    (folder / "named.png").write_bytes((folder / "c.jpg").read_bytes())
    Image.new("RGB", (16, 16)).save(folder / "small.png")
    Image.new("RGB", (4000, 4000)).save(folder / "blank.png")

    reasons = "\n".join(ImageSource(5, folder).skipped)

    assert "notes.txt: neither .png nor .jpg" in reasons
    assert "broken.png: cannot be read" in reasons
    assert "cut.jpg: cannot be read" in reasons
    assert "named.png: is JPEG, against its name" in reasons
    assert "small.png: 16 × 16 pixels" in reasons
    assert "blank.png" in reasons and "decompression bomb" in reasons


@pytest.mark.parametrize("content", [None, {}, {"a.txt": b"x"}, {"a.png": b""}])
def test_a_folder_without_a_usable_image_is_a_configuration_error(
    tmp_path: Path, content: dict[str, bytes] | None
) -> None:
    folder = tmp_path / "images"
    if content is not None:
        folder.mkdir()
        for name, data in content.items():
            (folder / name).write_bytes(data)

    with pytest.raises(ConfigError) as caught:
        ImageSource(1, folder)

    assert str(folder) in caught.value.message and caught.value.remedy
    assert caught.value.key == "service.images"
