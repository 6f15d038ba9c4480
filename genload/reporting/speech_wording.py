"""How reports say what a listener would have noticed: rows of a table by stratum, and a line on each finding.

Labels and their values come from a suite or a service: whoever shows them escapes them.
"""

from __future__ import annotations

from collections.abc import Iterator

from genload.analysis.judged.speech import Gaps, PerCharacter, Playback, SpeechNumbers, SpeechSummary
from genload.human import human

NOT_STREAMED = "not streamed"


def strata(speech: SpeechSummary) -> Iterator[tuple[str, SpeechNumbers]]:
    """All requests, then every value of the labels that tell some of them apart, by ``label value``."""
    yield "all", speech.overall
    for label, values in speech.strata.items():
        if len(values) > 1:
            yield from ((f"{label} {value}", numbers) for value, numbers in values.items())


def stalls(numbers: SpeechNumbers) -> str:
    """Stalls a stream; in words where there is no playback to stall."""
    completed = numbers.total_requests - numbers.failed_requests
    if numbers.stalls_per_stream is None and completed > numbers.streamed_requests:
        share = f"{numbers.streamed_requests} of {completed} streamed"
        return share if numbers.streamed_requests else NOT_STREAMED
    return human(numbers.stalls_per_stream, "")


def valid(numbers: SpeechNumbers) -> str:
    """The share of valid outputs, and of how many when not all that came were inspected."""
    if numbers.valid_rate is None:
        return "–"
    share = human(numbers.valid_rate / 100, "ratio")
    completed = numbers.total_requests - numbers.failed_requests
    return f"{share} of {numbers.inspected_requests}" if numbers.inspected_requests < completed else share


def findings(speech: SpeechSummary) -> Iterator[tuple[str, str]]:
    """Title and text of everything that is said of all answers together; of none, that there was none."""
    if not speech.answers:
        yield "answers", "none came, so there was nothing to hear"
        return
    if speech.audio_per_second is not None:
        rate = f"{human(speech.audio_per_second, '')} s of audio a second"
        yield "audio", f"{rate}, {human(speech.audio_seconds, 's')} during the load"
    parts = {
        "text length": ("per_character", _per_character(speech.per_character)),
        "pauses between arrivals": ("gaps", _gaps(speech.gaps)),
        "playback": ("playback", _playback(speech.playback)),
        "inspection": ("inspection", _inspection(speech)),
    }
    for title, (name, text) in parts.items():
        if said := speech.missing.get(name, text):
            yield title, said


def _per_character(found: PerCharacter | None) -> str:
    if found is None:
        return ""
    interval = f"{human(found.low, 's')} to {human(found.high, 's')}"
    return f"{human(found.slope, 's')} a character (95 %: {interval}; {found.requests} requests)"


def _gaps(gaps: Gaps | None) -> str:
    if gaps is None:
        return ""
    times = {"p50": gaps.p50, "p95": gaps.p95, "p99": gaps.p99}
    return (
        ", ".join(f"{name} {human(value, 's')}" for name, value in times.items()) + f" ({gaps.count} pauses)"
    )


def _playback(playback: Playback | None) -> str:
    if playback is None:
        return ""
    within = {
        "50 ms": playback.underrun_within_50ms,
        "100 ms": playback.underrun_within_100ms,
        "200 ms": playback.underrun_within_200ms,
    }
    shares = ", ".join(f"{limit} in {human(share / 100, 'ratio')}" for limit, share in within.items())
    each = f"{human(playback.stalls_per_stream, '')} stalls each"
    return (
        f"{playback.streams} streams, {each}; longest wait {human(playback.longest_underrun, 's')}; "
        f"no wait over {shares} of them"
    )


def _inspection(speech: SpeechSummary) -> str:
    inspected = speech.overall.inspected_requests
    rate = speech.overall.valid_rate
    share = human(rate / 100, "ratio") if rate is not None else "–"
    unreadable = speech.overall.cannot_inspect_requests
    others = f"; {unreadable} cannot be inspected here" if unreadable else ""
    return f"{inspected} of {speech.answers} answers, {share} of them valid{others}"
