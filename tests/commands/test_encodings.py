"""A terminal or pipe of any encoding gets its report, and the verdict its exit code."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from genload.terminal import spelled

from ..conftest import system_program

WriteRun = Callable[..., Path]
PLAIN = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "PYTHON"))}
POSIX = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.fixture(scope="session")
def iso_8859_1(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a terminal in a real ``en_US.ISO-8859-1``."""
    folder = tmp_path_factory.mktemp("locales")
    command = [system_program("localedef"), "-i", "en_US", "-f", "ISO-8859-1"]
    subprocess.run([*command, str(folder / "en_US.ISO-8859-1")], check=True, capture_output=True)
    return {"LOCPATH": str(folder), "LC_ALL": "en_US.ISO-8859-1", "PYTHONUTF8": "0"}


def report(folder: Path, environment: dict[str, str]) -> tuple[int, bytes, bytes]:
    """`genload report` into pipes."""
    command = [sys.executable, "-m", "genload", "report", str(folder)]
    done = subprocess.run(command, env={**PLAIN, **environment}, capture_output=True, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.processes
@pytest.mark.parametrize(
    ("environment", "encoding"),
    [
        ({"PYTHONIOENCODING": "ascii"}, "ascii"),
        ({"PYTHONIOENCODING": "latin-1"}, "latin-1"),
        ({"PYTHONIOENCODING": "cp1252"}, "cp1252"),
        (POSIX, "ascii"),
    ],
    ids=["ascii", "latin-1", "cp1252", "POSIX"],
)
def test_a_pipe_of_any_encoding_gets_the_whole_report(
    environment: dict[str, str], encoding: str, tmp_path: Path, write_run: WriteRun
) -> None:
    folder = tmp_path / "größe 語"
    write_run(folder, "one")
    write_run(folder, "two", failed=2)

    code, output, errors = report(folder, environment)

    words = output.decode(encoding)
    assert code == 1, errors
    assert "probe/one  PASS" in words and "probe/two  FAIL" in words and "results_two.json" in words
    assert b"Traceback" not in errors


@pytest.mark.processes
def test_a_terminal_in_another_locale_gets_the_whole_report(
    iso_8859_1: dict[str, str], tmp_path: Path, write_run: WriteRun
) -> None:
    run = write_run(tmp_path, "one")
    master, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "genload", "report", str(run)],
        env={**PLAIN, **iso_8859_1, "TERM": "xterm"},
        stdout=terminal,
        stderr=terminal,
    )
    os.close(terminal)
    output = b""
    try:
        while part := os.read(master, 65536):
            output += part
    except OSError:  # the other side has ended
        pass
    finally:
        os.close(master)

    words = output.decode("latin-1")
    assert process.wait() == 0, words
    assert "probe/one" in words and "PASS" in words and "Traceback" not in words


@pytest.mark.parametrize(
    ("character", "written"),
    [("→", "->"), ("é", "e"), ("…", "..."), ("語", "?"), ("\udc80", "?"), ("½", "1?2")],
)
def test_what_an_encoding_does_not_have_is_spelled(character: str, written: str) -> None:
    assert spelled(character) == written
