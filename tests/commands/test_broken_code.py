"""Code of users' that raises before a load, or in `genload try`: place and remedy, no traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from genload.cli import main

SUITE = """
service: {{api: {api}, host: "http://127.0.0.1:9"}}
locustfile: generation3d
scenarios:
  short: {{shape: {{kind: {shape}, users: 1, duration: 1s}}, criteria: {{good: generate.failed == 0}}}}
"""
SERVICE = """
from genload.service import *

class Client(JobClient):
    def ready(self):
        {ready}

    def upload(self, job):
        return "up"

    def submit(self, job, job_id):
        {submit}

    def poll(self, job_id):
        return JobState(JobPhase.COMPLETED)

    def fetch(self, job_id, state):
        return Artifact(b"", "", "")

    @classmethod
    def labels(cls, request):
        {labels}
"""
FINE = {"ready": "pass", "submit": "return 'job'", "labels": "return {}"}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for wing in ("services", "shapes"):
        (tmp_path / wing).mkdir()
    return tmp_path


def service(project: Path, name: str, **code: str) -> str:
    """A suite whose service has this code; under a name of its own, for a file is loaded once a process."""
    (project / "services" / f"{name}.py").write_text(SERVICE.format(**{**FINE, **code}))
    (project / "own.yaml").write_text(SUITE.format(api=name, shape="normal"))
    return "own.yaml"


def test_labels_that_raise_are_a_mistake_in_the_configuration(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", service(project, "bad_labels", labels="return request.nothing")]) == 2
    said = capsys.readouterr().err
    assert "services/bad_labels.py:22 in labels: AttributeError" in said and "→ mend that line" in said


def test_a_timeline_that_raises_is_a_mistake_in_the_configuration(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shape = (
        "from genload.extensions import shape_class\n\n"
        "class Broken(shape_class('normal')):\n"
        "    @classmethod\n"
        "    def timeline(cls, settings):\n"
        "        return [][0]\n"
    )
    (project / "shapes" / "broken.py").write_text(shape)
    (project / "own.yaml").write_text(SUITE.format(api="orfeas", shape="broken"))
    assert main(["run", "own.yaml"]) == 2
    assert "shapes/broken.py:6 in timeline: IndexError" in capsys.readouterr().err


def test_try_tells_of_a_service_that_cannot_be_asked(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["try", service(project, "bad_ready", ready="{}['status']")]) == 3
    said = capsys.readouterr().err
    assert "services/bad_ready.py:6 in ready: KeyError: 'status'" in said and "→ mend that line" in said


@pytest.mark.processes
def test_try_tells_what_a_call_has_raised(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["try", service(project, "bad_submit", submit="return 5")]) == 3
    said = " ".join(capsys.readouterr().out.split())
    assert ": client_error services/bad_submit.py:11 in submit: ReturnedError: it must return a str" in said
    assert "→ mend that line" in said and "Traceback" not in said
