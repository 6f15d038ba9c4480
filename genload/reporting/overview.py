"""One page on several suites that ran one after the other: how each ended, and where its own summary is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from os.path import relpath
from pathlib import Path
from urllib.parse import quote

from genload.plain import plain
from genload.reporting.files import write_text

SUMMARY = "summary.md"
_TO_OPEN = ("report.html", SUMMARY)  # the first of them that the suite has

Ended = tuple[str, str, Path | None]
"""A suite's name, its verdict in capitals, and its folder where it has left one."""


def to_open(folder: Path) -> Path:
    """What a person opens first of a suite's folder; the folder itself where there is nothing to look at."""
    return next((folder / name for name in _TO_OPEN if (folder / name).is_file()), folder)


def write_overview(path: Path, ended: Sequence[Ended], not_run: Sequence[str], exit_code: int) -> Path:
    """Write the page, in Markdown; its links are relative, so that the folder may be moved.

    Raises:
        OSError: it cannot be written.
    """
    return write_text(path, "\n".join(_page(path.parent, ended, not_run, exit_code)) + "\n")


def _page(beside: Path, ended: Sequence[Ended], not_run: Sequence[str], exit_code: int) -> Iterator[str]:
    yield f"# All suites: exit code {exit_code}"
    yield ""
    yield "| suite | verdict | report |"
    yield "|---|---|---|"
    for name, word, folder in ended:
        yield f"| {plain(name)} | {word} | {_link(folder, beside)} |"
    if not_run:
        yield ""
        yield f"Not run: {', '.join(plain(name) for name in not_run)}"


def _link(folder: Path | None, beside: Path) -> str:
    if folder is None:
        return "–"
    there = relpath(folder / SUMMARY if (folder / SUMMARY).is_file() else folder, beside)
    return f"[{there}]({quote(there)})"
