"""Every YAML that a reader is shown is valid, and every whole suite among it runs to the verdict named here.

A block is a whole suite, or a fragment that is laid on a built-in suite at a place of it. A new block in a
document has to be entered here.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from genload import extensions
from genload.settings.loader import load_suite

from ..busy_machine import PATIENT

ROOT = Path(__file__).resolve().parents[2]
SUITES = extensions.builtin_folder("config") / "suites"
BY_SCENARIO = "criteria by scenario"

# By document and the number of the block in it: the service that it is for, and the scenario that is run.
WHOLE = {
    ("README.md", 0): ("orfeas", "peak"),
    ("docs/suites.md", 0): ("orfeas", "peak"),
    ("docs/suites.md", 1): ("orfeas", "peak"),
    ("docs/suites.md", 2): ("orfeas at 77 s", "baseline"),
    ("docs/suites.md", 3): ("orfeas at 77 s", "baseline"),
    ("docs/speech-services.md", 0): ("kokoro", "crowd"),
    ("docs/your-own-service.md", 0): ("job", "steady"),
    ("docs/your-own-service.md", 1): ("job", "steady"),
}
SCALE = "0.01"
# By service: its testbed, far from what its suites want at most, and options of the run.
SPOKEN = {"api": "kokoro", "engine": "tone", "pace": "0s", "chunk": "500ms"}
MADE = {"service_time": "40s", "slots": "20", "time_scale": SCALE}
SERVICES: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "orfeas": (
        {"api": "orfeas", **MADE},
        ("--time-scale", SCALE, "--set", "scenarios.peak.shape.duration=3min"),
    ),
    "orfeas at 77 s": ({"api": "orfeas", **MADE, "service_time": "77s"}, ("--time-scale", SCALE)),
    "job": ({"api": "job", **MADE}, ("--time-scale", SCALE, "--set", "scenarios.steady.shape.duration=3min")),
    "kokoro": (SPOKEN, ()),
}
# The suite that a fragment is laid on, and where.
FRAGMENTS = {
    ("docs/capacity.md", 0): ("litetts", ""),
    ("docs/capacity.md", 1): ("litetts", "scenarios.listeners"),
    ("docs/criteria.md", 0): ("orfeas", "scenarios.spike"),
    ("docs/endings.md", 0): ("orfeas", ""),
    ("docs/metrics-contract.md", 0): ("orfeas", ""),
    ("docs/metrics-contract.md", 1): ("orfeas", "monitors.exposition"),
    ("docs/metrics-contract.md", 2): ("orfeas", "monitors.exposition"),
    ("docs/metrics-contract.md", 3): ("orfeas", "scenarios.peak"),
    ("docs/metrics-contract.md", 4): ("orfeas", ""),
    ("docs/monitors.md", 0): ("orfeas", ""),
    ("docs/monitors.md", 1): ("orfeas", ""),
    ("docs/monitors.md", 2): ("orfeas", ""),
    ("docs/outputs.md", 0): ("sglang_meshes", ""),
    ("docs/outputs.md", 1): ("sglang_meshes", ""),
    ("docs/prometheus.md", 0): ("orfeas", ""),
    ("docs/reports.md", 0): ("orfeas", "scenarios.peak.criteria"),
    ("docs/reports.md", 1): ("orfeas", BY_SCENARIO),
    ("docs/reports.md", 2): ("orfeas", ""),
    ("docs/shapes.md", 0): ("orfeas", ""),
    ("docs/speech.md", 0): ("litetts", "service"),
    ("docs/speech.md", 1): ("litetts", ""),
    ("docs/speech.md", 2): ("litetts", "service"),
    ("docs/tenants.md", 0): ("orfeas", ""),
}
# With what they need beside them: test_contributing_examples.py loads the first, test_wheel.py runs it and
# the second, test_real_speech.py the third. Those of docs/described are run by test_described_pages.py.
ELSEWHERE = {("CONTRIBUTING.md", 0), ("docs/your-own-service.md", 2), ("docs/speech-services.md", 1)}
# For other programs: a Prometheus, and kubectl (their like is in config/, which test_stack.py and
# test_kubernetes.py hold).
ELSEWHERE |= {("docs/operating.md", 0), ("docs/operating.md", 1)}
# A window of 10 minutes needs a load that is as long.
NEEDS = {("docs/criteria.md", 0): ("scenarios.spike.shape.before=10min",)}
TOKENS = {"ORFEAS_TOKEN": "t", "TTS_TOKEN": "t", "IMAGE_DIGEST": "sha256:0"}


def blocks() -> dict[tuple[str, int], str]:
    found = {}
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))):
        texts = re.findall(r"^```yaml.*?\n(.*?)^```", path.read_text(encoding="utf-8"), re.M | re.S)
        found |= {(str(path.relative_to(ROOT)), n): text for n, text in enumerate(texts)}
    return found


BLOCKS = blocks()


def laid_on(base: str, place: str, fragment: Any) -> dict[str, Any]:
    """A suite that extends another one by a fragment."""
    if place == BY_SCENARIO:
        fragment = {"scenarios": {name: {"criteria": criteria} for name, criteria in fragment.items()}}
        place = ""
    for key in reversed(place.split(".") if place else []):
        fragment = {key: fragment}
    return {"extends": base, **fragment}


def test_every_block_is_known() -> None:
    assert set(BLOCKS) == set(WHOLE) | set(FRAGMENTS) | ELSEWHERE


@pytest.mark.parametrize("block", [*WHOLE, *FRAGMENTS], ids=lambda block: f"{block[0]}-{block[1]}")
def test_every_block_is_a_valid_suite_or_fragment(block: tuple[str, int], tmp_path: Path) -> None:
    text = BLOCKS[block]
    if block in FRAGMENTS:
        text = yaml.safe_dump(laid_on(*FRAGMENTS[block], yaml.safe_load(text)))
    path = tmp_path / "example.yaml"
    path.write_text(text, encoding="utf-8")

    loaded = load_suite(str(path), folders=[SUITES], wings=extensions.Wings(), overrides=NEEDS.get(block, ()))

    assert block in FRAGMENTS or WHOLE[block][1] in loaded.suite.scenarios


@pytest.mark.processes
@pytest.mark.parametrize("service", SERVICES)
def test_every_whole_suite_runs_to_its_verdict(
    service: str, tmp_path: Path, testbed: Callable[..., Any]
) -> None:
    modelled, options = SERVICES[service]
    server, scenarios = testbed(**modelled), {}
    for number, (block, (of, scenario)) in enumerate(WHOLE.items()):
        if of == service:
            (tmp_path / f"example{number}.yaml").write_text(BLOCKS[block], encoding="utf-8")
            scenarios[f"example{number}"] = scenario

    command = [sys.executable, "-m", "genload", "run"]
    command += [f"{name}.yaml/{scenario}" for name, scenario in scenarios.items()]
    command += ["--host", server.url, *PATIENT, "--set", "watch_idle=0s", *options]
    done = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, **TOKENS}, capture_output=True, text=True, timeout=280
    )

    for name, scenario in scenarios.items():
        (path,) = tmp_path.glob(f"results/{name}-*/results_{scenario}.json")
        assert json.loads(path.read_text())["verdict"]["result"] == "pass", done.stdout + done.stderr
    assert done.returncode == 0, done.stdout + done.stderr
