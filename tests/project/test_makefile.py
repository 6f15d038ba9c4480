"""The Makefile's own logic, with a stand-in for Python that only notes how it is called."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Knows `-c`, `--version` and `-m venv`; the environment it makes notes every call in `calls`,
# and its pip fails as long as a file `offline` is there.
PYTHON = """#!/bin/sh
case "$*" in
  --version) echo "Python 3.12.0" ;;
  *"sys.version_info"*) exit ${TOO_OLD:-0} ;;
  *ensurepip*) exit ${NO_VENV:-0} ;;
  "-m venv"*)
    mkdir -p .venv/bin
    cat >.venv/bin/python <<'END'
#!/bin/sh
echo "$@" >>calls
case "$*" in *install*) [ ! -e offline ] ;; esac
END
    for program in genload ruff mypy lint-imports deptry; do
      echo 'echo "bytecode unwanted: [$PYTHONDONTWRITEBYTECODE]"' >.venv/bin/$program
    done
    chmod +x .venv/bin/*
    echo venv >>calls ;;
esac
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name in ("Makefile", "requirements.txt", "requirements-dev.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "fake-python").write_text(PYTHON, encoding="utf-8")
    (tmp_path / "fake-python").chmod(0o755)
    return tmp_path


def make(folder: Path, *target: str, **environment: str) -> subprocess.CompletedProcess[str]:
    # Without what a `make test` around us tells its own children.
    own = {
        name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")
    }
    return subprocess.run(
        ["make", *target, "PYTHON=./fake-python"],
        cwd=folder,
        env=own | environment,
        capture_output=True,
        text=True,
        timeout=200,
    )


def calls(folder: Path) -> list[str]:
    """What was called since the last look."""
    log = folder / "calls"
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    log.unlink(missing_ok=True)
    return [line for line in lines if "pip --version" not in line]


def installed(lines: list[str]) -> list[str]:
    """The files of requirements that were installed, in order."""
    return [line.split()[-1] for line in lines if "--requirement" in line]


@pytest.mark.processes
def test_installs_once_by_hash_and_again_when_the_requirements_change(checkout: Path) -> None:
    assert make(checkout, "install").returncode == 0
    made, requirements, project = calls(checkout)
    assert made == "venv"
    assert "--require-hashes --requirement requirements.txt" in requirements
    assert "--no-deps --no-build-isolation --editable ." in project

    assert make(checkout, "install").returncode == 0
    assert calls(checkout) == []

    os.utime(checkout / "requirements.txt", (4e9, 4e9))
    assert make(checkout, "install").returncode == 0
    again = calls(checkout)
    assert [line.split()[:2] for line in again] == [["-m", "pip"], ["-m", "pip"]]


@pytest.mark.processes
def test_the_demo_installs_what_a_demo_needs_and_the_tests_the_rest(checkout: Path) -> None:
    assert make(checkout, "demo").returncode == 0
    assert installed(calls(checkout)) == ["requirements.txt"]

    assert make(checkout, "check").returncode == 0
    assert installed(calls(checkout)) == ["requirements-dev.txt"]

    assert make(checkout, "test", "demo").returncode == 0
    assert installed(calls(checkout)) == []


@pytest.mark.processes
def test_a_demo_after_the_tests_installs_nothing(checkout: Path) -> None:
    assert make(checkout, "test").returncode == 0
    assert installed(calls(checkout)) == ["requirements-dev.txt"]

    assert make(checkout, "demo").returncode == 0
    assert installed(calls(checkout)) == []


@pytest.mark.processes
def test_what_is_installed_uncompiled_is_compiled_when_it_is_first_imported(checkout: Path) -> None:
    """Where the environment forbids that, every process would compile everything again."""
    done = make(checkout, "demo", PYTHONDONTWRITEBYTECODE="1")

    assert "bytecode unwanted: []" in done.stdout
    assert [line for line in calls(checkout) if "--no-compile" in line]


@pytest.mark.processes
def test_an_interrupted_installation_is_taken_up_again(checkout: Path) -> None:
    (checkout / "offline").touch()
    assert make(checkout, "test").returncode != 0
    calls(checkout)

    (checkout / "offline").unlink()
    assert make(checkout, "test").returncode == 0

    assert [line.split()[1] for line in calls(checkout)] == ["pip", "pip", "pytest"]


@pytest.mark.processes
@pytest.mark.parametrize(
    ("problem", "words"),
    [({"TOO_OLD": "1"}, "needs Python 3.11 or newer"), ({"NO_VENV": "1"}, "apt-get install python3-venv")],
)
def test_says_what_is_missing(checkout: Path, problem: dict[str, str], words: str) -> None:
    done = make(checkout, "demo", **problem)

    assert done.returncode != 0
    assert words in done.stderr
    assert "→" in done.stderr
    assert not (checkout / ".venv").exists()


@pytest.mark.processes
def test_help_is_the_default_and_names_every_target(checkout: Path) -> None:
    done = make(checkout)

    listed = {line.split()[0] for line in done.stdout.splitlines()[1:]}
    assert listed >= {"help", "demo", "test", "check", "lock", "bench", "soak"}
    assert not (checkout / ".venv").exists()
