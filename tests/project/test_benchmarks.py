"""Each file of bench/ says what it measures, and with which options."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench"
ASK_EACH = """
import contextlib, io, runpy, sys
for path in sys.argv[1:]:
    sys.argv = [path, "--help"]
    with contextlib.redirect_stdout(io.StringIO()) as said:
        try:
            runpy.run_path(path, run_name="__main__")
        except SystemExit as ended:
            assert not ended.code, path
    print(repr(" ".join(said.getvalue().split())))
"""


@pytest.mark.processes
def test_each_benchmark_says_what_it_measures() -> None:
    """In one process: what most of them import is imported once."""
    paths = sorted(BENCH.glob("*.py"))
    done = subprocess.run(
        [sys.executable, "-c", ASK_EACH, *map(str, paths)],
        cwd=BENCH,
        capture_output=True,
        text=True,
        check=True,
    )
    for path, line in zip(paths, done.stdout.splitlines(), strict=True):
        said = ast.literal_eval(line)
        first = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").splitlines()[0]
        assert said.startswith(f"usage: {path.name} [-h]") and " ".join(first.split()) in said, path.name
