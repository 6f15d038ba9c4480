"""``summary.md``: the suite for people, made for GitHub's job summaries and comments.

Text that genload did not write itself is either in a code span, verbatim but for control characters, or
escaped so that it can neither format, link, mention nor close a table cell.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from genload.analysis.judged import CriterionVerdict, JudgedRun, JudgedSuite
from genload.errors import ExitCode
from genload.human import count_of, human
from genload.reporting import tables, write_text
from genload.reporting.change_wording import change_words
from genload.reporting.findings import Finding, findings
from genload.reporting.markdown_text import cell_code, code, prose, table_lines
from genload.reporting.request_wording import RANGES, has_ranges, limit, observed
from genload.reporting.wording import (
    explained,
    no_criteria_words,
    pooled_words,
    rehearsal_note,
    suite_word,
    tested_words,
    utc,
    verdict_word,
)

_MARKS = {"pass": "✅ pass", "fail": "❌ fail", "inconclusive": "❔ inconclusive"}


def render(suite: JudgedSuite, folder: Path) -> list[Path]:
    """Write summary.md."""
    return [write_text(folder / "summary.md", "\n".join(_document(suite)).rstrip() + "\n")]


def _document(suite: JudgedSuite) -> Iterator[str]:
    notes = dict.fromkeys(note for run in suite.runs if (note := rehearsal_note(run)))
    if notes:
        yield f"> **{prose(' · '.join(notes))}**"
        yield ""
    yield f"# {prose(suite.suite)}: {_word(suite_word(suite), suite.exit_code)}"
    yield ""
    identities = {tested_words(run) for run in suite.runs}
    shared = identities.pop() if len(identities) == 1 else None
    yield from _tested(shared)
    heads = [*tables.scenario_numbers(suite.runs[0])] if suite.runs else []
    yield from table_lines(("scenario", "verdict", *heads), (_scenario_row(run) for run in suite.runs))
    if suite.missing:
        yield f"Not run: {', '.join(code(name) for name in suite.missing)}"
        yield ""
    yield from table_lines(
        ("scenario", "result", "criterion", "observed", "must be", "evidence"),
        (_short_row(run, criterion) for run in suite.runs for criterion in run.verdict.criteria),
    )
    for heading, table in tables.checklists(suite):
        yield f"{prose(heading)}:"
        yield ""
        yield from _cells(table)
    for run in suite.runs:
        yield from _scenario(run, tested=None if shared else tested_words(run))


def _scenario_row(run: JudgedRun) -> Sequence[str]:
    word = _word(verdict_word(run), run.verdict.exit_code)
    return (prose(run.name), word, *map(prose, tables.scenario_numbers(run).values()))


def _short_row(run: JudgedRun, criterion: CriterionVerdict) -> Sequence[str]:
    return (
        prose(run.name),
        _mark(criterion),
        prose(criterion.name),
        observed(criterion),
        limit(criterion),
        criterion.evidence or "–",
    )


def _scenario(run: JudgedRun, tested: str | None) -> Iterator[str]:
    yield f"## {prose(run.name)}: {_word(verdict_word(run), run.verdict.exit_code)}"
    yield ""
    yield from _tested(tested)
    if run.purpose:
        yield prose(run.purpose)
        yield ""
    if words := pooled_words(run):
        yield f"{prose(words)}."
        yield ""
        yield from _cells(tables.pooled(run))
    yield from _list((f"**{prose(r.text)}** → {prose(r.remedy)}" for r in run.verdict.reasons), "Not valid:")
    if words := no_criteria_words(run):
        yield prose(words)
        yield ""
    if run.capacity is not None:
        yield f"**{prose(run.capacity.sentence)}**"
        yield ""
        yield from _cells(tables.levels(run))
    yield from _changed(run)
    criteria = table_lines(
        ("result", "criterion", "rule", "observed", "evidence"),
        (_criterion_row(c) for c in run.verdict.criteria),
    )
    yield from _folded("criteria with their rules and evidence", criteria)
    for table in (tables.phases(run), tables.stages(run), tables.speech(run)):
        yield from _cells(table)
    if has_ranges(run):
        yield f"{RANGES[0].upper()}{RANGES[1:]}."
        yield ""
    for heading, items in findings(run):
        yield from _list(map(_finding, items), f"{heading}:")
    yield from _folded(f"machines: {count_of(len(run.series), 'metric')}", _cells(tables.machines(run)))
    yield _small_print(run)
    yield ""


def _changed(run: JudgedRun) -> Iterator[str]:
    if run.change is None:
        return
    mark = {ExitCode.PASSED: "✅", ExitCode.FAILED: "❌"}.get(run.change.exit_code, "❔")
    yield f"{mark} {prose(change_words(run.change))}"
    yield ""
    if run.change.needs:
        yield f"→ {prose(run.change.needs)}"
        yield ""
    yield from _cells(tables.changes(run))


def _tested(words: str | None) -> Iterator[str]:
    if words:
        yield prose(words)
        yield ""


def _criterion_row(criterion: CriterionVerdict) -> Sequence[str]:
    return (
        _mark(criterion),
        prose(criterion.name),
        cell_code(criterion.expression),
        observed(criterion),
        prose(explained(criterion)),
    )


def _mark(criterion: CriterionVerdict) -> str:
    return _MARKS[criterion.result] if criterion.must else f"{_MARKS[criterion.result]} (reported only)"


def _finding(finding: Finding) -> str:
    parts = [prose(finding.title), prose(finding.text), ", ".join(map(code, finding.quoted))]
    return ": ".join(part for part in parts if part)


def _small_print(run: JudgedRun) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in run.versions.items())
    facts = [
        f"{utc(run.start_time)} to {utc(run.end_time)}",
        f"seed {run.seed}",
        f"warm-up {run.warmup.total_requests}",
        f"a user whose request fails pauses {human(run.failure_pause_s, 's')}",
        versions,
    ]
    return f"<sub>{prose(' · '.join(fact for fact in facts if fact))}</sub>"


def _word(word: str, exit_code: int) -> str:
    marks: dict[int, str] = {ExitCode.PASSED: "✅", ExitCode.FAILED: "❌"}
    return f"{marks.get(exit_code, '⚠️')} {word}"


def _cells(table: tables.Table) -> Iterator[str]:
    rows = (
        [cell_code(cell) if n in table.code else prose(cell) for n, cell in enumerate(row)]
        for row in table.rows
    )
    yield from table_lines(table.heads, rows)


def _folded(summary: str, lines: Iterable[str]) -> Iterator[str]:
    """Behind a fold, of which GitHub shows the summary; nothing at all without lines."""
    if body := list(lines):
        yield f"<details><summary>{prose(summary)}</summary>"
        yield ""  # what follows is Markdown again
        yield from body
        yield "</details>"
        yield ""


def _list(items: Iterable[str], title: str) -> Iterator[str]:
    lines = [f"- {item}" for item in items]
    if lines:
        yield title
        yield ""
        yield from lines
        yield ""
