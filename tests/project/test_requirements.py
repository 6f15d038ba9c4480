"""The lock files: complete, hashed, free of addresses; what a demo installs is a part of what tests do."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
FILES = {
    name: (ROOT / name).read_text(encoding="utf-8") for name in ("requirements.txt", "requirements-dev.txt")
}
RUNNING = ("testbed", "build")


def locked(name: str) -> list[tuple[Requirement, str]]:
    """(requirement, its block of text) for every pin of a file."""
    blocks = re.split(r"^(?=[a-z0-9])", FILES[name], flags=re.MULTILINE)[1:]
    return [(Requirement(block.split("\\", 1)[0].strip()), block) for block in blocks]


def pins(name: str) -> set[tuple[str, str]]:
    """(package, version) for every pin of a file."""
    return {(canonicalize_name(r.name), next(iter(r.specifier)).version) for r, _ in locked(name)}


def declared(*extras: str) -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    optional = project["optional-dependencies"]
    return [
        Requirement(line) for line in (*project["dependencies"], *(d for e in extras for d in optional[e]))
    ]


@pytest.mark.parametrize("name", FILES)
def test_every_pin_is_exact_and_hashed(name: str) -> None:
    assert len(locked(name)) > 50
    for requirement, block in locked(name):
        assert [s.operator for s in requirement.specifier] == ["=="], block
        assert "--hash=sha256:" in block, block


@pytest.mark.parametrize(
    ("name", "extras"), [("requirements.txt", RUNNING), ("requirements-dev.txt", (*RUNNING, "dev"))]
)
def test_every_declared_dependency_is_pinned_within_its_range(name: str, extras: tuple[str, ...]) -> None:
    versions = dict(pins(name))

    for requirement in declared(*extras):
        package = canonicalize_name(requirement.name)
        assert package in versions, f"{package}: run make lock"
        assert requirement.specifier.contains(versions[package]), f"{requirement}: run make lock"


def test_what_runs_genload_is_a_part_of_what_tests_it_in_the_same_versions() -> None:
    """Else a demo after the tests would install another version, and the tests after it back again."""
    assert pins("requirements.txt") < pins("requirements-dev.txt")


def test_what_only_tests_and_checks_use_is_not_installed_for_a_demo() -> None:
    # Locust itself brings pytest.
    own = {canonicalize_name(requirement.name) for requirement in declared("dev")[len(declared()) :]} - {
        "pytest"
    }

    assert not own & {package for package, _ in pins("requirements.txt")}


@pytest.mark.parametrize("name", FILES)
def test_no_address_is_named(name: str) -> None:
    assert "://" not in FILES[name]
    assert "--index" not in FILES[name]
    assert "--find-links" not in FILES[name]
