"""What CONTRIBUTING.md shows is complete and true. That it all runs together: test_wheel.py."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from genload import extensions
from genload.cli import main
from genload.errors import ConfigError
from genload.monitor import Monitor
from genload.runlog.records import Sample
from genload.service import JobClient, SpeechClient
from genload.settings.loader import load_suite
from genload.settings.scenario_catalogue import scenario_catalogue

from ..analysis.memory_log import job, sound_run, write

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def project(example_project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(example_project)
    return example_project


def test_there_is_one_example_for_each_seam(examples: dict[str, str]) -> None:
    wings = [name.split("/")[0] for name in examples]

    assert sorted(wings) == ["mine.yaml", "monitors", "reports", "reports", "services", "services", "shapes"]


@pytest.mark.processes
def test_they_meet_our_own_style(project: Path) -> None:
    ruff, rules = str(Path(sys.executable).parent / "ruff"), str(ROOT / "pyproject.toml")
    for check in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [ruff, *check, "--config", rules, "."], cwd=project, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_shape_climbs_in_equal_steps(project: Path) -> None:
    shape = extensions.shape_class("staircase")
    settings = shape.Settings.model_validate({"kind": "staircase", "users": 2, "steps": 3, "step": "10s"})

    phases = shape.timeline(settings).phases

    assert [(phase.name, phase.users, phase.duration_s) for phase in phases] == [
        ("step1", 2, 10.0),
        ("step2", 4, 10.0),
        ("step3", 6, 10.0),
    ]


def test_the_monitor_samples_this_process(project: Path) -> None:
    kind = extensions.attribute("monitors", "local_process", "Monitor")
    (project / "testbed.pid").write_text(str(os.getpid()))
    monitor: Monitor = kind(kind.Settings.model_validate({"pid_file": "testbed.pid"}), "http://127.0.0.1:1")

    monitor.open()
    values = monitor.sample()

    assert set(values) == set(monitor.metrics)
    assert values["server.up"] == 1.0
    assert values["server.memory"] > 10_000_000


@pytest.mark.parametrize(("service", "kind"), [("relief", JobClient), ("reader", SpeechClient)])
def test_a_service_is_a_whole_client(service: str, kind: type, project: Path) -> None:
    client = extensions.attribute("services", service, "Client")

    assert issubclass(client, kind)
    assert not client.__abstractmethods__


READS = """
purpose: Does the example speak?
service: {{api: reader, host: {host}, request: {{voices: [alloy], format: {format}}}}}
locustfile: speech
scenarios:
  once:
    shape: {{kind: baseline, iterations: 1}}
