"""Recorded traffic: when each request comes again, what it asks for, and what is no trace at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genload import extensions
from genload.artifacts.inputs import trace as traces
from genload.artifacts.inputs.images import ImageSource
from genload.artifacts.inputs.texts import TextSource
from genload.artifacts.inputs.trace import check_jobs, check_speech, images_of, read_trace
from genload.errors import ConfigError
from genload.settings.loader import load_suite
from genload.settings.phases import Ask, Timeline
from genload.settings.scaling import scale
from genload.settings.scenario_catalogue import scenario_catalogue
from genload.settings.speech import Texts

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(*rows: dict[str, Any] | str) -> Path:
        path = tmp_path / "trace.jsonl"
        lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
        path.write_text("\n".join(lines) + "\n")
        return path

    return write


def timeline(path: Path, **settings: Any) -> Timeline:
    shape = extensions.shape_class("replay")
    found: Timeline = shape.timeline(shape.Settings(kind="replay", file=str(path), **settings))
    return found


def moments(load: Timeline) -> list[float]:
    return [load.arrival(number)[1] for number in range(load.arrivals or 0)]


def test_requests_come_when_they_came_on_whatever_clock(write: Write) -> None:
    path = write({"at": 1.7e9}, {"at": 1.7e9 + 0.5}, "", {"at": 1.7e9 + 0.5}, {"at": 1.7e9 + 3})
    load = timeline(path)
    assert moments(load) == pytest.approx([0, 0.5, 0.5, 3])
    # It lasts the mean pause longer than its last arrival: four in 4 s are the rate of the trace.
    assert load.duration_s == pytest.approx(4)
    assert [(p.name, p.arrivals, p.users) for p in load.phases] == [("replay", 4, 4)]
    assert load.ask(0) is None
    assert moments(timeline(path, speed=2.0)) == pytest.approx([0, 0.25, 0.25, 1.5])
    assert timeline(path, max_in_flight=2).max_users == 2
    assert timeline(write({"at": 7})).duration_s == 1.0


def test_each_arrival_asks_for_what_its_line_says(write: Write) -> None:
    path = write(
        {"at": 0, "text": "Good evening.", "voice": "af_heart"}, {"at": 1, "length": "long"}, {"at": 2}
    )
    load = timeline(path)
    assert [(ask.text, ask.voice, ask.length, ask.line) for ask in load.asks] == [
        ("Good evening.", "af_heart", "", 1),
        ("", "", "long", 2),
        ("", "", "", 3),
    ]
    assert load.ask(-1) is None  # of the warm-up
    texts = TextSource(Texts(lengths=("short",)), ["am_adam"], seed=1, salt="run")
    said = [texts.asked(number, ask) for number, ask in enumerate(load.asks)]
    # With a word of its own, so that no cache answers: as every text of the user's own.
    assert said[0].text.startswith("Good evening. ") and len(said[0].text) > len("Good evening. ")
    assert [(each.voice, each.length) for each in said] == [
        ("af_heart", ""),
        ("am_adam", "long"),
        ("am_adam", "short"),
    ]
    assert [len(each.text) for each in said[1:]] == [246, 5]


def test_a_picture_is_the_one_that_is_named_with_other_bytes(write: Write, tmp_path: Path) -> None:
    from PIL import Image

    Image.new("RGB", (320, 320), "red").save(tmp_path / "red.png")
    content = (tmp_path / "red.png").read_bytes()
    asks = timeline(write({"at": 0, "image": "red.png"}, {"at": 1, "image": "red.png"}, {"at": 2})).asks
    check_jobs(asks)
    images = ImageSource(1, None, images_of(asks))
    first, second, drawn = (images.image("local", 0, k, ask.image) for k, ask in enumerate(asks))
    assert first.content != second.content != drawn.content
    assert len(first.content) - len(content) == len(second.content) - len(content) < 100
    with pytest.raises(ConfigError, match="the image cannot be used"):
        ImageSource(1, None, images_of(timeline(write({"at": 0, "image": "blue.png"})).asks))


@pytest.mark.parametrize(
    ("rows", "line", "message"),
    [
        ([{"at": 5}, {"at": 4.5}], 2, "4.5 s comes before the arrival above it, at 5 s"),
        ([{"at": 0}, {"at": 86_400.0}], 2, "nothing comes for 24 h before it, and 60 min are allowed"),
        ([{"at": 0, "colour": "red"}], 1, "not a row: Object contains unknown field `colour`"),
        ([{"at": "noon"}], 1, "Expected `float`, got `str`"),
        ([{"text": "hello"}], 1, "missing required field `at`"),
        ([{"at": 0}, "at 5"], 2, "JSON is malformed"),
        ([{"at": 0, "text": " "}], 1, "the text is empty"),
        ([{"at": 0, "text": "a", "image": "a.png"}], 1, "a text or an image, and not for both"),
        ([""], None, "the file holds no row"),
    ],
)
def test_what_is_no_trace_is_told_by_its_line(
    write: Write, rows: list[Any], line: int | None, message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        timeline(write(*rows))
    assert message in caught.value.message
    assert (caught.value.line, caught.value.file.endswith("trace.jsonl")) == (line, True)
    assert caught.value.remedy


def test_a_pause_of_a_day_can_be_meant(write: Write) -> None:
    path = write({"at": 0}, {"at": 86_400.0})
    assert moments(timeline(path, longest_gap_s=90_000.0, speed=864.0)) == [0, 100]


def test_a_million_rows_are_counted_before_they_are_read(write: Write) -> None:
    path = write(*['{"at": 0}'] * 1_000_000)
    with pytest.raises(ConfigError, match="1,000,000 rows, and 500,000 are the most") as caught:
        timeline(path)
    assert "head -n 500000" in caught.value.remedy


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        timeline(tmp_path / "none.jsonl")


def test_a_line_for_another_kind_of_service_is_told() -> None:
    with pytest.raises(ConfigError, match="an image of a service that speaks"):
        check_speech([Ask(), Ask(image="a.png", file="t", line=2)], ["short"])
    with pytest.raises(ConfigError, match="'huge' is no class of length"):
        check_speech([Ask(text="a", length="huge"), Ask(length="huge", file="t", line=2)], ["short"])
    with pytest.raises(ConfigError, match="speech of a service that takes images"):
        check_jobs([Ask(voice="af_heart", file="t", line=1)])


def test_a_worker_replays_the_file_that_the_run_was_started_with(write: Write) -> None:
    path = write({"at": 0}, {"at": 1})
    shape = extensions.shape_class("replay")
    settings = shape.Settings(kind="replay", file=str(path)).of_run(1)
    assert shape.timeline(settings).arrivals == 2
    write({"at": 0}, {"at": 1}, {"at": 2})
    with pytest.raises(ConfigError, match="another file than where the run was started"):
        shape.timeline(settings)


def test_a_suite_scales_it_and_knows_what_it_asks_for(write: Write, tmp_path: Path) -> None:
    path = write(
        {"at": 0, "voice": "bm_new", "length": "long"}, {"at": 50, "text": "Hello.", "length": "own"}
    )
    suite_file = tmp_path / "again.yaml"
    suite_file.write_text(
        f"extends: litetts\nscenarios:\n  again:\n    shape: {{kind: replay, file: {path}, speed: 2}}\n"
        "    criteria: {own: 'speech.failed{length=own} == 0', new: 'speech.failed{voice=bm_new} == 0'}\n"
    )
    wings = extensions.Wings()
    suite = load_suite(str(suite_file), folders=extensions.suite_folders(), wings=wings).suite
    labels = scenario_catalogue(suite, "again", wings).labels
    assert {"own", "long"} <= set(labels["length"]) and "bm_new" in labels["voice"]
    scaled = wings.timeline(scale(suite, 0.1, wings).scenarios["again"].shape)
    assert moments(scaled) == pytest.approx([0, 2.5])


def test_a_trace_is_read_once_until_it_changes(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path, read = write({"at": 0}), []
    before = traces.read_json_lines
    monkeypatch.setattr(traces, "read_json_lines", lambda *a, **k: read.append(1) or before(*a, **k))
    assert read_trace(path, 1.0) is read_trace(path, 1.0)
    assert len(read) == 1
    write({"at": 0}, {"at": 1})
    assert len(read_trace(path, 1.0).at_s) == 2
