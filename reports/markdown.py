"""``summary.md``: the suite for people, made for GitHub's job summaries and comments.

Text that genload did not write itself is either in a code span, verbatim but for control characters, or
escaped so that it can neither format, link, mention nor close a table cell.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from genload.analysis.judged import CriterionVerdict, ErrorGroup, JudgedRun, JudgedSuite, Summary
from genload.analysis.judged.speech import SpeechNumbers
from genload.analysis.reconciliation import Comparison
from genload.errors import ExitCode
from genload.human import human
from genload.plain import plain
from genload.reporting import write_text
from genload.reporting.machine_wording import (
    counted,
    efficiency_findings,
    families,
    lacking_words,
    live_words,
    monitor_words,
    trend_findings,
    uptime_words,
)
from genload.reporting.quotes import Quotes
from genload.reporting.request_wording import (
    RANGES,
    arrivals_words,
    has_ranges,
    mean_range,
    observed,
    own_pauses,
    p95_range,
    retry_findings,
    speech_findings,
    stage_range,
    stalls,
    strata,
    valid,
)
from genload.reporting.wording import (
    asleep_words,
    explained,
    no_criteria_words,
    rehearsal_note,
    suite_word,
    tested_words,
    utc,
    verdict_word,
)

_MARKS = {"pass": "✅ pass", "fail": "❌ fail", "inconclusive": "❔ inconclusive"}
_PUNCTUATION = re.compile(r"([\\`*_\[\]#|~$])")
# GitHub links these even where nothing is marked up; a word joiner inside keeps it from seeing them.
_AUTOLINK = re.compile(r"(@|#|:(?=//)|www(?=\.))")
_JOINER = "\u2060"


def render(suite: JudgedSuite, folder: Path) -> list[Path]:
    """Write summary.md."""
    return [write_text(folder / "summary.md", "\n".join(_document(suite)).rstrip() + "\n")]


def _document(suite: JudgedSuite) -> Iterator[str]:
    notes = dict.fromkeys(note for run in suite.runs if (note := rehearsal_note(run)))
    if notes:
        yield f"> **{_text(' · '.join(notes))}**"
        yield ""
    yield f"# {_text(suite.suite)}: {_word(suite_word(suite), suite.exit_code)}"
    yield ""
    identities = {tested_words(run) for run in suite.runs}
    shared = identities.pop() if len(identities) == 1 else None
    yield from _tested(shared)
    yield from _table(
        ("scenario", "verdict", "requests", "failed", "error rate", "mean", "p95", "throughput", "load"),
        (_scenario_row(run) for run in suite.runs),
    )
    if suite.missing:
        yield f"Not run: {', '.join(_code(name) for name in suite.missing)}"
        yield ""
    for run in suite.runs:
        yield from _scenario(run, tested=None if shared else tested_words(run))


def _scenario_row(run: JudgedRun) -> Sequence[str]:
    return (
        _text(run.scenario),
        _word(verdict_word(run), run.verdict.exit_code),
        str(run.overall.total_requests),
        *_numbers(run.overall),
        human(run.duration_s, "s"),
    )


def _numbers(summary: Summary) -> Sequence[str]:
    per_minute = summary.throughput_per_minute
    return (
        str(summary.failed_requests),
        human(None if summary.error_rate is None else summary.error_rate / 100, "ratio"),
        mean_range(summary),
        p95_range(summary),
        "–" if per_minute is None else f"{human(per_minute, '')}/min",
    )


def _scenario(run: JudgedRun, tested: str | None) -> Iterator[str]:
    quotes = Quotes()
    yield f"## {_text(run.scenario)}: {_word(verdict_word(run), run.verdict.exit_code)}"
    yield ""
    yield from _tested(tested)
    if run.purpose:
        yield _text(run.purpose)
        yield ""
    yield from _list((f"**{_text(r.text)}** → {_text(r.remedy)}" for r in run.verdict.reasons), "Not valid:")
    if words := no_criteria_words(run):
        yield _text(words)
        yield ""
    yield from _table(
        ("result", "criterion", "rule", "observed", "evidence"),
        (_criterion_row(c) for c in run.verdict.criteria),
    )
    if run.arrivals is not None:
        yield f"Arrivals: {_text(arrivals_words(run.arrivals))}."
        yield ""
    yield from _phases(run)
    yield from _stages(run)
    yield from _speech(run)
    yield from _list(_errors(run, quotes), "Errors:")
    yield from _list(_retries(run), "Tried again:")
    yield from _machines(run)
    yield from _list(_monitors(run, quotes), "Monitors:")
    yield from _list(_trends(run), "Trends:")
    yield from _list(_efficiency(run), "What an output cost:")
    yield from _list(_families(run), "Expected metrics:")
    yield from _list((_counted(run, c) for c in run.reconciliation), "Against the service's own counts:")
    yield from _list((_text(quotes.once(notice)) for notice in run.notices), "Notices:")
    yield _small_print(run)
    yield ""


def _tested(words: str | None) -> Iterator[str]:
    if words:
        yield _text(words)
        yield ""


def _criterion_row(criterion: CriterionVerdict) -> Sequence[str]:
    mark = _MARKS[criterion.result] if criterion.must else f"{_MARKS[criterion.result]} (reported only)"
    return (
        mark,
        _text(criterion.name),
        _cell_code(criterion.expression),
        observed(criterion),
        _text(explained(criterion)),
    )


def _phases(run: JudgedRun) -> Iterator[str]:
    if len(run.phases) > 1:
        heads = ("phase", "users", "requests", "failed", "error rate", "mean", "p95", "throughput")
        yield from _table(
            heads,
            (
                (_text(p.name), str(p.target_users), str(p.summary.total_requests), *_numbers(p.summary))
                for p in run.phases
            ),
        )


def _stages(run: JudgedRun) -> Iterator[str]:
    yield from _table(
        ("stage", "mean", "p50", "p95", "max"),
        (
            (_text(name), *(stage_range(stage, each) for each in ("mean", "p50", "p95", "max")))
            for name, stage in run.stages.items()
        ),
    )
    if has_ranges(run):
        yield f"{RANGES[0].upper()}{RANGES[1:]}."
        yield ""


def _retries(run: JudgedRun) -> Iterator[str]:
    if run.retries is not None:
        yield from (f"{title}: {_text(text)}" for title, text in retry_findings(run.retries))
        if words := own_pauses(run.retries):
            yield _text(f"the mean duration: {words}")


def _speech(run: JudgedRun) -> Iterator[str]:
    if run.speech is None:
        return
    heads = ("speech", "requests", "failed", "error rate", "TTFA p50", "p95", "duration p50", "p95", "RTF")
    yield from _table((*heads, "stalls", "valid"), (_stratum_row(*each) for each in strata(run.speech)))
    yield from _list((f"{title}: {_text(text)}" for title, text in speech_findings(run.speech)), "Heard:")


def _stratum_row(name: str, numbers: SpeechNumbers) -> Sequence[str]:
    times_s = (numbers.p50_ttfa, numbers.p95_ttfa, numbers.p50_duration, numbers.p95_duration)
    return (
        _text(name),
        str(numbers.total_requests),
        str(numbers.failed_requests),
        human(None if numbers.error_rate is None else numbers.error_rate / 100, "ratio"),
        *(human(value, "s") for value in times_s),
        human(numbers.avg_rtf, ""),
        stalls(numbers),
        valid(numbers),
    )


def _machines(run: JudgedRun) -> Iterator[str]:
    yield from _table(
        ("metric", "first", "last", "max", "growth", "coverage", "source"),
        (
            (
                _text(s.metric),
                *(human(value, s.unit) for value in (s.first, s.last, s.max)),
                human(s.growth, "ratio"),
                human(s.coverage, "ratio"),
                _cell_code(s.source),
            )
            for s in run.series
        ),
    )


def _monitors(run: JudgedRun, quotes: Quotes) -> Iterator[str]:
    """The service's uptime, and each monitor; one that never came is a notice."""
    if (words := uptime_words(run)) is not None:
        yield _text(quotes.once(words))
    yield from (
        _text(quotes.once(monitor_words(each), each.last_error)) for each in run.monitors if not each.silent
    )


