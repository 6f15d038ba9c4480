"""How reports say what became of the requests: times that polls leave open, what a listener noticed, tries.

Labels and their values come from a suite or a service: whoever shows them escapes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, get_args

from genload.analysis.judged import MOSTLY, CriterionVerdict, JudgedRun, Retries, StageSummary, Summary
from genload.analysis.judged.arrivals import Arrivals
from genload.analysis.judged.cold import ColdStart
from genload.analysis.judged.listeners import Fall, Listeners, Stayed, Walkout
from genload.analysis.judged.speech import (
    Bursts,
    Gaps,
    PerCharacter,
    Playback,
    SpeechNumbers,
    SpeechSummary,
    Words,
)
from genload.human import count_of, human
from genload.reporting.wording import human_percentile

# --- what a listener would have noticed: rows of a table by stratum, a line on each finding ------

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


def speech_findings(speech: SpeechSummary) -> Iterator[tuple[str, str]]:
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
        "everything in one burst at the end": ("bursts", _bursts(speech.bursts)),
        "inspection": ("inspection", _inspection(speech)),
        "words": ("words", _words(speech.words)),
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


def _bursts(found: Bursts | None) -> str:
    if found is None or not found.in_one_burst:
        return ""
    share = human(found.in_one_burst_rate / 100, "ratio")
    return (
        f"{found.in_one_burst} of {found.answers} answers ({share}) were sent as streams and made whole "
        "first, so that nobody can begin to listen before the end"
    )


def _inspection(speech: SpeechSummary) -> str:
    inspected = speech.overall.inspected_requests
    rate = speech.overall.valid_rate
    share = human(rate / 100, "ratio") if rate is not None else "–"
    unreadable = speech.overall.cannot_inspect_requests
    others = f"; {unreadable} cannot be inspected here" if unreadable else ""
    return f"{inspected} of {speech.answers} answers, {share} of them valid{others}"


def left_words(found: Summary) -> str:
    """How many requests were left by their listeners; empty where none was."""
    gone = found.left_requests
    return f"{gone} left by {'its listener' if gone == 1 else 'their listeners'}" if gone else ""


def listener_findings(found: Listeners) -> Iterator[tuple[str, str]]:
    """Title and text of what became of those who left, and of those who stayed."""
    if found.stayed is not None:
        beside = f"beside {human(found.share, 'ratio')} who leave: {_stayed(found.stayed)}"
        without = f"; the same load without: {_stayed(found.alone)}" if found.alone is not None else ""
        yield "listeners who stay", beside + without
    for walkout in found.walkouts:
        yield "all left at once", "; ".join(_walkout(walkout))


def _stayed(stayed: Stayed) -> str:
    first, whole = (
        f"{human(p50, 's')} (p95 {human(p95, 's')})"
        for p50, p95 in (
            (stayed.p50_ttfa, stayed.p95_ttfa),
            (stayed.p50_duration, stayed.p95_duration),
        )
    )
    return f"first audio after {first}, all after {whole}, {count_of(stayed.requests, 'request')}"


def _walkout(walkout: Walkout) -> Iterator[str]:
    words = {
        True: "the service noticed",
        False: "the service did not notice, and went on with the work",
        None: f"whether the service noticed cannot be told: {walkout.why}",
    }
    cut_off = f"{count_of(walkout.answers, 'answer')} cut off"
    if walkout.would_go_on is not None:
        cut_off += f", of which the longest would have gone on for {human(walkout.would_go_on, 's')}"
    yield f"{words[walkout.noticed]} ({cut_off})"
    yield from (_fall(fall, walkout.watched) for fall in walkout.falls if not fall.missing)
    if walkout.noticed is not None:
        yield from (f"{fall.metric} not measurable: {fall.missing}" for fall in walkout.falls if fall.missing)


def _fall(fall: Fall, watched_s: float) -> str:
    levels = f"{fall.metric} from {fall.busy:.3g}"
    if fall.after_high is None:
        return f"{levels} not back at {fall.rest:.3g} in the {human(watched_s, 's')} that it was watched"
    return f"{levels} down after {human_range(fall.after_high, fall.after_low, fall.after_high, 's')}"


def own_words(numbers: SpeechNumbers) -> str:
    """The share of answers in their own words, and of how many when not all that came were listened to."""
    if numbers.own_words_rate is None:
        return "–"
    share = human(numbers.own_words_rate / 100, "ratio")
    completed = numbers.total_requests - numbers.failed_requests
    return f"{share} of {numbers.heard_requests}" if numbers.heard_requests < completed else share


def _words(words: Words | None) -> str:
    if words is None:
        return ""
    others = {"another's": words.anothers, "nobody's": words.nobodys, "not understood": words.not_understood}
    told = "".join(f", {whose} {count}" for whose, count in others.items())
    proof = f"{words.warmup_understood} of the warm-up's {words.warmup_codes} codes were understood"
    return f"of {words.heard} answers listened to own {words.own}{told} ({proof})"


# --- the first answer after a time without work --------------------------------------------------

NOTABLE = 2.0
"""So many times as slow as warm ones, the run's first answer is told on a terminal, too."""


def cold_findings(found: Sequence[ColdStart], *, notable: bool = False) -> Iterator[tuple[str, str]]:
    """Title and text of each.

    Args:
        notable: leave out the run's first answer where it was about as quick as the others.
    """
    for cold in found:
        if notable and cold.idle is None and not _is_slow(cold):
            continue
        yield "first answer" if cold.idle is None else "cold start", "; ".join(_cold(cold))


