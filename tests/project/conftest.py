"""The examples of CONTRIBUTING.md as files, and what programs say of their options."""

from __future__ import annotations

import functools
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_EXAMPLE = re.compile(r"^```(?:python|yaml)\n# (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="session")
def examples() -> dict[str, str]:
    """Text by path: each code block that begins with a comment of its path."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    return {match[1]: match[2] for match in _EXAMPLE.finditer(text)}


@pytest.fixture
def example_project(examples: dict[str, str], tmp_path: Path) -> Path:
    """A folder with every example in its place."""
    folder = tmp_path / "project"
    for name, text in examples.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


# Locust prints its help before it imports a locustfile, so the file's own options are asked for here.
_LOCUST_HELP = """
import sys
from locust.argument_parser import get_parser
from locust.util.load_locustfile import load_locustfile
for path in sys.argv[1].split(","):
    load_locustfile(path)
print(get_parser().format_help())
"""


@pytest.fixture(scope="session")
def options_of() -> Callable[..., set[str]]:
    """The options that a program takes: ``options_of("genload", "run")``, ``options_of("locust", FILE)``."""

    @functools.cache
    def ask(program: str, *arguments: str) -> set[str]:
        command = [str(Path(sys.executable).parent / program), *arguments, "--help"]
        if program == "locust":
            command = [sys.executable, "-c", _LOCUST_HELP, *arguments]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200)
        assert done.returncode == 0, done.stdout + done.stderr
        return set(re.findall(r"(?<![\w-])--?[a-zA-Z][\w-]*", done.stdout))

    return ask