def _trends(run: JudgedRun) -> Iterator[str]:
    if run.trends is not None:
        yield from (f"{_code(title)}: {_text(text)}" for title, text in trend_findings(run.trends))


def _efficiency(run: JudgedRun) -> Iterator[str]:
    if run.efficiency is not None:
        yield from (f"{title}: {_text(text)}" for title, text in efficiency_findings(run.efficiency))


def _families(run: JudgedRun) -> Iterator[str]:
    """The families of each state in one line."""
    for words, names in families(run.contract):
        yield f"{words}: {', '.join(_code(name) for name in names)}"
    if lacking_words(run.contract) and (live := live_words(run)):
        yield _text(live)


def _counted(run: JudgedRun, one: Comparison) -> str:
    meaning = _text("; ".join(one.meaning)) or "no difference"
    return ": ".join(part for part in (one.count, counted(run, one, _code(one.metric)), meaning) if part)


def _errors(run: JudgedRun, quotes: Quotes) -> Iterator[str]:
    yield from (_error(group, quotes) for group in run.errors)
    if (words := asleep_words(run)) is not None:
        yield _text(words)


def _error(group: ErrorGroup, quotes: Quotes) -> str:
    messages = ", ".join(_code(quotes.once(message, message)) for message in group.messages if plain(message))
    return f"{_text(group.error_class)} × {group.count}" + (f": {messages}" if messages else "")


def _small_print(run: JudgedRun) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in run.versions.items())
    facts = [
        f"{utc(run.start_time)} to {utc(run.end_time)}",
        f"seed {run.seed}",
        f"warm-up {run.warmup.total_requests}",
        f"a user whose request fails pauses {human(run.failure_pause_s, 's')}",
        versions,
    ]
    return f"<sub>{_text(' · '.join(fact for fact in facts if fact))}</sub>"


def _word(word: str, exit_code: int) -> str:
    marks: dict[int, str] = {ExitCode.PASSED: "✅", ExitCode.FAILED: "❌"}
    return f"{marks.get(exit_code, '⚠️')} {word}"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table and an empty line after it; nothing at all without rows."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    if lines:
        yield f"| {' | '.join(heads)} |"
        yield f"|{' --- |' * len(heads)}"
        yield from lines
        yield ""


def _list(items: Iterable[str], title: str) -> Iterator[str]:
    lines = [f"- {item}" for item in items]
    if lines:
        yield title
        yield ""
        yield from lines
        yield ""


def _text(text: str) -> str:
    """As prose: nothing in it is markup, a link or a mention."""
    joined = _AUTOLINK.sub(rf"\1{_JOINER}", plain(text))
    return _PUNCTUATION.sub(r"\\\1", html.escape(joined, quote=False))


def _code(text: str) -> str:
    """As a code span, whose fence is longer than any run of backticks within."""
    body = plain(text) or " "
    fence = "`" * (max((len(run) for run in re.findall("`+", body)), default=0) + 1)
    pad = " " if body.startswith("`") or body.endswith("`") else ""
    return f"{fence}{pad}{body}{pad}{fence}"


def _cell_code(text: str) -> str:
    # Within a code span a table cell cannot hold a pipe that every renderer leaves alone.
    return _code(text.replace("|", "¦"))