"""


@pytest.mark.processes
@pytest.mark.parametrize(("format", "told"), [("wav", "wav"), ("mp3", "mp3")])
def test_the_client_of_speech_speaks(
    format: str, told: str, project: Path, shared_testbed: Callable[..., Any]
) -> None:
    server = shared_testbed(api="openai", engine="tone", pace="1ms")
    (project / "reads.yaml").write_text(READS.format(host=server.url, format=format))

    done = subprocess.run(
        [sys.executable, "-m", "genload", "try", "reads.yaml"],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=200,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert told in done.stdout, done.stdout


@pytest.mark.parametrize("criteria", [[], ["--criteria", "others.yaml"]])
def test_the_chart_draws_the_requests_and_samples_of_a_recorded_run(
    criteria: list[str], project: Path
) -> None:
    records = [job(0, 0.0, 5.0), job(1, 10.0, 20.0, "failed"), job(2, 50.0, 20.0)]
    log = sound_run(records, {"all": "generate.attempted == 3"}, reports=["one_line", "points"])
    log.ticks = [
        Sample(t_s=t_s, monitor="exposition", values={"server.memory": memory})
        for t_s, memory in ((20.0, 1e9), (40.0, 2e9))
    ]
    run = write(log, project / "results" / "normal")
    (project / "others.yaml").write_text("all: generate.attempted == 3\n")

    main(["report", str(run), *criteria])

    into = run / "judged-by-others" if criteria else run
    chart = ElementTree.parse(into / "points_1.svg").getroot()  # noqa: S314  our own file
    circles = [[circle.get(name) for name in ("cx", "cy", "fill")] for circle in chart.findall("{*}circle")]
    assert circles == [["100.0", "150.0", "navy"], ["200.0", "0.0", "red"], ["600.0", "0.0", "navy"]]
    assert [line.get("points") for line in chart.findall("{*}polyline")] == ["200.0,100.0 400.0,0.0"]


def test_the_chart_is_a_small_file(examples: dict[str, str]) -> None:
    assert len([line for line in examples["reports/points.py"].splitlines() if line]) <= 25


@pytest.mark.processes
@pytest.mark.parametrize(
    ("inspection", "told"),
    [
        ("", "validator: faces"),
        ("    def inspect(self, artifact: Artifact) -> None: ...\n", "validator: faces"),
        ('    inspection = "none"\n', "output not inspected: the service file wants it so"),
        ('    inspection = "picture"\n', "asks for the inspection 'picture'"),
    ],
)
def test_an_output_is_inspected_unless_the_client_wants_none(
    inspection: str, told: str, project: Path, shared_testbed: Callable[..., Any]
) -> None:
    path = project / "services" / "relief.py"
    text = path.read_text(encoding="utf-8")
    own = re.search(r"    def inspect\(.*?\n\n", text, re.DOTALL)
    assert own
    path.write_text(text.replace(own[0], f"{inspection}\n" if inspection else own[0]), encoding="utf-8")
    if "none" in inspection:  # then there is no number of triangles, and no criterion may name it
        suite = project / "mine.yaml"
        suite.write_text(suite.read_text().replace("generate.faces.min >= 12", "generate.completed > 0"))
    (project / "testbed.pid").write_text(str(os.getpid()))
    server = shared_testbed(service_time="10s", time_scale="0.02")
    command = [sys.executable, "-m", "genload", "try", "mine.yaml", "--host", server.url]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=200)

    assert told in done.stdout + done.stderr
    assert done.returncode == (2 if "picture" in inspection else 0), done.stdout + done.stderr


def test_the_suite_is_valid_with_the_examples_beside_it(project: Path) -> None:
    suite = load_suite("mine.yaml", folders=[], wings=extensions.Wings()).suite

    assert suite.service.api == "relief"
    assert suite.monitors["local_process"].model_dump()["pid_file"] == "testbed.pid"
    assert suite.scenarios["stairs"].shape.model_dump()["step"] == "120s"
    assert not suite.scenarios["stairs"].criteria["memory_stable"].must


@pytest.mark.parametrize(
    "rule", ["generate.sizes.min >= 12B", "process.switch.slope < 1/s", "generate.size.min >= 12s"]
)
def test_what_nobody_declared_is_refused_before_the_load(project: Path, rule: str) -> None:
    with pytest.raises(ConfigError, match=r"unknown metric|does not fit"):
        load_suite(
            "mine.yaml",
            folders=[],
            overrides=[f"scenarios.stairs.criteria.more={rule}"],
            wings=extensions.Wings(),
        )


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("generate.duration", "which genload has already"),
        ("speech.size", "declares the metric"),
        ("size", "declares"),
    ],
)
def test_a_file_declares_names_of_its_own(project: Path, name: str, reason: str) -> None:
    path = project / "services" / "relief.py"
    path.write_text(path.read_text().replace('"generate.size"', f'"{name}"'))
    (project / "services" / "other.py").write_text(path.read_text())
    with pytest.raises(ConfigError, match=reason):
        extensions.Wings().request_metrics("other")


def test_what_files_declare_says_so(project: Path) -> None:
    suite = load_suite("mine.yaml", folders=[], wings=extensions.Wings()).suite
    known = scenario_catalogue(suite, "stairs", extensions.Wings()).metrics
    declared = {
        known[name].name: known[name].declared_by
        for name in ("generate.faces", "generate.size", "process.switches", "server.up")
    }
    assert declared == {
        "generate.faces": "genload",
        "generate.size": "services/relief.py",
        "process.switches": "monitors/local_process.py",
        "server.up": "genload",
    }
    assert {m.declared_by for m in extensions.Wings().request_metrics("speech")} == {"genload"}
