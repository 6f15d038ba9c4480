"""Verdicts on a terminal: tables that fit 80 columns, and text of a service that cannot move the cursor.

Every string goes through `Text`, which reads no markup; a service's words through `plain` before that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from genload.analysis.judged import Change, CriterionVerdict, ErrorGroup, JudgedRun, JudgedSuite
from genload.analysis.judged.capacity import Capacity
from genload.analysis.judged.speech import SpeechNumbers, SpeechSummary
from genload.human import human
from genload.plain import plain
from genload.reporting.capacity_wording import capacity_findings
from genload.reporting.change_wording import change_words, moved_words, telling
from genload.reporting.machine_wording import (
    cost_words,
    counted,
    lacking_words,
    live_words,
    monitor_words,
    notable_trends,
    sharing_text,
    uptime_words,
)
from genload.reporting.quotes import Quotes
from genload.reporting.request_wording import (
    RANGES,
    arrivals_words,
    cold_findings,
    has_ranges,
    left_words,
    limit,
    listener_findings,
    mean_range,
    observed,
    own_pauses,
    own_words,
    p95_range,
    retry_findings,
    speech_findings,
    stalls,
    strata,
    valid,
)
from genload.reporting.tables import levels_of
from genload.reporting.wording import (
    asleep_words,
    explained,
    no_criteria_words,
    pooled_words,
    rehearsal_note,
    suite_word,
    tested_words,
    verdict_word,
)

_STYLES = {"PASS": "bold green", "FAIL": "bold red", "OBSERVED": "bold"}
_RESULTS = {
    "pass": Text("pass", "green"),
    "fail": Text("fail", "red"),
    "inconclusive": Text("open", "yellow"),
}
_LONGEST_LINE = 200
_WORDS_OF_A_LEVEL = 2  # columns before its numbers
_SHORT_OF_CAPACITY = ("what limited it",)
_NAME_WIDTH = 24  # of a scenario's name that is not broken up
_LONGEST_FINDING = 400
_LONGEST_IDENTITY = 1000


class _Most(NamedTuple):
    """How many of each are shown."""

    messages: int  # of an error class
    notices: int
    strata: int  # rows of speech; of more only all together, and the phases if they are not too many


_SHORT, _VERBOSE = _Most(messages=1, notices=4, strata=6), _Most(messages=3, notices=1000, strata=1000)


def verdict_view(judged: JudgedRun, *, verbose: bool = False) -> RenderableType:
    """The final verdict of one scenario: criteria, reasons, errors, notices.

    Args:
        verbose: each criterion with its rule and its evidence in a sentence, and everything that is said of
            the run; otherwise a line a criterion, and as much as fits a screen of 40 lines.
    """
    return Group(*_verdict(judged, verbose))


def suite_view(suite: JudgedSuite) -> RenderableType:
    """One line a scenario, and the suite's verdict."""
    return Group(*_suite(suite))


def _verdict(run: JudgedRun, verbose: bool) -> Iterator[RenderableType]:
    most = _VERBOSE if verbose else _SHORT
    if note := rehearsal_note(run):
        yield Text(note, "bold yellow")
    quotes = Quotes()
    yield _heading(f"{run.suite}/{run.name}", verdict_word(run))
    for told in filter(None, (tested_words(run), pooled_words(run))):
        yield _indented(Text(plain(told, _LONGEST_IDENTITY)))
    for reason in run.verdict.reasons:
        yield _indented(Text.assemble(("not valid: ", "bold yellow"), plain(reason.text)))
        yield _indented(Text(f"→ {plain(reason.remedy)}"), 4)
    if words := no_criteria_words(run):
        yield _indented(Text(f"→ {words}"))
    if run.verdict.criteria:
        yield (_criteria_told if verbose else _criteria)(run.verdict.criteria)
    yield from _capacity(run, verbose)
    yield from map(_indented, _change(run.change) if run.change is not None else ())
    yield _indented(Text(_numbers(run), "dim"))
    if run.speech is not None:
        yield from _speech(run.speech, most)
    yield from map(_finding, cold_findings(run.cold_starts, notable=True))
    if run.listeners is not None:
        yield from map(_finding, listener_findings(run.listeners))
    for group in run.errors:
        yield from _error(group, quotes, most)
    yield from map(_finding, _findings(run))
    yield from _monitors(run, quotes)
    yield from _notices(run.notices, quotes, most)


_CHANGE_STYLES: dict[str, str] = {"regression": "bold red", "no_regression": "green"}


def _change(change: Change) -> Iterator[Text]:
    """What has changed since a baseline: the verdict, what it rests on, and what is missing for one."""
    style = _CHANGE_STYLES.get(change.verdict, "bold yellow")
    yield Text(plain(change_words(change), _LONGEST_FINDING), style)
    for metric in telling(change):
        words = f"{metric.metric} {moved_words(metric) or metric.reason}"
        yield Text(f"  {plain(words, _LONGEST_LINE)}")
    if change.needs:
        yield Text(f"→ {plain(change.needs, _LONGEST_FINDING)}")


