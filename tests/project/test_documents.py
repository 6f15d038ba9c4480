"""What the documents tell a reader to type, to open and to expect is there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from genload import extensions
from genload.errors import ExitCode
from genload.settings.loader import load_suite

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
DOCUMENTS += sorted((ROOT / "docs").rglob("*.md"))
GROUPS = ("baseline",)  # commands that have commands of their own
TEXT = "\n".join(path.read_text(encoding="utf-8") for path in DOCUMENTS)


def commands() -> list[list[str]]:
    """Every command in the documents' shell blocks, as words."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    lines = [part for block in blocks for line in block.splitlines() for part in re.split(r"&&?|;", line)]
    return [words for line in lines if (words := shlex.split(line, comments=True))]


def flags(words: list[str]) -> set[str]:
    return {word.partition("=")[0] for word in words if word.startswith("-")}


@pytest.mark.processes
def test_the_commands_and_their_options_exist(options_of: Callable[..., set[str]]) -> None:
    genload = [words for words in commands() if words[0] == "genload"]
    locust = [words for words in commands() if words[0] == "locust"]
    assert len(genload) >= 6 and len(locust) >= 2

    for words in genload:
        named = words[1:3] if words[1] in GROUPS else words[1:2]
        assert flags(words) <= options_of("genload", *named), words
    for words in locust:
        assert flags(words) <= options_of("locust", words[2]), words


def test_the_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", TEXT, re.MULTILINE))

    assert named >= {"demo", "test", "check"}
    assert named <= targets


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_and_named_files_lead_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)", text) if "://" not in link]
    # genload/wings/ and genload/testbed/ are in the wheel alone.
    files = re.findall(
        r"`(?!genload/(?:wings|testbed)/)((?:genload|config|docs|services|tests|locustfiles)/[\w./-]+)`", text
    )

    assert [link for link in links if not (document.parent / link).exists()] == []
    assert [path for path in files if not (ROOT / path).exists()] == []


def test_the_exit_codes_are_those_of_the_code() -> None:
    rows = re.findall(r"^\| (\d+) \|", README, re.MULTILINE)

    assert [int(row) for row in rows] == sorted(ExitCode)


def test_the_readmes_suite_is_valid(tmp_path: Path) -> None:
    block = re.search(r"^```yaml\n(# mine\.yaml\n.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert block
    path = tmp_path / "mine.yaml"
    path.write_text(block[1], encoding="utf-8")

    suites = [folder / "suites" for folder in extensions.folders("config")]

    suite = load_suite(str(path), folders=suites, wings=extensions.Wings()).suite

    assert suite.scenarios["peak"].shape.model_dump()["users"] == 6
    assert suite.scenarios["peak"].criteria["fast_enough"].must
    whole = {name for name, own in suite.scenarios.items() if not own.on_demand}
    assert whole == {"baseline", "normal", "peak", "spike", "sustained"}
