"""A comparison on the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from genload.analysis.comparison import ComparedSuite, Comparison, Verdict
from genload.plain import plain
from genload.reporting.comparison.wording import (
    HEADS,
    VERDICTS,
    differences,
    how,
    reasons,
    rehearsal_note,
    row,
    shown,
    sides,
    suite_words,
    uncompared_words,
)

_STYLES: dict[Verdict, str] = {
    "regression": "bold red",
    "no_regression": "bold green",
    "inconclusive": "bold yellow",
    "descriptive": "bold yellow",
}
_NOTICES = 4
"""So many are shown unless more is asked for."""


def comparison_view(
    suite: ComparedSuite, files: Sequence[Path] = (), *, verbose: bool = False
) -> RenderableType:
    """Each scenario with what differs first, then its metrics; at the end the verdict of all, and `files`."""
    return Group(*_suite(suite, files, verbose))


def _suite(suite: ComparedSuite, files: Sequence[Path], verbose: bool) -> Iterator[RenderableType]:
    for comparison in suite.scenarios:
        yield from _scenario(comparison, verbose)
    if words := uncompared_words(suite):
        yield Text(plain(words), "bold yellow")
    if len(suite.scenarios) > 1 or suite.uncompared:
        yield Text.assemble("in all  ", (suite_words(suite), _STYLES[suite.verdict]))
    for path in files:
        yield Text(str(path), "dim")


def _scenario(comparison: Comparison, verbose: bool) -> Iterator[RenderableType]:
    if note := rehearsal_note(comparison):
        yield Text(note, "bold yellow")
    title = plain(f"{comparison.suite}/{comparison.scenario}")
    yield Text.assemble((title, "bold"), "  ", (VERDICTS[comparison.verdict], _STYLES[comparison.verdict]))
    if (table := differences(comparison)).rows:
        yield _table(table.heads, table.rows)
    yield _line(Text(plain(sides(comparison)), "dim"))
    yield _line(Text(plain(comparison.summary)))
    yield _judged(comparison)
    if verbose:
        for name, why in reasons(comparison) if comparison.verdict != "descriptive" else ():
            yield _line(Text.assemble((f"{name}: ", "bold"), plain(why)))
        others = shown(comparison)
        rows = [[_short(name, comparison), *cells] for name, *cells in others.rows]
        yield _table(others.heads, rows)
        yield from (_line(Text(words, "dim")) for words in how(comparison))
    else:
        for metric in comparison.judged:
            if metric.result != "no_regression" and metric.result != "descriptive":
                yield _line(Text.assemble((f"{plain(metric.metric)}: ", "bold"), plain(metric.reason)))
    most = len(comparison.notices) if verbose else _NOTICES
    for notice in comparison.notices[:most]:
        yield _line(Text.assemble(("note: ", "bold"), plain(notice)))
    if len(comparison.notices) > most:
        yield _line(Text(f"{len(comparison.notices) - most} more notes: --verbose", "dim"))


def _judged(comparison: Comparison) -> Table:
    """Without what is allowed, which is the same of most, so that 80 columns do."""
    table = _columns([*HEADS[:5], HEADS[-1]])
    for metric in comparison.judged:
        name, base, new, change, bounds, _, result = row(metric)
        style = _STYLES[metric.result].removeprefix("bold ") if metric.result else ""
        name = _short(name, comparison)
        table.add_row(*map(Text, (name, base, new, change, bounds)), Text(result, style))
    return table


def _short(metric: str, comparison: Comparison) -> str:
    """Of the operation's own metrics without its name, which all of them have."""
    return plain(metric.removeprefix(f"{comparison.operation}."))


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = _columns(heads)
    for cells in rows:
        table.add_row(*(Text(plain(cell)) for cell in cells))
    return table


def _columns(heads: Sequence[str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1))
    table.add_column(heads[0], overflow="fold")
    for head in heads[1:]:
        table.add_column(head, justify="right", overflow="fold")
    return table


def _line(text: Text) -> Padding:
    """Wrapped lines keep the indentation of the first."""
    return Padding(text, (0, 0, 0, 2), expand=False)
