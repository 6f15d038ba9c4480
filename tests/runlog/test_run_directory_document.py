"""docs/run-directory.md says what the record types say: every field, every event, examples that are read."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from genload.artifacts.audio.playback import gap_length_s
from genload.runlog.records import Event, RequestRecord, RunHeader, Sample

DOCUMENT = (Path(__file__).parents[2] / "docs" / "run-directory.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", DOCUMENT, re.MULTILINE | re.DOTALL))


def first_cells(section: str) -> list[str]:
    """The names in backticks in the first column of a section's table."""
    rows = re.findall(r"^\| (`[^|]*) \|", SECTIONS[section], re.MULTILINE)
    return [name for row in rows for name in re.findall(r"`(\w+)`", row)]


def examples(section: str) -> list[str]:
    block = re.search(r"^```json\n(.*?)^```$", SECTIONS[section], re.MULTILINE | re.DOTALL)
    assert block
    return block[1].splitlines()


@pytest.mark.parametrize(
    ("section", "kind"),
    [("run.json", RunHeader), ("requests.jsonl", RequestRecord), ("samples.jsonl", Sample)],
)
def test_every_field_is_described_and_no_other(section: str, kind: type[msgspec.Struct]) -> None:
    assert first_cells(section) == list(kind.__struct_fields__)


def test_every_event_is_described_with_its_fields() -> None:
    rows = re.findall(r"^\| `(\w+)` \|[^|]*\| (.*?) \|$", SECTIONS["events.jsonl"], re.MULTILINE)
    described = {name: re.findall(r"`(\w+)`", fields) for name, fields in rows}
    assert described == {
        str(kind.__struct_config__.tag): list(kind.__struct_fields__) for kind in get_args(Event)
    }


@pytest.mark.parametrize(
    ("section", "kind"),
    [("requests.jsonl", RequestRecord), ("events.jsonl", Event), ("samples.jsonl", Sample)],
)
def test_the_examples_are_lines_as_they_are_written(section: str, kind: Any) -> None:
    for line in examples(section):
        record = msgspec.json.decode(line, type=kind)
        assert msgspec.json.decode(msgspec.json.encode(record)) == msgspec.json.decode(line)


def test_the_stages_of_the_example_add_up() -> None:
    record = msgspec.json.decode(examples("requests.jsonl")[0], type=RequestRecord)
    assert sum(record.stages.values()) == pytest.approx(record.duration_s)


def test_the_python_example_runs(
    small_run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    block = re.search(r"^```python\n(.*?open_run.*?)^```$", SECTIONS["Reading it"], re.MULTILINE | re.DOTALL)
    assert block
    path = re.search(r'Path\("(.*?)"\)', block[1])
    assert path
    monkeypatch.chdir(small_run.parent)
    shutil.copytree(small_run, path[1])
    exec(block[1], {})  # noqa: S102  our own document
    assert capsys.readouterr().out.endswith("[] {}\n")


def test_the_latency_of_the_speech_example_is_as_the_table_says() -> None:
    record = msgspec.json.decode(examples("requests.jsonl")[2], type=RequestRecord)
    assert record.intended_s is not None
    assert record.numbers["start_delay_s"] == pytest.approx(record.start_s - record.intended_s)
    assert record.numbers["rtf"] == pytest.approx(record.duration_s / record.numbers["audio_duration_s"])
    assert gap_length_s(384) == pytest.approx(record.numbers["gap_max_s"], rel=0.01)
