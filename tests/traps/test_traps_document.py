"""docs/traps.md names, for every trap, files and tests that are there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "traps.md").read_text(encoding="utf-8")
ROWS = [line.strip("|").split(" | ") for line in TEXT.splitlines() if re.match(r"\| (?!trap)", line)]
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def defined_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0].strip()[:40])
def test_a_trap_has_an_answer_in_a_file_and_a_test_that_holds_it(row: list[str]) -> None:
    assert len(row) == 3, row
    files = [name for name in re.findall(r"`([\w/]+\.py)`", row[1]) if "/" in name]
    tests = TEST.findall(row[2])
    assert files and all((ROOT / name).exists() for name in files), files
    assert tests and row[2].count("`") == 2 * len(tests)
    assert [test for file, test in tests if test not in defined_in(ROOT / file)] == []


def test_all_traps_are_there() -> None:
    orfeas, others = TEXT.split("\n## Locust\n")
    locust, others = others.split("\n## Speech services\n")
    speech, clients = others.split("\n## HTTP clients\n")
    assert len(re.findall(r"^\| (?!trap)", speech, re.MULTILINE)) >= 16
    assert len(re.findall(r"^\| (?!trap)", clients, re.MULTILINE)) >= 7
    assert len(re.findall(r"^\| (?!trap)", orfeas, re.MULTILINE)) >= 14
    numbered = [int(number) for number in re.findall(r"^\| (\d+)\. ", locust, re.MULTILINE)]
    assert numbered == list(range(1, 11))