def _findings(run: JudgedRun) -> Iterator[tuple[str, str]]:
    """What else a reader should know: title and text. All that was watched and is well has no line."""
    if run.arrivals is not None:
        yield "arrivals", arrivals_words(run.arrivals)
    if run.retries is not None:
        yield from retry_findings(run.retries)
    if run.efficiency is not None:
        if words := cost_words(run.efficiency):
            yield "an output cost", words
        if run.efficiency.sharing is not None and run.efficiency.sharing.shared:
            yield "board", sharing_text(run.efficiency.sharing)
    if run.trends is not None:
        yield from notable_trends(run.trends)
    for count in run.reconciliation:
        if count.result == "differs":
            yield f"{count.count} differs", "; ".join([counted(run, count, count.metric), *count.meaning])
    if words := lacking_words(run.contract):
        yield "expected metrics", "; ".join(filter(None, (words, live_words(run))))


def _monitors(run: JudgedRun, quotes: Quotes) -> Iterator[RenderableType]:
    """Those that lack something, one that never came being a notice; and the service when it was down."""
    for each in run.monitors:
        if each.failing and not each.silent:
            words = quotes.once(monitor_words(each), each.last_error)
            yield _indented(Text.assemble(("monitor: ", "bold"), plain(words, _LONGEST_LINE)))
    if run.uptime is not None and run.uptime.down:
        yield _indented(Text(quotes.once(uptime_words(run) or "")))


def _notices(notices: Sequence[str], quotes: Quotes, most: _Most) -> Iterator[RenderableType]:
    for notice in notices[: most.notices]:
        yield _indented(Text.assemble(("note: ", "bold"), quotes.once(notice)))
    if len(notices) > most.notices:
        yield _indented(Text(f"{len(notices) - most.notices} more notes: --verbose", "dim"))


def _capacity(run: JudgedRun, verbose: bool) -> Iterator[RenderableType]:
    """Of a search, the answer in a sentence and a line a level."""
    if (found := run.capacity) is None:
        return
    yield from capacity_view(found)
    told = capacity_findings(found)
    yield from map(_finding, told if verbose else (one for one in told if one[0] in _SHORT_OF_CAPACITY))


def capacity_view(found: Capacity) -> Iterator[RenderableType]:
    """What a search found in a sentence, and its levels."""
    yield _indented(Text(plain(found.sentence, _LONGEST_FINDING * 2), "bold"))
    levels = levels_of(found)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1), collapse_padding=True)
    for place, head in enumerate(levels.heads):
        # So that eighty columns hold it: the outcome in two lines before a number is cut.
        narrow = plain(head).replace("throughput", "through-\nput").replace("_", "_\n").replace(" ", "\n")
        is_word = place < _WORDS_OF_A_LEVEL
        table.add_column(Text(narrow), justify="left" if is_word else "right", no_wrap=head != "outcome")
    for row in levels.rows:
        table.add_row(*(Text(plain(cell)) for cell in row))
    yield table


def _heading(name: str, word: str, width: int = 0) -> Text:
    return Text.assemble((plain(name).ljust(width), "bold"), "  ", (word, _STYLES.get(word, "bold yellow")))


def _indented(text: Text, by: int = 2) -> Padding:
    """Wrapped lines keep the indentation of the first."""
    return Padding(text, (0, 0, 0, by), expand=False)


def _criteria(criteria: Iterable[CriterionVerdict]) -> Table:
    """A line each."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1))
    table.add_column("", no_wrap=True)
    table.add_column("criterion", no_wrap=True, overflow="ellipsis")
    for head in ("observed", "must be"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("evidence", no_wrap=True)
    for criterion in criteria:
        name = Text(plain(criterion.name))
        if not criterion.must:
            name.append(" (reported only)", "dim italic")
        evidence = Text(criterion.evidence or "none", "dim")
        table.add_row(_RESULTS[criterion.result], name, observed(criterion), limit(criterion), evidence)
    return table


def _criteria_told(criteria: Iterable[CriterionVerdict]) -> Table:
    """Each with its rule and its evidence in a sentence."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1))
    table.add_column("", no_wrap=True)
    table.add_column("criterion", overflow="fold")
    table.add_column("observed", justify="right", no_wrap=True)
    for criterion in criteria:
        told = Text.assemble(plain(criterion.name), "\n", (plain(criterion.expression), "dim"))
        if evidence := plain(explained(criterion)):
            told.append(f"\n{evidence}")
        if not criterion.must:
            told.append("\nreported only", "italic")
        table.add_row(_RESULTS[criterion.result], told, observed(criterion))
    return table


def _numbers(run: JudgedRun) -> str:
    overall = run.overall
    parts = [
        f"{overall.total_requests} requests, {overall.failed_requests} failed",
        *filter(None, [left_words(overall)]),
        *([words] if (words := asleep_words(run)) else []),
        _mean(run),
        f"load {human(run.duration_s, 's')}",
    ]
    if overall.drained_requests:
        parts.append(f"{overall.drained_requests} ended after it")
    if overall.unfinished_requests:
        parts.append(f"{overall.unfinished_requests} never ended")
    return ", ".join(parts)


