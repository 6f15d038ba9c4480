"""The command line: help without heavy imports, one clear line for every mistake, never a traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import genload
from genload.cli import main


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "nope"], "there is no suite 'nope'"),
        (["run", "orfeas/nope"], "there is no scenario 'nope' in suite orfeas"),
        (["run", "orfeas/spike/x"], "'orfeas/spike/x' is no suite"),
        (["run", "missing.yaml"], "the suite cannot be read"),
        (["run", "orfeas", "--set", "service.timeout=5"], "has the wrong unit, or none"),
        (["run", "orfeas", "--set", "service.timeot=5s"], "timeot"),
        (["run", "orfeas", "--set", "nonsense"], "nonsense"),
        (["run", "orfeas", "--results", "taken"], "is a file"),
        (["run", "orfeas", "--results", "taken/below"], "is a file"),
        (["run", "orfeas", "--time-scale", "-1"], "--time-scale -1 is not in 0..1"),
        (["run", "orfeas", "--time-scale", "0"], "--time-scale 0 is not in 0..1"),
        (["run", "orfeas", "--time-scale", "nan"], "--time-scale nan is not in 0..1"),
        (["run", "orfeas", "--time-scale", "fast"], "--time-scale"),
        (["run", "orfeas", "--seed", "-3"], "--seed"),
        (["run", "orfeas", "--host", "gpu1:5000"], "--host service.host: the host needs its scheme"),
        (["run"], "which suite"),
        (["demo", "nope"], "the demo has no scenario 'nope'"),
        (["demo", "--time-scale", "2"], "--time-scale 2 is not in 0..1"),
        (["report"], "DIR"),
        (["report", "missing"], "there is no folder missing"),
        (["report", "."], "no run in ."),
        (["report", "taken"], "there is no folder taken"),
        (["nope"], "No such command 'nope'"),
        (["--nope"], "--nope"),
    ],
)
def test_a_mistake_is_one_clear_message_and_exit_code_2(
    arguments: list[str], said: str, in_empty_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (in_empty_folder / "taken").write_text("mine")
    assert main(arguments) == 2
    output = capsys.readouterr()
    assert said in output.err
    assert "Traceback" not in output.err and output.out == ""
    # Nothing half-written.
    assert [path.name for path in in_empty_folder.iterdir()] == ["taken"]


def test_a_folder_that_cannot_be_written_is_refused(
    in_empty_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Not by chmod: the tests may run as root, whom no mode keeps out.
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert main(["run", "orfeas"]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"genload {genload.__version__}\n"


@pytest.mark.parametrize("command", ["list", "try", "run", "report", "demo", "serve"])
def test_each_command_is_listed_and_has_help_with_examples(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--help"]) == 0
    assert f" {command} " in capsys.readouterr().out
    assert main([command, "--help"]) == 0
    assert f"genload {command}" in capsys.readouterr().out


@pytest.mark.processes
def test_help_imports_no_command_and_nothing_heavy() -> None:
    program = (
        "import sys; from genload.cli import main; code = main(['--help'])\n"
        "heavy = {'pydantic', 'locust', 'numpy', 'scipy', 'gevent', 'yaml', 'genload.commands.run'}\n"
        "sys.exit(f'{heavy & set(sys.modules)}' if heavy & set(sys.modules) else code)"
    )
    process = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (process.returncode, process.stderr) == (0, "")


@pytest.mark.processes
def test_checking_a_suite_leaves_this_process_unpatched(in_empty_folder: Path) -> None:
    """Shapes import locust, which patches the process it is imported in, unless it is kept from that."""
    program = (
        "import sys, socket; before = socket.socket\n"
        "from pathlib import Path\n"
        "from genload.targets import RunRequest, checked\n"
        "[target] = checked(RunRequest(('orfeas',)))\n"
        "assert len(target.scenarios) == 5\n"
        "sys.exit(socket.socket is not before)"
    )
    process = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (process.returncode, process.stderr) == (0, "")


@pytest.mark.processes
def test_python_m_genload_ends_with_the_exit_code(in_empty_folder: Path) -> None:
    process = subprocess.run([sys.executable, "-m", "genload", "run", "nope"], capture_output=True, text=True)
    assert process.returncode == 2
    assert process.stderr.splitlines()[0] == "there is no suite 'nope'"
