"""What reports show of a run of speech, beside what they show of every run."""

from __future__ import annotations

import msgspec


class SpeechNumbers(msgspec.Struct, kw_only=True):
    """Some requests as a listener met them.

    Durations in seconds, rates in percent. Percentiles are over every attempt, with failed ones infinitely
    slow (`inf`); `avg_rtf` is over successes. None: unknown, without a request, or not applicable.
    """

    total_requests: int
    failed_requests: int
    error_rate: float | None
    p50_ttfa: float | None
    p95_ttfa: float | None
    p50_duration: float | None
    p95_duration: float | None
    avg_rtf: float | None
    streamed_requests: int  # of those that completed
    stalls_per_stream: float | None
    inspected_requests: int
    valid_rate: float | None  # of the inspected
    cannot_inspect_requests: int = 0  # with an output that nothing here can look into
    heard_requests: int = 0  # whose words are judged
    own_words_rate: float | None = None  # of those


class PerCharacter(msgspec.Struct, kw_only=True):
    """Duration against text length: seconds a character, with the two-sided 95 % interval."""

    requests: int
    slope: float
    low: float
    high: float


class Gaps(msgspec.Struct, kw_only=True):
    """Pauses between the arrivals of one answer, those of all answers pooled; seconds, to 1 %."""

    count: int
    p50: float
    p95: float
    p99: float


class Playback(msgspec.Struct, kw_only=True):
    """How the streamed answers that completed would have played."""

    streams: int
    stalls_per_stream: float
    longest_underrun: float  # seconds
    underrun_within_50ms: float  # percent of the streams
    underrun_within_100ms: float
    underrun_within_200ms: float


class Bursts(msgspec.Struct, kw_only=True):
    """Of the answers sent as streams and long enough to tell: which came all in one burst at their end."""

    answers: int
    in_one_burst: int
    in_one_burst_rate: float  # percent


class Words(msgspec.Struct, kw_only=True):
    """Whose words the answers spoke that were listened to; how the recogniser did in the warm-up."""

    heard: int
    own: int
    anothers: int
    nobodys: int
    not_understood: int
    code_errors: float  # digits an answer
    warmup_codes: int
    warmup_understood: int


class SpeechSummary(msgspec.Struct, kw_only=True):
    """The speech of one run.

    `strata` is by label and value: phase, voice and length, and text and cache where the run has them.
    `missing` says in words why there is nothing on ``per_character``, ``gaps``, ``playback``, ``inspection``.
    """

    overall: SpeechNumbers
    strata: dict[str, dict[str, SpeechNumbers]]
    answers: int  # with an output, good or broken
    audio_seconds: float | None  # in the completions inside the load
    audio_per_second: float | None  # the same ÷ the length of the load
    per_character: PerCharacter | None
    gaps: Gaps | None
    playback: Playback | None
    missing: dict[str, str]
    words: Words | None = None  # where texts have codes
    bursts: Bursts | None = None  # where an answer tells
