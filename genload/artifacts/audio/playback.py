"""What a listener of one answer notices: when the sound begins, whether it stalls, what would have helped.

Pure arithmetic on what the client stamped (arrivals) and what a timeline says (seconds of audio that can be
played once so many bytes have come). Seconds throughout; every formula is in ``docs/speech.md``, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, log
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from genload.service import Speech

FIRST_AUDIO_S = 0.020
"""Less audio than this is not worth playing: ttfa waits for it, or for all of a shorter answer."""

TOLD_FROM_S = 10.0
"""Shorter audio may be one sentence, which many services make in one piece: it does not tell."""
BURST = 0.1
"""All audio comes within the last such share of the time from the send to its last arrival: in one burst."""

_ROUNDING_S = 1e-6  # what sums of stamps and samples may be off by; nobody hears a stall that short

GAP_UNIT_S = 10e-6
GAP_BASE = 1.02
_LOG_BASE = log(GAP_BASE)


class Playback(msgspec.Struct, omit_defaults=True):
    """One answer as a player meets it. None: not applicable.

    Attributes:
        ttfb_s: send to the first byte of the body.
        ttfa_s: send to the first arrival with 20 ms of playable audio, or with all of a shorter answer.
        first_sound_s: send to the arrival that brought the first sounding sample.
        gap_max_s: longest pause between two arrivals; None with fewer than two.
        gaps: the pauses by `gap_class`.
        rtf: (end − send) ÷ audio.
        delivery_rtf: (end − first audio) ÷ audio.
        sent_as_made: see `sent_as_made`; None for an answer that is not sent as a stream.
        stalls, underrun_s, startup_buffer_s: see `stalls` and `startup_buffer_s`; None for an answer that is
            not streamed.
        playout_s: send to the moment in which the last of the audio has been played, waits included.
    """

    ttfb_s: float | None = None
    ttfa_s: float | None = None
    first_sound_s: float | None = None
    gap_max_s: float | None = None
    gaps: dict[int, int] | None = None
    rtf: float | None = None
    delivery_rtf: float | None = None
    sent_as_made: int | None = None
    stalls: int | None = None
    underrun_s: float | None = None
    startup_buffer_s: float | None = None
    playout_s: float | None = None

    def numbers(self) -> dict[str, float]:
        """What applies, by the names of the attributes, which are those of the records; without the gaps."""
        numbers: dict[str, float] = msgspec.to_builtins(self)
        if self.gaps is not None:
            del numbers["gaps"]
        return numbers


def play(
    speech: Speech,
    available_s: Sequence[float] | None,
    duration_s: float | None,
    sound_at_s: float | None = None,
    pre_buffer_s: float = 0.0,
) -> Playback:
    """How an answer would have played.

    Args:
        available_s: playable audio after each of the arrivals, never falling; None where nobody can say.
        duration_s: of all its audio; None where nobody can say.
        sound_at_s: how far into the audio the first sounding sample ends; None: unknown, or no sound.
        pre_buffer_s: how long the player waits after the first audio before it begins.
    """
    arrivals, sent_s = speech.arrivals, speech.sent_s
    playback = Playback()
    if arrivals:
        playback.ttfb_s = arrivals[0][0] - sent_s
    if len(arrivals) > 1:
        _look_at_gaps(playback, arrivals)
    if not duration_s:
        return playback
    took_s = speech.end_s - sent_s
    playback.rtf = took_s / duration_s
    playback.playout_s = took_s + duration_s  # of a whole answer: it is there, and then played
    if speech.streamed and arrivals:
        playback.sent_as_made = sent_as_made(speech, available_s, duration_s)
    if not available_s:
        return playback
    first = _reached(available_s, min(FIRST_AUDIO_S, duration_s))
    if first is None:
        return playback
    first_s = arrivals[first][0]
    playback.ttfa_s = first_s - sent_s
    playback.delivery_rtf = (speech.end_s - first_s) / duration_s
    if sound_at_s is not None:
        heard = _reached(available_s, min(sound_at_s, available_s[-1]))
        playback.first_sound_s = None if heard is None else arrivals[heard][0] - sent_s
    if speech.streamed and playback.sent_as_made != 0:
        times_s = [when_s for when_s, _ in arrivals[first:]]
        available_s = available_s[first:]
        playback.stalls, playback.underrun_s, waited_s = stalls(times_s, available_s, pre_buffer_s)
        playback.playout_s = playback.ttfa_s + pre_buffer_s + waited_s + duration_s
        playback.startup_buffer_s = startup_buffer_s(times_s, available_s)
    return playback


def sent_as_made(speech: Speech, available_s: Sequence[float] | None, duration_s: float) -> int | None:
    """Whether what is sent as a stream comes as it is made: 1, or 0 where all comes in one burst at the end.

    A burst: from the first audio to the last it takes less than `BURST` of the time from the send to the last
    one. None: the audio is shorter than `TOLD_FROM_S`.

    Args:
        available_s: as for `play`; None: any byte counts as audio.
    """
    if duration_s < TOLD_FROM_S:
        return None
    arrivals = speech.arrivals
    first, last = 0, len(arrivals) - 1
    if available_s:
        first = _reached(available_s, FIRST_AUDIO_S) or 0
        last = _reached(available_s, available_s[-1]) or 0
    first_s, last_s = arrivals[first][0], arrivals[last][0]
    return int(last_s - first_s >= BURST * (last_s - speech.sent_s))


def stalls(
    times_s: Sequence[float], available_s: Sequence[float], pre_buffer_s: float
) -> tuple[int, float, float]:
    """How often a player runs dry, its longest wait, and all of its waits, in seconds.

    It begins `pre_buffer_s` after the first arrival and plays without a pause. Audio that arrives after
    everything before it has been played out ends a stall; its lateness is the wait, and moves every later
    deadline (the form of SGLang-Omni's benchmark).

    Args:
        times_s: of arrivals, from the one with the first audio on.
        available_s: playable audio after each of them.
    """
    count, longest_s, waited_s = 0, 0.0, 0.0
    start_s = times_s[0] + pre_buffer_s  # moves by every wait
    before_s = available_s[0]
    for when_s, after_s in zip(times_s, available_s, strict=True):
        if after_s <= before_s:
            continue  # it brought nothing to play
        late_s = when_s - (start_s + before_s)
        if late_s > _ROUNDING_S:
            count += 1
            longest_s = max(longest_s, late_s)
            waited_s += late_s
            start_s += late_s
        before_s = after_s
    return count, longest_s, waited_s


def startup_buffer_s(times_s: Sequence[float], available_s: Sequence[float]) -> float:
    """The least pre-buffer with which `stalls` counts none: the maximum, over the arrivals that brought
    audio, of (arrival − first audio) − audio that was there before it; at least 0.

    Why: a player that never waits has played out what came before arrival i at first + pre-buffer +
    available(i−1); arrival i must not be later. A wait can only begin with a first one, so that nothing else
    needs to hold.
    """
    needed_s = 0.0
    before_s = available_s[0]
    for when_s, after_s in zip(times_s, available_s, strict=True):
        if after_s > before_s:
            needed_s = max(needed_s, when_s - times_s[0] - before_s)
            before_s = after_s
    return needed_s


def _reached(available_s: Sequence[float], wanted_s: float) -> int | None:
    """The first arrival after which so much can be played."""
    for place, seconds in enumerate(available_s):
        if seconds + _ROUNDING_S >= wanted_s:
            return place
    return None


# --- pauses between arrivals, counted by length -----------------------------------------------------


def gap_class(seconds: float) -> int:
    """The class of a pause: k covers (1.02^(k−1), 1.02^k] × 10 µs; 0 everything up to 10 µs."""
    return ceil(log(seconds / GAP_UNIT_S) / _LOG_BASE) if seconds > GAP_UNIT_S else 0


def gap_length_s(number: int) -> float:
    """What a class stands for: the geometric middle of its bounds, at most 1 % from every pause in it.
    Class 0 stands for 10 µs."""
    return GAP_UNIT_S * GAP_BASE ** (number - 0.5) if number > 0 else GAP_UNIT_S


def gap_percentile_s(gaps: Mapping[int, int], level: float) -> float | None:
    """The pause at the rank ceil(n × level ÷ 100), at least 1, to 1 %; None without pauses.

    Args:
        gaps: how many by class; of several answers: the sums.
        level: 0..100.
    """
    total = sum(gaps.values())
    if not total:
        return None
    # n p before the division, and rounded: 100 * 0.55 is 55.00000000000001, whose ceiling is 56.
    rank = max(1, ceil(round(total * level / 100, 9)))
    for number in sorted(gaps):
        rank -= gaps[number]
        if rank <= 0:
            return gap_length_s(number)
    return gap_length_s(max(gaps))


def _look_at_gaps(playback: Playback, arrivals: Sequence[tuple[float, int]]) -> None:
    longest_s = 0.0
    gaps: dict[int, int] = {}
    previous_s = arrivals[0][0]
    for when_s, _ in arrivals[1:]:
        gap_s = when_s - previous_s
        previous_s = when_s
        longest_s = max(longest_s, gap_s)
        number = gap_class(gap_s)
        gaps[number] = gaps.get(number, 0) + 1
    playback.gap_max_s, playback.gaps = longest_s, gaps
