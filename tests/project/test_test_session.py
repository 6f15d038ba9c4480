"""The rules of a test session hold: nothing left running, nothing skipped in CI."""

from __future__ import annotations

import os
import re
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


def session(folder: Path, *tests: str, ci: bool) -> subprocess.CompletedProcess[str]:
    """Run test files under a copy of our conftest, which waits for no process for long."""
    conftest = (ROOT / "tests" / "conftest.py").read_text(encoding="utf-8")
    impatient = re.sub(r"^LAST_PROCESSES_S = .*", "LAST_PROCESSES_S = 0.2", conftest, flags=re.MULTILINE)
    (folder / "conftest.py").write_text(impatient, encoding="utf-8")
    for number, test in enumerate(tests):
        (folder / f"test_{number}.py").write_text(test, encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if name != "CI"}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "."],
        cwd=folder,
        env=environment | ({"CI": "true"} if ci else {}),
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.processes
def test_processes_that_are_left_or_not_told_of_fail_the_session_and_are_ended(tmp_path: Path) -> None:
    done = session(tmp_path, LEAVES_A_PROCESS, SAYS_NOTHING_OF_PROCESSES, ci=False)

    pid = int((tmp_path / "pid").read_text())
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert "left processes running" in done.stdout
    assert "test_0.py::test_careless" in done.stdout
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    assert "a process is started (subprocess.Popen): mark the test with `processes`" in done.stdout
    assert "1 failed, 1 passed" in done.stdout and "1 error" in done.stdout


@pytest.mark.processes
def test_what_is_skipped_here_with_its_reason_fails_the_session_in_ci(tmp_path: Path) -> None:
    here = session(tmp_path, NEEDS_A_PROGRAM, SKIPS, ci=False)
    assert here.returncode == pytest.ExitCode.OK
    assert "no-such-program-at-all is not installed" in here.stdout and "not today" in here.stdout

    (tmp_path / "test_0.py").unlink()
    in_ci = session(tmp_path, ci=True)
    assert in_ci.returncode == pytest.ExitCode.TESTS_FAILED
    assert "1 tests were skipped" in in_ci.stdout


@pytest.mark.processes
def test_a_missing_program_fails_in_ci(tmp_path: Path) -> None:
    done = session(tmp_path, NEEDS_A_PROGRAM, ci=True)

    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert ".ci/run installs it" in done.stdout