def _is_slow(cold: ColdStart) -> bool:
    first, warm = cold.ttfa, cold.warm_p50_ttfa
    slower = [cold.times_slower or 0.0, first / warm if first is not None and warm else 0.0]
    return bool(cold.error_class) or max(slower) >= NOTABLE


def _cold(cold: ColdStart) -> Iterator[str]:
    when = (
        f"after {human(cold.idle, 's')} without a request"
        if cold.idle is not None
        else "at the beginning of the run"
    )
    if cold.error_class:
        yield f"failed {when}: {cold.error_class}"
    else:
        first = f", first audio {human(cold.ttfa, 's')}" if cold.ttfa is not None else ""
        yield f"{human(cold.duration, 's')} {when}{first}"
    if cold.warm_p50 is not None:
        warm = f"warm p50 {human(cold.warm_p50, 's')}, p95 {human(cold.warm_p95, 's')}"
        if cold.warm_p50_ttfa is not None:
            warm += f", first audio p50 {human(cold.warm_p50_ttfa, 's')}"
        yield f"{warm} ({count_of(cold.warm_requests, 'request')})"
    if cold.times_slower is not None:
        yield f"{cold.times_slower:.3g} × as long as warm"


# --- times that polls leave open, as the range in which they lie ---------------------------------

RANGES = "ranges: what polls leave open of when jobs ended"
_OPEN_FROM = 0.01
"""Share of a number from which on it is shown as a range."""

_DASH = "–"


def human_range(value: float | None, low: float | None, high: float | None, unit: str) -> str:
    """A number that polls leave open, as ``1.47–1.87 s``; as `human` where that is 1 % of it or less.

    Args:
        low, high: the least and the greatest that it can be; None: nothing is open.
    """
    if value is None or low is None or high is None or high - low <= _OPEN_FROM * abs(value):
        return human(value, unit)
    least, most = human(low, unit), human(high, unit)
    number, space, name = least.rpartition(" ")
    if space and name == most.rpartition(" ")[2]:
        return f"{number}{_DASH}{most}"
    return f"{least} {_DASH} {most}"


def observed(criterion: CriterionVerdict) -> str:
    """What was observed of a criterion's subject."""
    return human_range(criterion.value, criterion.low, criterion.high, criterion.unit)


_SIGNS = {"<=": "≤", ">=": "≥", "==": "=", "!=": "≠"}


def limit(criterion: CriterionVerdict) -> str:
    """What the observed number must be, as ``≤ 90 s``; "–" where nothing was judged."""
    if criterion.op is None:
        return "–"
    return f"{_SIGNS.get(criterion.op, criterion.op)} {human(criterion.threshold, criterion.unit)}"


def mean_range(summary: Summary) -> str:
    """The mean duration."""
    low = None if summary.shortest is None else summary.shortest.avg_duration
    return human_range(summary.avg_duration, low, summary.avg_duration, "s")


def p95_range(summary: Summary) -> str:
    """p95 of the durations of every attempt."""
    low = None if summary.shortest is None else summary.shortest.p95_duration
    if low is None:
        return human_percentile(summary.p95_duration, summary)
    return human_range(summary.p95_duration, low, summary.p95_duration, "s")


Statistic = Literal["mean", "p50", "p95", "max"]
STATISTICS: tuple[Statistic, ...] = get_args(Statistic)
"""Of the time in a stage, in the order in which they are shown."""


def stage_range(stage: StageSummary, statistic: Statistic) -> str:
    """One statistic of a stage's time."""
    value = getattr(stage, statistic)
    low, high = (getattr(limit or stage, statistic) for limit in (stage.shortest, stage.longest))
    return human_range(value, low, high, "s")


def has_ranges(run: JudgedRun) -> bool:
    """Whether any of a run's own times is shown as a range."""
    shown = [mean_range(run.overall), p95_range(run.overall)]
    shown += [stage_range(stage, "mean") for stage in run.stages.values()]
    return any(_DASH in text and text != _DASH for text in shown)


# --- what genload tried again, and how much of the time that was ---------------------------------

_ADVICE = (
    "where polls are refused, a longer service.poll.interval (adaptive: false) asks less often, and "
    "service.retry (max_retries, default_wait, max_wait) waits for longer"
)


def retry_findings(found: Retries) -> Iterator[tuple[str, str]]:
    """Title and text of each finding."""
    if found.waited_out:
        calls = [f"{each.call} × {each.count} ({human(each.seconds, 's')})" for each in found.waited_out]
        text = "; ".join(calls)
        if any(each.call == "poll" for each in found.waited_out):
            text += f"; {_ADVICE}"
        yield "refusals waited out", text
    if found.lost_polls:
        yield "polls without an answer", f"{found.lost_polls}, asked again"


def own_pauses(found: Retries | None) -> str:
    """What is to be said beside a mean that is mostly genload's own pauses; empty for any other."""
    if found is None or found.share_of_mean is None or found.share_of_mean < MOSTLY:
        return ""
    return f"{human(found.share_of_mean, 'ratio')} of it are genload's own pauses after refusals"


# --- how an open load was kept ---------------------------------------------------------------------


def arrivals_words(found: Arrivals) -> str:
    """Who came, and who was let in when."""
    started = "all of them" if found.started == found.planned else f"{found.started:,} of them"
    words = f"{found.planned:,} planned, {started} started"
    if found.max_start_delay is not None:
        words += f", {human(found.p99_start_delay, 's')} after their moment at p99"
        words += f" ({human(found.max_start_delay, 's')} at most)"
    if found.late:
        words += f"; {found.late:,} late, which counts as latency"
    return f"{words}; up to {found.max_in_flight:,} may be in flight"
