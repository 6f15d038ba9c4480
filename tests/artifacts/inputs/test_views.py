"""Several images for a job: of one thing, each with its name, and like nobody else's."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from genload.artifacts.inputs.images import ImageSource
from genload.artifacts.inputs.views import ViewSource, input_source
from genload.errors import ConfigError

VIEWS = ("front", "left")


def colour(content: bytes) -> int:
    """Of the first pixel, which is grey."""
    pixel = Image.open(io.BytesIO(content)).convert("RGB").getpixel((0, 0))
    assert isinstance(pixel, tuple)
    return int(pixel[0])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three things: the first pixel of the first is 10, of the second 20, …; from the left one more."""
    for more, view in enumerate(VIEWS):
        (tmp_path / view).mkdir()
        for n, thing in enumerate(("chair", "lamp", "table"), 1):
            picture = Image.effect_noise((90, 70), 60).convert("RGB")
            picture.putpixel((0, 0), (10 * n + more,) * 3)
            picture.save(tmp_path / view / f"{thing}.png")
    return tmp_path


def test_a_job_s_own_views_are_of_one_thing_and_no_other_job_has_them(folder: Path) -> None:
    source = ViewSource(5, folder, VIEWS)
    jobs = [source.image("local", 0, k) for k in range(300)]

    for job in jobs:
        assert colour(job.views["left"].content) == colour(job.views["front"].content) + 1
        assert (job.content, job.name) == (job.views["front"].content, job.views["front"].name)
    assert {colour(job.content) for job in jobs} == {10, 20, 30}
    views = [view for job in jobs for view in job.views.values()]
    assert len({view.content for view in views}) == len({view.name for view in views}) == 600


def test_drawn_views_differ_and_are_the_same_for_the_same_seed() -> None:
    first, again = (ViewSource(7, None, VIEWS).image("local", 1, 2) for _ in range(2))

    assert first == again
    assert first.views["front"].content != first.views["left"].content
    assert list(first.views) == list(VIEWS)


def test_views_that_cannot_go_together_are_told(folder: Path) -> None:
    (folder / "left" / "table.png").unlink()
    with pytest.raises(ConfigError, match="has 3 in front, 2 in left"):
        ViewSource(5, folder, VIEWS)
    with pytest.raises(ConfigError, match="is no folder"):
        ViewSource(5, folder, ("front", "back"))
    with pytest.raises(ConfigError, match="a job has 2 views"):
        input_source(5, None, [folder / "front" / "chair.png"], VIEWS)
    assert isinstance(input_source(5, None), ImageSource)