def _mean(run: JudgedRun) -> str:
    words = [own_pauses(run.retries), RANGES if has_ranges(run) else ""]
    beside = "; ".join(word for word in words if word)
    return f"mean {mean_range(run.overall)}" + (f" ({beside})" if beside else "")


def _speech(speech: SpeechSummary, most: _Most) -> Iterator[RenderableType]:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1))
    table.add_column("speech", overflow="fold")
    streamed = speech.overall.streamed_requests > 0
    listened = speech.words is not None
    heads = ["requests", "failed", "ttfa p95", "p95", "rtf", "stalls", "valid", "own words"]
    shown = {"stalls": streamed, "own words": listened}
    for name in filter(lambda head: shown.get(head, True), heads):
        table.add_column(name, justify="right")
    for name, numbers in _strata(speech, most.strata):
        table.add_row(
            Text(plain(name)),
            str(numbers.total_requests),
            str(numbers.failed_requests),
            human(numbers.p95_ttfa, "s"),
            human(numbers.p95_duration, "s"),
            human(numbers.avg_rtf, ""),
            *((stalls(numbers),) if streamed else ()),
            valid(numbers),
            *((own_words(numbers),) if listened else ()),
        )
    yield table
    yield from map(_finding, speech_findings(speech))


def _strata(speech: SpeechSummary, most: int) -> list[tuple[str, SpeechNumbers]]:
    phases = speech.strata.get("phase", {})
    rows, with_phases = list(strata(speech)), 1 + len(phases) if len(phases) > 1 else 1
    if len(rows) <= most:
        return rows
    return rows[: with_phases if with_phases <= most else 1]


def _finding(found: tuple[str, str]) -> RenderableType:
    return _indented(Text.assemble((f"{plain(found[0])}: ", "bold"), plain(found[1], _LONGEST_FINDING)))


def _error(group: ErrorGroup, quotes: Quotes, most: _Most) -> Iterator[RenderableType]:
    yield _indented(Text.assemble((plain(group.error_class), "red"), f" × {group.count}"))
    messages = [text for text in group.messages if plain(text)]
    for text in messages[: most.messages]:
        yield _indented(Text(plain(quotes.once(text, text), _LONGEST_LINE)), 4)


def _suite(suite: JudgedSuite) -> Iterator[RenderableType]:
    for note in dict.fromkeys(note for run in suite.runs if (note := rehearsal_note(run))):
        yield Text(note, "bold yellow")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1))
    longest = max((len(run.name) for run in suite.runs), default=0)
    table.add_column("scenario", overflow="fold", min_width=min(longest, _NAME_WIDTH))
    table.add_column("verdict", no_wrap=True)
    for name in ("requests", "failed", "mean", "p95", "load"):
        table.add_column(name, justify="right", no_wrap=True)
    for run in suite.runs:
        word, overall = verdict_word(run), run.overall
        table.add_row(
            Text(plain(run.name)),
            Text(word, _STYLES.get(word, "bold yellow")),
            str(overall.total_requests),
            str(overall.failed_requests),
            mean_range(overall),
            p95_range(overall),
            human(run.duration_s, "s"),
        )
    yield table
    if suite.missing:
        yield Text(f"  not run: {', '.join(plain(name) for name in suite.missing)}", "dim")
    yield _heading(suite.suite, suite_word(suite))


def print_verdict(judged: JudgedRun, files: Sequence[Path] = (), *, verbose: bool = False) -> None:
    """Print one scenario's verdict, and where its reports are."""
    console = Console(highlight=False)
    console.print(verdict_view(judged, verbose=verbose))
    _print_files(console, files)


def print_suite(suite: JudgedSuite, files: Sequence[Path] = ()) -> None:
    """Print a suite's verdicts, and where its reports are."""
    console = Console(highlight=False)
    console.print(suite_view(suite))
    _print_files(console, files)


def outcomes_view(
    ended: Sequence[tuple[str, str, Path | None]], not_run: Sequence[str], exit_code: int
) -> RenderableType:
    """Several suites: the verdict of each with its folder, what was not run, and the one exit code."""
    width = max((len(name) for name, _, _ in ended), default=0)
    lines = [_heading(name, word, width).append(f"  {folder or ''}", "dim") for name, word, folder in ended]
    if not_run:
        lines.append(Text(f"not run: {', '.join(plain(name) for name in not_run)}", "bold yellow"))
    return Group(*lines, Text(f"exit code {exit_code}"))


def print_outcomes(
    ended: Sequence[tuple[str, str, Path | None]], not_run: Sequence[str], exit_code: int
) -> None:
    """Print how several suites ended."""
    console = Console(highlight=False)
    console.rule(Text("all suites"))
    console.print(outcomes_view(ended, not_run, exit_code), soft_wrap=True)


def _print_files(console: Console, files: Sequence[Path]) -> None:
    for path in files:
        # Never folded: a path is there to be copied.
        console.print(Text(f"  {path}", "dim"), soft_wrap=True)
