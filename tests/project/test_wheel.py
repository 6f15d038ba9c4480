"""The wheel, alone in an empty environment, in a folder whose files have the names of our wings."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ..busy_machine import PATIENT
from ..described.foundry import TOKEN, Assets, Foundry
from ..described.imitations import served

ROOT = Path(__file__).resolve().parents[2]
WINGS = ("config", "locustfiles", "monitors", "reports", "services", "shapes")

pytestmark = pytest.mark.processes


def run(*command: str | Path, cwd: Path, timeout_s: float = 300) -> str:
    """Output of a command that succeeds."""
    done = subprocess.run(
        [str(word) for word in command], cwd=cwd, capture_output=True, text=True, timeout=timeout_s
    )
    assert done.returncode == 0, f"{command}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ".", cwd=ROOT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment that holds the wheel and its pinned dependencies, nothing else."""
    folder = tmp_path_factory.mktemp("environment") / "venv"
    uv = Path(sys.executable).parent / "uv"
    run(uv, "venv", "--quiet", "--python", sys.executable, folder, cwd=folder.parent)
    run(
        *(uv, "pip", "install", "--quiet", "--python", folder / "bin" / "python"),
        *("--constraint", ROOT / "requirements.txt", f"genload[testbed] @ {wheel.as_uri()}"),
        cwd=folder.parent,
    )
    return folder / "bin"


@pytest.fixture
def project(example_project: Path) -> Path:
    """The examples of CONTRIBUTING.md, beside files that have nothing to do with genload."""
    (example_project / "config.py").write_text('raise RuntimeError("a config.py of the user\'s own")\n')
    for name in ("__init__.py", "quarterly.py"):
        (example_project / "reports" / name).write_text('raise RuntimeError("a report of another kind")\n')
    return example_project


def test_it_holds_the_engine_the_wings_and_the_testbed_and_takes_no_other_name(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    tracked = run("git", "ls-files", *WINGS, "testbed", cwd=ROOT).split()
    expected = {f"genload/{'' if name.startswith('testbed/') else 'wings/'}{name}" for name in tracked} | {
        "genload/py.typed",
        "genload/cli.py",
    }

    assert {name.split("/")[0].split("-")[0] for name in held} == {"genload"}
    assert expected <= held


def test_it_says_its_version(environment: Path, project: Path) -> None:
    assert "0.1.0" in run(environment / "genload", "--version", cwd=project)


def test_it_finds_a_projects_own_wing_files_before_its_own(environment: Path, project: Path) -> None:
    program = """
from genload.extensions import find, shape_class
for wing, name in (("shapes", "staircase"), ("services", "relief"), ("shapes", "spike")):
    print(find(wing, name))
print(shape_class("staircase").__name__)
"""

    staircase, relief, spike, name = run(environment / "python", "-c", program, cwd=project).splitlines()

    assert Path(staircase) == project / "shapes" / "staircase.py"
    assert Path(relief) == project / "services" / "relief.py"
    assert Path(spike).parts[-4:] == ("genload", "wings", "shapes", "spike.py")
    assert name == "Staircase"


def test_it_runs_a_suite_with_the_projects_own_wing_files(
    environment: Path, project: Path, testbed: Callable[..., Any]
) -> None:
    serve = (str(environment / "genload"), "serve")
    served = testbed(program=serve, cwd=project, time_scale=0.02, service_time="40s", slots=4)
    (project / "testbed.pid").write_text(str(served.process.pid))

    run(
        *(environment / "genload", "run", "mine.yaml", "--host", served.url, "--time-scale", "0.02"),
        # How quiet the machine is, is not what is tried here.
        *("--results", "out", *PATIENT),
        cwd=project,
    )

    (results,) = (project / "out").glob("*/results_stairs.json")
    result = json.loads(results.read_text(encoding="utf-8"))
    assert result["verdict"]["result"] == "pass"
    assert result["total_requests"] == result["successful_requests"] > 5
    assert result["total_requests"] <= len(served.truth_records())
    assert list(result["phases"]) == ["step1", "step2"]
    assert "mine/stairs: pass" in (results.parent / "one_line.txt").read_text(encoding="utf-8")
    chart = (results.parent / "points_1.svg").read_text(encoding="utf-8")
    assert chart.count("<circle") == result["total_requests"] and chart.count("<polyline") == 1


# --- a service that no example knows, described in a folder with nothing else in it ------------------


@pytest.fixture
def foundry(tmp_path: Path) -> Iterator[Foundry]:
    """The service of the document; its suite, set to where that and its assets are, is alone in tmp_path."""
    document = (ROOT / "docs" / "your-own-service.md").read_text("utf-8")
    (suite,) = re.findall(r"^```yaml\n(# foundry\.yaml\n.*?)^```", document, re.M | re.S)
    assert len([line for line in suite.splitlines() if line.strip() and not line.startswith("#")]) <= 25
    assets = Assets()
    with served(assets), served(Foundry(assets)) as service:
        assert isinstance(service, Foundry)
        for told, real in (("http://127.0.0.1:9000", service.url), ("http://127.0.0.1:9001", assets.url)):
            assert told in suite
            suite = suite.replace(told, real)
        (tmp_path / "foundry.yaml").write_text(suite, encoding="utf-8")
        yield service


def test_an_unknown_service_is_tried_run_and_judged_from_an_empty_folder(
    environment: Path, foundry: Foundry, tmp_path: Path
) -> None:
    secret = TOKEN.removeprefix("Bearer ")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}

    def genload(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [environment / "genload", *words],
            cwd=tmp_path,
            env={**kept, "FOUNDRY_TOKEN": secret},
            capture_output=True,
            text=True,
            timeout=200,
        )

    tried = genload("try", "foundry.yaml", "--save", "exchange.txt")
    assert tried.returncode == 0, tried.stdout + tried.stderr
    assert secret not in tried.stdout and "signature=…" in tried.stdout
    assert (tmp_path / "exchange.txt").read_text("utf-8") == tried.stdout

    run = genload("run", "foundry.yaml", *PATIENT)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "GET /" in foundry.asked

    foundry.trap = "broken"
    broken = genload("try", "foundry.yaml")
    assert broken.returncode == 1 and "the clay is dry" in broken.stdout
