"""The files of a run directory."""

from __future__ import annotations

import os
import re
from pathlib import Path

from genload.errors import RunDirectoryError, UsageError

HEADER = "run.json"
REQUESTS = "requests.jsonl"
EVENTS = "events.jsonl"
SAMPLES = "samples.jsonl"
FAILURES = "failures"  # a folder

_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")


def safe_name(text: str) -> str:
    """A service's text as a file's or a folder's name."""
    return _UNSAFE.sub("_", text)[:80] or "_"


def is_run_directory(folder: Path) -> bool:
    """Whether `folder` is one scenario's run directory."""
    return (folder / HEADER).is_file()


def run_directories(folder: Path) -> list[Path]:
    """The run directories of a suite folder, by name.

    Raises:
        RunDirectoryError: no such folder, or none in it.
    """
    found = sorted(path.parent for path in folder.glob(f"*/{HEADER}"))
    if not found:
        raise RunDirectoryError(
            f"no run in {folder}" if folder.is_dir() else f"there is no folder {folder}",
            remedy="name a suite folder (DIR/<suite>-<UTC>) or one run directory, with a run.json in it",
        )
    return found


def check_results_folder(folder: Path) -> None:
    """Whether `folder` is there, or can be made, without making it.

    Raises:
        UsageError: a file stands there or on the way, or it cannot be written.
    """
    there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    if not there.is_dir():
        raise UsageError(
            f"--results {folder}: {there} is a file", remedy="name a folder; it is made when it is not there"
        )
    if not os.access(there, os.W_OK | os.X_OK):
        raise UsageError(
            f"--results {folder}: {there} cannot be written", remedy="name a folder that you may write"
        )
