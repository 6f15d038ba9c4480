"""The rules of a test session hold: nothing left running, nothing skipped in CI."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]

LEAVES_A_PROCESS = """
import subprocess, pytest
@pytest.mark.processes
def test_careless():
    # The shell ends at once: what stays has lost its parent.
    subprocess.run(["sh", "-c", "sleep 60 >/dev/null 2>&1 & echo $! > pid"])
    assert True
"""
SAYS_NOTHING_OF_PROCESSES = """
import subprocess, sys
def test_quick():
    subprocess.run([sys.executable, "-c", ""])
    assert True
"""
NEEDS_A_PROGRAM = """
import pytest
from conftest import system_program
def test_needs_it():
    assert system_program("no-such-program-at-all")
"""
SKIPS = """
import pytest
def test_one():
    assert True
def test_other():
    pytest.skip("not today")
"""


def session(folder: Path, test: str, *, ci: bool) -> subprocess.CompletedProcess[str]:
    """Run one test file under a copy of our conftest."""
    shutil.copy(ROOT / "tests" / "conftest.py", folder)
    (folder / "test_it.py").write_text(test, encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if name != "CI"}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "."],
        cwd=folder,
        env=environment | ({"CI": "true"} if ci else {}),
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.processes
def test_a_process_left_behind_fails_the_session_and_is_ended(tmp_path: Path) -> None:
    done = session(tmp_path, LEAVES_A_PROCESS, ci=False)

    pid = int((tmp_path / "pid").read_text())
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert "left processes running" in done.stdout
    assert "test_it.py::test_careless" in done.stdout
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


@pytest.mark.processes
def test_a_test_that_starts_processes_has_to_say_so(tmp_path: Path) -> None:
    done = session(tmp_path, SAYS_NOTHING_OF_PROCESSES, ci=False)

    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert "a process is started (subprocess.Popen): mark the test with `processes`" in done.stdout


@pytest.mark.processes
def test_a_missing_program_skips_with_its_reason_and_fails_in_ci(tmp_path: Path) -> None:
    here = session(tmp_path, NEEDS_A_PROGRAM, ci=False)
    there = session(tmp_path, NEEDS_A_PROGRAM, ci=True)

    assert here.returncode == pytest.ExitCode.OK
    assert "no-such-program-at-all is not installed" in here.stdout
    assert there.returncode == pytest.ExitCode.TESTS_FAILED
    assert ".ci/run installs it" in there.stdout


@pytest.mark.processes
def test_in_ci_a_skipped_test_fails_the_session(tmp_path: Path) -> None:
    assert session(tmp_path, SKIPS, ci=False).returncode == pytest.ExitCode.OK

    done = session(tmp_path, SKIPS, ci=True)

    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert "1 tests were skipped" in done.stdout
