"""Which suites there are: `genload list`, `genload run` without one, and the shell's Tab key."""

from __future__ import annotations

from pathlib import Path

import pytest

from genload.cli import main
from genload.commands.list_.listing import complete_suite, complete_target

OWN = """
purpose: Mine
service: {api: orfeas}
locustfile: generation3d
scenarios:
  calm: {purpose: Little work, shape: {kind: normal, users: 1}}
  wild: {shape: {kind: normal, users: 9}}
"""


@pytest.fixture
def own(in_empty_folder: Path) -> Path:
    """A project with a suite of its own, mine, and the same beside it as mine.yaml."""
    for path in (in_empty_folder / "config" / "suites" / "mine.yaml", in_empty_folder / "mine.yaml"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(OWN)
    return in_empty_folder


def test_it_lists_the_projects_own_suites_as_well(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    listed = [line.split(None, 1) for line in capsys.readouterr().out.splitlines()]
    assert ["mine", "Mine"] in listed
    assert ["mine/calm", "Little work"] in listed and ["mine/wild"] in listed
    assert ["orfeas/spike", "Resilience and recovery"] in listed


def test_it_lists_what_it_is_asked_for(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "mine.yaml"]) == 0
    assert capsys.readouterr().out == (
        "mine.yaml         Mine\n  mine.yaml/calm  Little work\n  mine.yaml/wild\n"
    )


def test_a_suite_that_cannot_be_read_is_told_beside_the_others(
    own: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = own / "config" / "suites" / "broken.yaml"
    broken.write_text("scenarios: [")
    assert main(["list"]) == 2
    output = capsys.readouterr()
    assert "mine/calm" in output.out and "broken" not in output.out
    assert "broken.yaml" in output.err and "Traceback" not in output.err


def test_a_run_of_nothing_shows_what_there_is(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("which suite") and "mine/calm" in said and "orfeas/spike" in said
    assert said.endswith("  → genload run NAME --host URL\n")


@pytest.mark.parametrize(
    ("incomplete", "found"),
    [
        ("min", ["mine", "mine.yaml", "mine/calm", "mine/wild", "mine.yaml/calm", "mine.yaml/wild"]),
        ("mine/c", ["mine/calm"]),
        ("mine.yaml/", ["mine.yaml/calm", "mine.yaml/wild"]),
        ("config/suites/m", [f"config/suites/mine.yaml{rest}" for rest in ("", "/calm", "/wild")]),
        ("nowhere/x", []),
        ("nowhere.yaml/x", []),
    ],
)
def test_what_a_target_may_go_on_as(incomplete: str, found: list[str], own: Path) -> None:
    assert [name for name, _ in complete_target(incomplete)] == found


def test_what_a_suite_may_go_on_as(own: Path) -> None:
    assert complete_suite("mi") == [("mine", "Mine"), ("mine.yaml", "Mine")]


@pytest.mark.parametrize("command", ["run", "try"])
def test_the_shell_asks_for_scenarios(
    command: str, own: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("_GENLOAD_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", f"genload {command} mine/")
    monkeypatch.setenv("COMP_CWORD", "2")
    assert main([]) == 0
    assert capsys.readouterr().out.split() == ["mine/calm", "mine/wild"]
