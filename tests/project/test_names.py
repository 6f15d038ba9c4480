"""Whatever documents, comments and messages call by a dotted name or a path of genload's is there."""

from __future__ import annotations

import importlib
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("bench", "docs", "genload", "locustfiles", "monitors", "reports", "services", "shapes", "tests")
DOTTED = re.compile(r"(?<![\w./@-])genload(?:\.\w+)+")
PATH = re.compile(r"(?<![\w./-])(?:genload|tests)/[\w/]+\.py\b")
IMPORT = re.compile(r"^\s*from (genload[\w.]*) import (?:\(([^)]*)\)|(.+))$", re.MULTILINE)
# A handler of codecs; what is in the wheel alone.
NO_MODULES = {"genload.spelled", "genload.testbed"}

# The changelog tells of what was.
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
SOURCES = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]


@cache
def is_there(name: str) -> bool:
    """Whether a dotted name is a module, or what one holds."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:count]))
        except ModuleNotFoundError:
            continue
        for attribute in parts[count:]:
            if not hasattr(found, attribute):
                return False
            found = getattr(found, attribute)
        return True
    return False


@pytest.mark.parametrize(
    "name", ["genload.no_room", "genload.errors.NoError", "genload.errors.ExitCode.NONE"]
)
def test_a_name_that_is_gone_is_noticed(name: str) -> None:
    assert not is_there(name)


def test_what_the_documents_import_can_be_imported() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in DOCUMENTS)
    names = {
        f"{module}.{name.strip().partition(' as ')[0]}"
        for module, several, line in IMPORT.findall(text)
        for name in (several or line).split(",")
        if name.strip()
    }

    assert {"genload.shape.PhasedShape", "genload.monitor.Monitor", "genload.service.JobClient"} <= names
    assert {"genload.artifacts.inspector.shared", "genload.client.HttpClient"} <= names
    assert [name for name in sorted(names) if not is_there(name)] == []


def test_what_is_named_is_there() -> None:
    """In documents and sources; paths not in tests, which write files of their own."""
    gone = {}
    for path in [*DOCUMENTS, *SOURCES]:
        text = path.read_text(encoding="utf-8")
        in_tests = path.is_relative_to(ROOT / "tests")
        names = [name for name in DOTTED.findall(text) if name not in NO_MODULES and not is_there(name)]
        names += [name for name in PATH.findall(text) if not in_tests and not (ROOT / name).is_file()]
        if names and path != Path(__file__):
            gone[str(path.relative_to(ROOT))] = names

    assert gone == {}


def test_the_tests_that_documents_name_are_there() -> None:
    named = {
        name for path in DOCUMENTS for name in re.findall(r"`(test(?:_\w+){3,})`", path.read_text("utf-8"))
    }
    tests = "\n".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    assert len(named) > 5
    assert named - set(re.findall(r"^def (test_\w+)", tests, re.MULTILINE)) == set()
