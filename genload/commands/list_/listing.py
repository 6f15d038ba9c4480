"""Which suites and scenarios there are: as a list, and for a shell's Tab key.

Nothing heavy is imported above: every command's help imports this file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genload.settings.loader import ListedSuite

_SUFFIXES = (".yaml", ".yml")


def listed(names: Sequence[str]) -> list[ListedSuite]:
    """Suites by name or path; all that have a name where none is given."""
    from genload.extensions import suite_folders
    from genload.settings.loader import listed_suite, suite_names

    folders = suite_folders()
    return [listed_suite(name, folders) for name in names or suite_names(folders)]


def lines(suites: Sequence[ListedSuite]) -> Iterator[str]:
    """Each suite with its purpose, and below it its scenarios as the command line names them."""
    width = max((len(name) for suite in suites for name in _scenarios(suite)), default=0)
    for suite in suites:
        if suite.error is None:
            yield f"{suite.name.ljust(width)}    {suite.purpose}".rstrip()
        for name, purpose in _scenarios(suite).items():
            yield f"  {name.ljust(width)}  {purpose}".rstrip()


def complete_suite(incomplete: str) -> list[tuple[str, str]]:
    """What a suite's name or path may go on as, each with its purpose."""
    return [
        (suite.name, suite.purpose) for suite in _beginning(incomplete) if suite.name.startswith(incomplete)
    ]


def complete_target(incomplete: str) -> list[tuple[str, str]]:
    """What ``SUITE[/SCENARIO]`` may go on as, each with its purpose."""
    file, _, _ = incomplete.rpartition("/")
    found = dict(complete_suite(incomplete))
    for suite in listed([file]) if file.endswith(_SUFFIXES) else _beginning(incomplete):
        found |= _scenarios(suite)
    return [(name, purpose) for name, purpose in found.items() if name.startswith(incomplete)]


def _beginning(incomplete: str) -> list[ListedSuite]:
    """Suites that may be meant: those with a name, and the YAML files whose paths begin so."""
    folder = Path(incomplete).parent
    there = sorted(folder.iterdir()) if incomplete and folder.is_dir() else []
    paths = [str(path) for path in there if path.suffix in _SUFFIXES and str(path).startswith(incomplete)]
    found = listed([]) + (listed(paths) if paths else [])
    return [suite for suite in found if suite.error is None]


def _scenarios(suite: ListedSuite) -> dict[str, str]:
    return {f"{suite.name}/{scenario}": purpose for scenario, purpose in suite.scenarios.items()}
