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

    def describe(self, artifact):
        {describe}

    @classmethod
    def labels(cls, request):
        {labels}
"""
FINE = {"ready": "pass", "submit": "return 'job'", "describe": "return ''", "labels": "return {}"}
SPEECH = """
from pydantic import model_validator
from genload.service import *
from genload.settings.speech import SpeechRequest

class Request(SpeechRequest):
    @model_validator(mode="after")
    def check(self):
        return {}[self.texts.lengths]

class Client(SpeechClient):
    Request = Request

    def ready(self):
        pass

    def speak(self, utterance):
        pass
"""


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
    assert "services/bad_labels.py:25 in labels: AttributeError" in said and "→ mend that line" in said


def test_settings_of_texts_that_raise_are_a_mistake_in_the_configuration(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "services" / "bad_texts.py").write_text(SPEECH)
    suite = SUITE.format(api="bad_texts", shape="normal").replace("generation3d", "speech")
    (project / "own.yaml").write_text(
        suite.replace("api: bad_texts", "api: bad_texts, request: {voices: [a]}")
    )
    assert main(["run", "own.yaml"]) == 2
    said = capsys.readouterr().err
    assert "services/bad_texts.py:9 in check: KeyError: None" in said and "→ mend that line" in said


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
@pytest.mark.parametrize(
    ("code", "place"),
    [
        ({"submit": "return 5"}, "11 in submit: ReturnedError: it must return a str"),
        ({"describe": "return {}['faces']"}, "21 in describe: KeyError: 'faces'"),
    ],
    ids=["submit", "describe"],
)
def test_try_tells_what_a_call_has_raised(
    code: dict[str, str], place: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = f"bad_{next(iter(code))}"
    assert main(["try", service(project, name, **code)]) == 3
    said = " ".join(capsys.readouterr().out.split())
    assert f": client_error services/{name}.py:{place}" in said
    assert "→ mend that line" in said and "Traceback" not in said
