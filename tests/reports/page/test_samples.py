"""Outputs that failed, as parts of the page."""

from __future__ import annotations

import io
from base64 import b64decode
from pathlib import Path

import pytest
from PIL import Image

from genload.analysis.judged import JudgedRun
from genload.artifacts.mesh.still import SIZE
from genload.reporting.page import samples
from genload.reporting.page.samples import Samples

from .recorded_runs import job_records, keep_box, keep_silence, recorded


@pytest.fixture
def run(tmp_path: Path) -> JudgedRun:
    return recorded(tmp_path / "normal", job_records(20, failed_every=5))


@pytest.mark.processes
def test_a_mesh_is_a_still(run: JudgedRun, tmp_path: Path) -> None:
    keep_box(run)
    [sample] = Samples(tmp_path).of(run)
    assert (sample.error_class, sample.shows, sample.link) == (
        "job_failed",
        "image",
        "normal/failures/job_failed/1-a.stl",
    )
    kind, _, encoded = sample.source.partition(",")
    assert kind == "data:image/png;base64"
    picture = Image.open(io.BytesIO(b64decode(encoded))).convert("RGBA")
    assert picture.size == SIZE
    colors = {color for _, color in picture.getcolors(SIZE[0] * SIZE[1])}
    assert len({color for color in colors if color[3]}) >= 2  # faces in different light
    assert any(color[3] == 0 for color in colors)  # upon no ground


@pytest.mark.processes
@pytest.mark.parametrize("content", [b"", b"no mesh", bytes(84)])
def test_what_cannot_be_drawn_is_linked(run: JudgedRun, tmp_path: Path, content: bytes) -> None:
    keep_box(run).write_bytes(content)
    [sample] = Samples(tmp_path).of(run)
    assert (sample.shows, sample.source, sample.size_bytes) == ("", "", len(content))


def test_audio_can_be_played(run: JudgedRun, tmp_path: Path) -> None:
    path = keep_silence(run)
    [sample] = Samples(tmp_path).of(run)
    assert sample.shows == "audio"
    assert b64decode(sample.source.removeprefix("data:audio/wav;base64,")) == path.read_bytes()


def test_all_of_a_page_together_is_bounded(
    run: JudgedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = keep_silence(run).stat().st_size
    monkeypatch.setattr(samples, "MOST_BYTES", size * 2)  # one fits, as base64
    page = Samples(tmp_path)
    assert [page.of(run)[0].shows for _ in range(2)] == ["audio", ""]


def test_only_the_first_of_a_class_is_shown_and_no_traceback(run: JudgedRun, tmp_path: Path) -> None:
    keep_silence(run).with_name("2-b.wav").write_bytes(b"second")
    keep_silence(run).with_name("0-place.txt").write_text("Traceback")
    assert [sample.name for sample in Samples(tmp_path).of(run)] == ["1-a.wav"]


def test_nothing_kept_is_nothing_shown(run: JudgedRun, tmp_path: Path) -> None:
    assert Samples(tmp_path).of(run) == []
