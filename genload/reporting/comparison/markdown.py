"""``compare.md``: a comparison for a pull request."""

from __future__ import annotations

from collections.abc import Iterator

from genload.analysis.comparison import ComparedSuite, Comparison, MetricShift, Verdict
from genload.reporting.comparison.wording import (
    HEADS,
    VERDICTS,
    differences,
    how,
    rehearsal_note,
    row,
    shown,
    sides,
    suite_words,
    uncompared_words,
)
from genload.reporting.markdown_text import cell_code, prose, table_lines
from genload.reporting.tables import Table

_MARKS: dict[Verdict, str] = {
    "regression": "❌",
    "no_regression": "✅",
    "inconclusive": "❔",
    "descriptive": "❔",
}


def markdown(suite: ComparedSuite) -> str:
    """The file: what differs before any number."""
    return "\n".join(_document(suite)).rstrip() + "\n"


def _document(suite: ComparedSuite) -> Iterator[str]:
    notes = dict.fromkeys(note for each in suite.scenarios if (note := rehearsal_note(each)))
    if notes:
        yield f"> **{prose(' · '.join(notes))}**"
        yield ""
    yield f"# {_MARKS[suite.verdict]} {suite_words(suite)}"
    yield ""
    if words := uncompared_words(suite):
        yield prose(words)
        yield ""
    for comparison in suite.scenarios:
        yield from _scenario(comparison)


def _scenario(comparison: Comparison) -> Iterator[str]:
    name = f"{comparison.suite}/{comparison.scenario}"
    yield f"## {prose(name)}: {_MARKS[comparison.verdict]} {VERDICTS[comparison.verdict]}"
    yield ""
    yield from _cells(differences(comparison))
    yield f"{prose(comparison.summary)}. {prose(sides(comparison))}."
    yield ""
    yield from table_lines((*HEADS, "why"), (_row(metric) for metric in comparison.judged))
    for notice in comparison.notices:
        yield f"- {prose(notice)}"
    if comparison.notices:
        yield ""
    others = shown(comparison)
    if others.rows:
        yield f"<details><summary>{len(others.rows)} more metrics, not judged</summary>"
        yield ""  # what follows is Markdown again
        yield from _cells(others)
        yield "</details>"
        yield ""
    yield f"<sub>{prose(' '.join(how(comparison)))}</sub>"
    yield ""


def _row(metric: MetricShift) -> list[str]:
    name, *cells = row(metric)
    result = f"{_MARKS[metric.result]} {cells.pop()}" if metric.result else cells.pop()
    return [cell_code(name), *map(prose, cells), result, prose(metric.reason)]


def _cells(table: Table) -> Iterator[str]:
    rows = ([cell_code(name), *map(prose, cells)] for name, *cells in table.rows)
    yield from table_lines(table.heads, rows)
