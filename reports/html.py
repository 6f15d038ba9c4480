"""``report.html``: the suite to look at, in one file that needs no network and no other file."""

from __future__ import annotations

from pathlib import Path

from genload.analysis.judged import JudgedSuite
from genload.reporting import write_text
from genload.reporting.page import page


def render(suite: JudgedSuite, folder: Path) -> list[Path]:
    """Write report.html."""
    return [write_text(folder / "report.html", page(suite, folder) + "\n")]
