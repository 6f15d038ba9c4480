"""What README and CONTRIBUTING tell a reader to type, to open and to expect is there."""

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
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")


def commands() -> list[list[str]]:
    """Every command in the documents' shell blocks, as words."""
    text = "\n".join((ROOT / name).read_text(encoding="utf-8") for name in DOCUMENTS)
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
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
        assert flags(words) <= options_of("genload", words[1]), words
    for words in locust:
        assert flags(words) <= options_of("locust", words[2]), words


def test_the_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    text = "\n".join((ROOT / name).read_text(encoding="utf-8") for name in DOCUMENTS)
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", text, re.MULTILINE))

    assert named >= {"demo", "test", "check"}
    assert named <= targets


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_and_named_files_lead_somewhere(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)", text) if "://" not in link]
    files = re.findall(r"`((?:genload|config|docs|services|tests|locustfiles)/[\w./-]+)`", text)

    assert [path for path in [*links, *files] if not (ROOT / path).exists()] == []


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
    assert set(suite.scenarios) == {"baseline", "normal", "peak", "spike", "sustained"}
