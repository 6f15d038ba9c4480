"""Writing reports: every file appears whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from genload.analysis.judged import JudgedSuite
from genload.code_errors import CodeError, code_told
from genload.errors import ExitCode, RunDirectoryError
from genload.extensions import attribute


def write_reports(
    suite: JudgedSuite,
    folder: Path,
    names: Sequence[str],
    broken: Callable[[CodeError], None] | None = None,
) -> list[Path]:
    """Render `suite` with each named file of the reports wing into `folder`.

    Args:
        broken: told what code of a report has raised, so that the others are written all the same; None: that
            is raised.

    Returns:
        The files written, in the order of `names`.

    Raises:
        ConfigError: no such report, or its file defines no `render`.
        RunDirectoryError: the folder cannot be written.
    """
    renderers = [attribute("reports", name, "render") for name in names]
    written: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for render in renderers:
            try:
                with code_told(ExitCode.INVALID, but=OSError):
                    written += render(suite, folder)
            except CodeError as error:
                if broken is None:
                    raise
                broken(error)
        return written
    except OSError as error:
        raise RunDirectoryError(
            f"cannot write the reports into {folder}: {error.strerror or error}",
            remedy="make the folder writable, or free space on its disk",
        ) from error


def write_text(path: Path, text: str) -> Path:
    """Write `text` as UTF-8 in one step, so that a reader (or a crash) never meets half a report.

    Raises:
        OSError: the folder is missing or cannot be written.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            file.write(text)
        temporary.chmod(0o666 & ~_umask())  # mkstemp's 0600 would keep a CI's upload step out
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return path


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
