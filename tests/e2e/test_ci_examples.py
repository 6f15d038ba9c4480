"""The examples for CI: their formats, and their very commands, against a testbed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from ..conftest import Testbed

pytestmark = pytest.mark.processes

CI = Path(__file__).resolve().parents[2] / "config" / "ci"
BIN = Path(sys.executable).parent
INSTALL = "pip install genload"  # the tests' own environment has it


def example(name: str) -> Any:
    return yaml.safe_load((CI / f"{name}.yaml").read_text(encoding="utf-8"))


def test_actionlint_finds_nothing_to_say() -> None:
    done = subprocess.run(
        [BIN / "actionlint", CI / "github.yaml"], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_job_of_gitlab_is_as_its_schema_wants_it() -> None:
    text = (files("check_jsonschema") / "builtin_schemas/vendor/gitlab-ci.json").read_text(encoding="utf-8")
    schema = json.loads(text)
    jsonschema.validate(example("gitlab"), schema)
    misspelt = {"load-test": {**example("gitlab")["load-test"], "after_scripts": []}}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(misspelt, schema)


def test_their_commands_run_a_scenario_and_leave_what_is_published(
    testbed: Callable[..., Testbed], short_suite: Callable[..., str], tmp_path: Path
) -> None:
    server = testbed(service_time="300ms", slots=20)
    summary = tmp_path / "summary.md"
    environ = {
        **os.environ,
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "SUITE": short_suite(duration="1s"),
        "HOST": server.url,
        "GITHUB_STEP_SUMMARY": str(summary),
    }

    def run(command: str) -> str:
        words = ["bash", "-e", "-c", command]
        done = subprocess.run(words, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=200)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    workflow, job = example("github")["jobs"]["load"], example("gitlab")["load-test"]
    steps = {step["run"]: step for step in workflow["steps"] if "run" in step}
    [install, load, tell] = steps
    assert [install, load] == job["script"]
    assert install == INSTALL
    assert {word.strip('"').lstrip("$") for word in load.split() if "$" in word} == workflow["env"].keys()
    run(load)
    run(tell)
    assert steps[tell]["if"] == "always()"
    [report, junit] = _published(workflow)
    told = "".join(map(run, job["after_script"]))
    assert told == summary.read_text() != ""
    assert "short" in told
    [page] = (tmp_path / report).glob("*/report.html")
    assert (tmp_path / "report.html").read_bytes() == page.read_bytes()
    assert junit == job["artifacts"]["reports"]["junit"]
    [tests] = tmp_path.glob(junit)
    cases = ElementTree.parse(tests).getroot().iter("testcase")  # noqa: S314  our own file
    assert "all_good" in {case.get("name") for case in cases}
    assert job["artifacts"]["paths"] == ["report.html", report]


def _published(workflow: Any) -> tuple[str, str]:
    """What is kept, and what is shown as tests."""
    used = {step["uses"].partition("@")[0]: step for step in workflow["steps"] if "uses" in step}
    kept, shown = used["actions/upload-artifact"], used["mikepenz/action-junit-report"]
    assert kept["if"] == shown["if"] == "always()"
    return kept["with"]["path"], shown["with"]["report_paths"]
