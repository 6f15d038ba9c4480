"""The import rules of the house: they hold, and each of them would notice a breach."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WINGS = ("locustfiles", "monitors", "reports", "services", "shapes")

BREACHES = {
    "rooms": ("genload/settings/breach.py", "import genload.runlog"),
    "wings": ("services/breach.py", "import shapes.spike"),
    "engine": ("genload/analysis/breach.py", "import reports"),
    "testbed": ("testbed/breach.py", "from genload import errors"),
    "locust": ("genload/client/breach.py", "import locust"),
    "gevent": ("genload/sampler/breach.py", "import genload.orders"),
    "scipy": ("genload/harness/breach.py", "from scipy import stats"),
    "pandas": ("reports/breach.py", "import pandas"),
}


def lint_imports(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run import-linter on the checkout in a folder."""
    return subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=200,
    )


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the rules look at."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("genload", "testbed", *WINGS):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


@pytest.mark.processes
def test_the_rules_hold() -> None:
    done = lint_imports(ROOT)

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(BREACHES)} kept, 0 broken" in done.stdout


@pytest.mark.processes
@pytest.mark.parametrize("rule", BREACHES)
def test_a_breach_is_noticed(copy: Path, rule: str) -> None:
    path, line = BREACHES[rule]
    breach = copy / path
    breach.write_text(f"{line}\n", encoding="utf-8")
    try:
        done = lint_imports(copy, "--contract", rule)
    finally:
        breach.unlink()

    assert done.returncode == 1, done.stdout + done.stderr
    assert "0 kept, 1 broken" in done.stdout
    assert path.removesuffix(".py").replace("/", ".") in done.stdout


@pytest.mark.processes
def test_a_new_room_must_be_given_its_place(copy: Path) -> None:
    room = copy / "genload" / "attic.py"
    room.write_text("", encoding="utf-8")
    try:
        done = lint_imports(copy, "--contract", "rooms")
    finally:
        room.unlink()

    assert done.returncode == 1
    assert "attic" in done.stdout
