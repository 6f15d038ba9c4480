"""What reports say of a run beside its verdict and tables, as plain text: whoever renders it escapes it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from genload.analysis.judged import ErrorGroup, JudgedRun
from genload.plain import plain
from genload.reporting.capacity_wording import capacity_findings
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
    arrivals_words,
    cold_findings,
    left_words,
    listener_findings,
    own_pauses,
    retry_findings,
    speech_findings,
)
from genload.reporting.wording import asleep_words


class Finding(NamedTuple):
    """Attributes:
    title: in a few words what it is about; "" where the text says it.
    text: a sentence.
    quoted: identifiers, and words of the service as they came.
    """

    title: str
    text: str = ""
    quoted: tuple[str, ...] = ()


def findings(run: JudgedRun) -> Iterator[tuple[str, list[Finding]]]:
    """Everything there is to say, under its headings; words of the service are said in full once."""
    quotes = Quotes()
    found = {
        "Capacity": [*_capacity(run)],
        "Arrivals": [Finding("", arrivals_words(run.arrivals))] if run.arrivals is not None else [],
        "Heard": [*_heard(run)],
        "Cold": [Finding(title, text) for title, text in cold_findings(run.cold_starts)],
        "Listeners who left": [*_listeners(run)],
        "Errors": [*_errors(run, quotes)],
        "Tried again": [*_retries(run)],
        "Monitors": [*_monitors(run, quotes)],
        "Trends": [*_trends(run)],
        "What an output cost": [*_efficiency(run)],
        "Expected metrics": [*_families(run)],
        "Against the service's own counts": [*_counts(run)],
        "Notices": [Finding("", quotes.once(notice)) for notice in run.notices],
    }
    yield from ((heading, items) for heading, items in found.items() if items)


def _capacity(run: JudgedRun) -> Iterator[Finding]:
    if run.capacity is not None:
        yield from (Finding(title, text) for title, text in capacity_findings(run.capacity))


def _heard(run: JudgedRun) -> Iterator[Finding]:
    if run.speech is not None:
        yield from (Finding(title, text) for title, text in speech_findings(run.speech))


def _listeners(run: JudgedRun) -> Iterator[Finding]:
    if run.listeners is not None:
        phases = [f"{words} in {p.name}" for p in run.phases if (words := left_words(p.summary))]
        yield Finding("", ", ".join(phases) or "nobody left")
        yield from (Finding(title, text) for title, text in listener_findings(run.listeners))


def _errors(run: JudgedRun, quotes: Quotes) -> Iterator[Finding]:
    yield from (_error(group, quotes) for group in run.errors)
    if (words := asleep_words(run)) is not None:
        yield Finding("", words)


def _error(group: ErrorGroup, quotes: Quotes) -> Finding:
    messages = (quotes.once(message, message) for message in group.messages if plain(message))
    return Finding(f"{group.error_class} × {group.count}", quoted=tuple(messages))


def _retries(run: JudgedRun) -> Iterator[Finding]:
    if run.retries is not None:
        yield from (Finding(title, text) for title, text in retry_findings(run.retries))
        if words := own_pauses(run.retries):
            yield Finding("the mean duration", words)


def _monitors(run: JudgedRun, quotes: Quotes) -> Iterator[Finding]:
    """The service's uptime, and each monitor; one that never came is a notice."""
    if (words := uptime_words(run)) is not None:
        yield Finding("", quotes.once(words))
    for each in run.monitors:
        if not each.silent:
            yield Finding("", quotes.once(monitor_words(each), each.last_error))


def _trends(run: JudgedRun) -> Iterator[Finding]:
    if run.trends is not None:
        yield from (Finding(title, text) for title, text in trend_findings(run.trends))


def _efficiency(run: JudgedRun) -> Iterator[Finding]:
    if run.efficiency is not None:
        yield from (Finding(title, text) for title, text in efficiency_findings(run.efficiency))


def _families(run: JudgedRun) -> Iterator[Finding]:
    """The families of each state in one line."""
    yield from (Finding(words, quoted=tuple(names)) for words, names in families(run.contract))
    if lacking_words(run.contract) and (live := live_words(run)):
        yield Finding("", live)


def _counts(run: JudgedRun) -> Iterator[Finding]:
    for one in run.reconciliation:
        meaning = "; ".join(one.meaning) or "no difference"
        yield Finding(one.count, ": ".join(part for part in (counted(run, one, one.metric), meaning) if part))
