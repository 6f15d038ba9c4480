"""What each kind of process imports: runs wait for it as they start and end, and memory holds it."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"numpy", "scipy", "PIL", "trimesh", "soundfile", "prometheus_client", "rich"}
LOCUST = "import locust.main; import genload.harness.plugin; "
RUN = """
from pathlib import Path
from genload.commands.run.command import run
from genload.commands.run.suite_run import run_suites
from genload.targets import RunRequest, with_followers
with_followers(RunRequest(("demo/spike",), host=None, results=Path("results")))
"""

# With a truth log that cannot be: it ends when it has imported everything.
TESTBED = """
import sys
from testbed.__main__ import main
sys.argv = ["testbed", "--truth", "/no/such/folder/truth.jsonl", "--port", "0"]
assert main() == 2
assert "trimesh" in sys.modules
"""


@pytest.mark.processes
@pytest.mark.parametrize(
    ("program", "not_there"),
    [
        pytest.param(
            f"{LOCUST} import genload.harness.speech_user, genload.streamed.messages; "
            "import genload.described.speech.dialect",
            HEAVY
            | {"genload.analysis.judge", "wsproto"}
            | {"genload.artifacts.mesh", "genload.described.description", "genload.drivers.job_driver"},
            id="speech users",
        ),
        pytest.param(f"{LOCUST} import genload.harness.job_user", HEAVY, id="job users"),
        pytest.param(
            RUN, HEAVY - {"prometheus_client", "rich"} | {"locust", "genload.analysis"}, id="genload run"
        ),
        pytest.param("import genload.sampler.child", HEAVY | {"gevent"}, id="monitors"),
        pytest.param(
            "import genload.analysis.judge, genload.reporting",
            HEAVY - {"numpy", "scipy"}
            | {"scipy.stats", "numpy.f2py", "numpy.ma", "unittest", "gevent", "locust", "genload.client"},
            id="judging",
        ),
        pytest.param(TESTBED, {"scipy", "meshio", "genload"}, id="testbed of meshes"),
        pytest.param(
            "import genload.artifacts.inspector.child, genload.artifacts.audio.reader",
            {"trimesh", "scipy", "PIL", "gevent", "pydantic"},
            id="inspecting audio",
        ),
        pytest.param(
            "import genload.artifacts.inspector.child, genload.artifacts.mesh.reader",
            {"soundfile", "gevent", "pydantic"},
            id="inspecting meshes",
        ),
    ],
)
def test_nothing_is_imported_that_is_not_needed(program: str, not_there: set[str]) -> None:
    told = subprocess.run(
        [sys.executable, "-c", f"{program}\nimport sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        timeout=200,
    )
    assert set(told.stdout.split()) & not_there == set()
