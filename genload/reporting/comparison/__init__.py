"""From a comparison to files: a page to look at, JSON, Markdown, JUnit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from genload.analysis.comparison import ComparedSuite
from genload.errors import RunDirectoryError
from genload.reporting.comparison.document import encode
from genload.reporting.comparison.junit import junit
from genload.reporting.comparison.markdown import markdown
from genload.reporting.files import write_text


def _page(suite: ComparedSuite) -> str:
    # Here, not above: the other files need no template.
    from genload.reporting.comparison.page import page

    return page(suite) + "\n"


FILES: Mapping[str, tuple[str, Callable[[ComparedSuite], str]]] = {
    "html": ("compare.html", _page),
    "json": ("compare.json", encode),
    "markdown": ("compare.md", markdown),
    "junit": ("compare-junit.xml", junit),
}
"""By kind: the name of the file, and what is in it."""


def write_comparison(suite: ComparedSuite, folder: Path, kinds: Iterable[str] = tuple(FILES)) -> list[Path]:
    """Write a comparison; the files written, in the order of `kinds`, which are keys of `FILES`.

    Raises:
        RunDirectoryError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return [write_text(folder / FILES[kind][0], FILES[kind][1](suite)) for kind in kinds]
    except OSError as error:
        raise RunDirectoryError(
            f"cannot write the comparison into {folder}: {error.strerror or error}",
            remedy="name another folder: --into DIR",
        ) from error
