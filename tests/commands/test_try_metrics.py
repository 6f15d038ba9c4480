"""Which metrics a suite counts on."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from genload.commands.try_.expected_metrics import ExpectedMetrics
from genload.extensions import Wings, builtin_folder
from genload.runlog.layout import SAMPLES
from genload.runlog.records import Sample
from genload.settings.criteria.parse import parse
from genload.settings.criteria.subjects import subjects
from genload.settings.loader import load_suite


@pytest.mark.parametrize(
    ("criterion", "names"),
    [
        ("server.memory.growth < 5%", ["server.memory"]),
        ("server.up.min == 1 and server.restarts.max == 0", ["server.up", "server.restarts"]),
        ("gpu.power.mean{phase=a} <= 120% of gpu.power.mean{phase=b}", ["gpu.power", "gpu.power"]),
        ("each(phase): gpu.temperature.max in 10..80", ["gpu.temperature"]),
    ],
)
def test_every_subject_of_a_criterion(criterion: str, names: list[str]) -> None:
    assert [subject.metric for subject in subjects(parse(criterion))] == names


def test_metrics_of_monitors_and_criteria_with_what_was_sampled(tmp_path: Path) -> None:
    overrides = [
        "scenarios.spike.criteria.cool=gpu.temperature.max < 80 and generate.failed == 0",
        "monitors.gpu=null",
        "monitors.llm_page={kind: exposition, series: {prom.tokens: a_total}}",
    ]
    folders = [builtin_folder("config") / "suites"]
    suite = load_suite("orfeas", folders=folders, wings=Wings(), overrides=overrides).suite
    expected = ExpectedMetrics(suite, ["spike"], Wings())
    samples = [
        Sample(t_s=0, monitor="exposition", values={"server.up": 0.0}, error="refused"),
        Sample(t_s=1, monitor="exposition", values={"server.up": 1.0, "server.memory": 2.0}),
        Sample(t_s=1, monitor="host", error="no such file"),
        Sample(t_s=1, monitor="readiness", values={"service.up": 1.0}),
        Sample(t_s=1, monitor="llm_page", values={"prom.tokens": 4.0}),
    ]
    lines = b"".join(msgspec.json.encode(sample) + b"\n" for sample in samples)
    (tmp_path / SAMPLES).write_bytes(lines + b'{"t_s": 2, "moni')
    assert expected.sampled(tmp_path, 1) and not expected.sampled(tmp_path, 2)
    expected.read(tmp_path, [])

    metrics = expected.metrics
    assert metrics["server.up"].values == [0.0, 1.0]
    assert metrics["server.up"].criteria == ["spike/survived"]
    assert metrics["server.memory"].origin == "process_resident_memory_bytes"
    assert metrics["server.memory"].criteria == []  # sustained judges it, and is not asked for
    assert (metrics["gpu.temperature"].monitors, metrics["gpu.temperature"].values) == ([], [])
    assert metrics["prom.tokens"].monitors == ["llm_page"]
    assert metrics["server.up"].monitors == ["exposition", "llm_page"]
    assert "generate.failed" not in metrics
    assert expected.troubles == {"host": "no such file"}  # the exposition's has passed
    assert expected.reached(metrics["prom.accepted"]), "the page came without it"
    assert not expected.reached(metrics["host.load"]), "the monitor that fills it had no answer"


def test_a_monitor_that_has_nothing_to_sample_is_not_waited_for(tmp_path: Path) -> None:
    folders = [builtin_folder("config") / "suites"]
    elsewhere = ["service.host=http://192.0.2.7:5000", "monitors.exposition=null", "monitors.readiness=null"]
    suite = load_suite("orfeas", folders=folders, wings=Wings(), overrides=elsewhere).suite
    expected = ExpectedMetrics(suite, ["sustained"], Wings())
    (tmp_path / SAMPLES).write_bytes(msgspec.json.encode(Sample(t_s=1, monitor="host")) + b"\n")
    assert expected.sampled(tmp_path, 1)
    assert expected.metrics["gpu.memory_used"].monitors == ["gpu"]
    assert "gpu.power" not in expected.metrics, "no criterion misses it"
