"""The lock file: complete, hashed, and free of addresses."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCK = (ROOT / "requirements.txt").read_text(encoding="utf-8")


def locked() -> list[tuple[Requirement, str]]:
    """(requirement, its block of text) for every pin."""
    blocks = re.split(r"^(?=[a-z0-9])", LOCK, flags=re.MULTILINE)[1:]
    return [(Requirement(block.split("\\", 1)[0].strip()), block) for block in blocks]


def declared() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [
        *project["dependencies"],
        *(d for extra in project["optional-dependencies"].values() for d in extra),
    ]
    return [Requirement(line) for line in lines]


def test_every_pin_is_exact_and_hashed() -> None:
    pins = locked()

    assert len(pins) > 50
    for requirement, block in pins:
        assert [s.operator for s in requirement.specifier] == ["=="], block
        assert "--hash=sha256:" in block, block


def test_every_declared_dependency_is_pinned_within_its_range() -> None:
    versions = {canonicalize_name(r.name): next(iter(r.specifier)).version for r, _ in locked()}

    for requirement in declared():
        name = canonicalize_name(requirement.name)
        assert name in versions, f"{name}: run make lock"
        assert requirement.specifier.contains(versions[name]), f"{requirement}: run make lock"


def test_no_address_is_named() -> None:
    assert "://" not in LOCK
    assert "--index" not in LOCK
    assert "--find-links" not in LOCK
