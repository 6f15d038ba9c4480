"""What a newcomer does: a service that genload has never seen, described in 25 lines, judged."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .foundry import TOKEN, Assets, Foundry
from .imitations import served

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "your-own-service.md"


@pytest.fixture
def suite() -> str:
    """The one of the document."""
    blocks = re.findall(r"^```yaml\n(# foundry\.yaml\n.*?)^```", DOCUMENT.read_text("utf-8"), re.M | re.S)
    assert len(blocks) == 1
    return str(blocks[0])


def genload(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "genload", *words],
        cwd=folder,
        env={**os.environ, "FOUNDRY_TOKEN": TOKEN.removeprefix("Bearer ")},
        capture_output=True,
        text=True,
        timeout=100,
    )


@pytest.fixture
def services(suite: str, tmp_path: Path) -> Iterator[tuple[Path, Foundry]]:
    """A folder with nothing but the suite, set to where the service and its assets are."""
    assets = Assets()
    with served(assets), served(Foundry(assets)) as foundry:
        assert isinstance(foundry, Foundry)
        text = suite.replace("http://127.0.0.1:9000", foundry.url).replace(
            "http://127.0.0.1:9001", assets.url
        )
        (tmp_path / "foundry.yaml").write_text(text, encoding="utf-8")
        yield tmp_path, foundry


def test_the_description_of_the_document_has_no_more_than_25_lines(suite: str) -> None:
    assert len([line for line in suite.splitlines() if line.strip() and not line.startswith("#")]) <= 25


@pytest.mark.processes
def test_an_unknown_service_is_tried_run_and_judged(services: tuple[Path, Foundry]) -> None:
    folder, foundry = services
    tried = genload(folder, "try", "foundry.yaml")
    assert tried.returncode == 0, tried.stdout + tried.stderr
    assert TOKEN.removeprefix("Bearer ") not in tried.stdout and "signature=…" in tried.stdout

    patient = ("--set", "validity.lag_floor=1s", "--set", "validity.min_user_seconds=50%")
    run = genload(folder, "run", "foundry.yaml", *patient)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "GET /" in foundry.asked

    foundry.trap = "broken"
    broken = genload(folder, "try", "foundry.yaml")
    assert broken.returncode == 1 and "the clay is dry" in broken.stdout
