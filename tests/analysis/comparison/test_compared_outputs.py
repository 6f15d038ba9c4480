"""What comes out, and what the machine did, compared as latencies are: speech, own words, GPUs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from genload.analysis.comparison import CompareSettings, MetricShift, compare
from genload.artifacts.inputs.codes import Codes
from genload.runlog.records import MonitorPlan, RequestRecord, Sample

from ..memory_log import LOAD_START_S, write
from ..speech_log import speech_run, spoken
from .builds import with_header

CODES = Codes(6)


def answers(rate: float, misheard: int) -> list[RequestRecord]:
    """60 answers of 20 characters each, at `rate` seconds of audio a character; some in another's words."""
    records = []
    for n in range(80):
        warm = n < 20
        code = CODES.code(n)
        seconds = 20 * rate * (1 + n % 3 / 100)
        record = spoken(
            n,
            -LOAD_START_S + n / 4 if warm else (n - 20) / 2,
            audio_duration_s=seconds,
            characters=20,
            valid=1,
        )
        record.said, record.labels = code, {"voice": "af_heart"}
        record.heard = CODES.code(n + 1) if 20 <= n < 20 + misheard else code
        record.warmup, record.phase = warm, "warmup" if warm else "steady"
        record.duration_s = 0.2 if warm else 1.0
        records.append(record)
    return records


def runs(folder: Path, side: int, *, rate: float = 0.07, misheard: int = 0, gpu: float = 1e10) -> list[Path]:
    """Three runs of one side."""
    found = []
    for n in range(3):
        log = speech_run(answers(rate * (1 + n / 1000), misheard))
        log.header.suite["service"]["request"] = {"texts": {"code": {"digits": 6}}}
        minute = 2 * n + side
        log.header = with_header(
            log.header,
            salt=f"s{minute}",
            started_at=f"2026-11-21T10:{minute:02}:00+00:00",
            monitors=[MonitorPlan(name="gpu", interval_s=1.0, metrics=["gpu.memory_used"])],
        )
        log.ticks = [
            Sample(t_s=LOAD_START_S + 0.5 + tick, monitor="gpu", values={"gpu.memory_used": gpu + n * 1e6})
            for tick in range(60)
        ]
        found.append(write(log, folder / f"{side}-{n}"))
    return found


@pytest.mark.parametrize(
    ("metric", "changed", "moved"),
    [
        ("speech.audio_per_character", {"rate": 0.056}, -0.2),  # cut off: faster, and worse
        ("speech.audio_per_character", {"rate": 0.084}, 0.2),  # drawn out
        ("speech.own_words", {"misheard": 12}, -0.2),
        ("gpu.memory_used.max", {"gpu": 1.3e10}, 0.3),
        ("gpu.memory_used.mean", {"gpu": 1.3e10}, 0.3),
    ],
)
def test_what_gets_worse_is_found(tmp_path: Path, metric: str, changed: dict[str, Any], moved: float) -> None:
    settings = CompareSettings(judge=(metric,))
    found = compare(runs(tmp_path, 0), runs(tmp_path, 1, **changed), settings)
    [judged] = found.judged
    assert isinstance(judged, MetricShift)
    assert judged.shift is not None
    assert judged.shift.value == pytest.approx(moved, abs=0.003)
    assert found.verdict == "regression"
    same = compare(runs(tmp_path / "same", 0), runs(tmp_path / "same", 1), settings)
    assert same.verdict == "no_regression"
