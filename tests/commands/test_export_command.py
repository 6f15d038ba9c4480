"""`genload export`: the records as tables, for a spreadsheet, pandas or a database."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import pyarrow.parquet
import pytest

from genload.cli import main
from genload.runlog.records import RequestRecord

from ..analysis.memory_log import job, sound_run, write

CALL = RequestRecord(source="local", n=3, name="upload", type="POST", request_id="a")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    records = [
        job(
            0,
            0.0,
            1.0,
            request_id="a",
            stages={"run": 1.0},
            numbers={"faces": 12.0},
            labels={"voice": "bella"},
        ),
        job(1, 1.5, 2.0, "failed", request_id="b", error_class="job_failed", error="=1+1\nsecond line"),
        job(2, 2.0, 1.0, request_id="c", drained=True, intended_s=11.0),
        CALL,
    ]
    return write(sound_run(records, load_s=5.0), tmp_path / "normal")


def test_a_row_a_request_and_a_row_a_sample(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(run)]) == 0
    files = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert files == [run / "export" / "requests.csv", run / "export" / "samples.csv"]
    with files[0].open(newline="") as file:
        first, second, third = csv.DictReader(file)
    assert (first["request_id"], first["start_s"], first["duration_s"]) == ("a", "10.0", "1.0")
    assert (first["stage.run"], first["number.faces"], first["label.voice"]) == ("1.0", "12.0", "bella")
    assert (second["outcome"], second["stage.run"], second["label.voice"]) == ("failed", "", "")
    assert second["error"] == "'=1+1 second line"  # no formula, one line
    assert (third["drained"], third["intended_s"], third["latency_s"]) == ("1", "11.0", "2.0")
    with files[1].open(newline="") as file:
        samples = list(csv.DictReader(file))
    assert len(samples) == 10
    assert samples[1] == {
        "t_s": "10.5",
        "monitor": "exposition",
        "metric": "server.memory",
        "value": "1000000000.0",
    }


def test_parquet_has_the_same_with_types(run: Path, tmp_path: Path) -> None:
    assert main(["export", str(run), "--to", "parquet", "--into", str(tmp_path / "tables")]) == 0
    table = pyarrow.parquet.read_table(tmp_path / "tables" / "requests.parquet").to_pylist()
    assert [row["request_id"] for row in table] == ["a", "b", "c"]
    assert (table[0]["number.faces"], table[1]["number.faces"], table[2]["drained"]) == (12.0, None, True)
    assert table[1]["error"] == "=1+1\nsecond line"
    assert pyarrow.parquet.read_table(tmp_path / "tables" / "samples.parquet").num_rows == 10


def test_without_pyarrow_it_says_what_to_install(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    assert main(["export", str(run), "--to", "parquet"]) == 2
    assert "pip install 'genload[parquet]'" in capsys.readouterr().err
    assert not (run / "export").exists()


def test_a_folder_that_cannot_be_written_is_a_line(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (run / "taken").write_text("")
    assert main(["export", str(run), "--into", str(run / "taken")]) == 2
    assert "cannot write into" in capsys.readouterr().err
