"""What a listener notices: known answers, the least buffer proven against the player, pauses by class."""

from __future__ import annotations

from collections import Counter
from itertools import accumulate
from math import ceil

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from genload.artifacts.audio.playback import (
    GAP_UNIT_S,
    gap_class,
    gap_length_s,
    gap_percentile_s,
    play,
    stalls,
    startup_buffer_s,
)
from genload.service import Speech


def speech(*when_s: float, streamed: bool = True, end_s: float | None = None) -> Speech:
    """An answer to a request sent at 10 s that arrived in pieces, at these seconds after the send."""
    arrivals = tuple((10.0 + moment, 1000) for moment in when_s)
    return Speech(
        content=b"\0" * 1000 * len(when_s),
        media_type="audio/wav",
        sent_s=10.0,
        first_byte_s=10.0 + when_s[0] if when_s else 10.0,
        end_s=10.0 + (end_s if end_s is not None else when_s[-1]),
        arrivals=arrivals,
        streamed=streamed,
    )


# --- known answers ----------------------------------------------------------------------------------


def test_a_header_is_a_first_byte_and_no_audio() -> None:
    heard = play(speech(0.1, 0.3, 0.5), [0.0, 0.5, 1.0], 1.0, sound_at_s=0.6)

    assert heard.ttfb_s == pytest.approx(0.1)
    assert heard.ttfa_s == pytest.approx(0.3)
    assert heard.first_sound_s == pytest.approx(0.5)
    assert heard.rtf == pytest.approx(0.5)
    assert heard.delivery_rtf == pytest.approx(0.2)


def test_less_than_20_ms_is_not_yet_audio_unless_it_is_all() -> None:
    assert play(speech(0.1, 0.2), [0.019, 1.0], 1.0).ttfa_s == pytest.approx(0.2)
    assert play(speech(0.1, 0.2), [0.020, 1.0], 1.0).ttfa_s == pytest.approx(0.1)
    assert play(speech(0.1, 0.2), [0.004, 0.008], 0.008).ttfa_s == pytest.approx(0.2)


def test_a_stream_ahead_of_its_player_never_stalls() -> None:
    heard = play(speech(0.1, 0.2, 0.9), [0.5, 1.0, 1.5], 1.5)

    assert (heard.stalls, heard.underrun_s, heard.startup_buffer_s) == (0, 0.0, 0.0)


def test_the_deadline_moves_after_each_stall() -> None:
    # 100 ms of audio each: due at 0.1, 0.2, 0.3 after the first. The second is 50 ms late; the third is late
    # by the clock, but not for a player that has waited.
    heard = play(speech(1.0, 1.15, 1.25, 1.42), [0.1, 0.2, 0.3, 0.4], 0.4)

    assert heard.stalls == 2
    assert heard.underrun_s == pytest.approx(0.07)  # 1.42 − (1.15 + 0.1 + 0.1)
    assert heard.startup_buffer_s == pytest.approx(0.12)  # 1.42 − 1.0 − 0.3
    assert heard.playout_s == pytest.approx(1.52)  # the last 100 ms begin when they have come


def test_a_pre_buffer_is_waited_for_once() -> None:
    arrivals = speech(1.0, 1.15, 1.25, 1.42)
    available_s = [0.1, 0.2, 0.3, 0.4]

    assert play(arrivals, available_s, 0.4, pre_buffer_s=0.12).stalls == 0
    buffered = play(arrivals, available_s, 0.4, pre_buffer_s=0.1)
    assert buffered.stalls == 1
    assert buffered.underrun_s == pytest.approx(0.02)
    assert buffered.startup_buffer_s == pytest.approx(0.12)
    assert buffered.playout_s == pytest.approx(1.52)


def test_faster_than_real_time_on_the_whole_and_still_a_stall() -> None:
    heard = play(speech(0.1, 1.5, 1.6), [0.5, 1.0, 4.0], 4.0)

    assert heard.rtf is not None and heard.rtf < 0.5
    assert heard.stalls == 1
    assert heard.underrun_s == pytest.approx(0.9)


def test_an_arrival_without_new_audio_ends_no_stall() -> None:
    heard = play(speech(0.0, 0.3, 0.5), [0.1, 0.1, 0.2], 0.2)

    assert heard.stalls == 1
    assert heard.underrun_s == pytest.approx(0.4)


def test_what_arrives_before_the_first_audio_does_not_matter() -> None:
    heard = play(speech(0.1, 5.0, 5.05), [0.0, 0.1, 0.2], 0.2)

    assert heard.stalls == 0
    assert heard.startup_buffer_s == 0.0


def test_an_answer_that_is_not_streamed_has_no_underrun() -> None:
    heard = play(speech(0.1, 2.0, streamed=False), [0.1, 1.0], 1.0)

    assert (heard.stalls, heard.underrun_s, heard.startup_buffer_s) == (None, None, None)
    assert heard.ttfa_s == pytest.approx(0.1)
    assert heard.gap_max_s == pytest.approx(1.9)
    assert heard.playout_s == pytest.approx(3.0), "it is there after 2 s, and then lasts one"


@pytest.mark.parametrize(
    ("when_s", "available_s", "as_made"),
    [
        ((0.2, 1.0, 2.0), [4.0, 8.0, 12.0], 1),
        # 2 s to the last audio: its tenth is 0.2 s, and an end without audio is none of it.
        ((1.79, 1.9, 2.0, 4.0), [4.0, 8.0, 12.0, 12.0], 1),
        ((1.81, 1.9, 2.0, 4.0), [4.0, 8.0, 12.0, 12.0], 0),
        # A header that came early is no audio.
        ((0.1, 1.9, 2.0), [0.0, 6.0, 12.0], 0),
        ((2.0,), [12.0], 0),
        # Of shorter audio it is not told, nor of an answer that is no stream.
        ((2.0,), [9.9], None),
    ],
)
def test_whether_a_stream_comes_as_it_is_made_is_told_from_its_audio(
    when_s: tuple[float, ...], available_s: list[float], as_made: int | None
) -> None:
    heard = play(speech(*when_s), available_s, available_s[-1])
    assert heard.sent_as_made == as_made
    # A burst has no playback to stall.
    assert (heard.stalls is None) == (heard.underrun_s is None) == (as_made == 0)
    assert play(speech(*when_s, streamed=False), available_s, available_s[-1]).sent_as_made is None


def test_without_a_timeline_bytes_tell_whether_a_stream_comes_as_it_is_made() -> None:
    assert play(speech(0.5, 2.0), None, 12.0).sent_as_made == 1
    assert play(speech(1.9, 2.0), None, 12.0).sent_as_made == 0


def test_what_cannot_be_said_is_left_out() -> None:
    nothing_known = play(speech(0.1, 0.2), None, None)
    assert nothing_known.ttfb_s == pytest.approx(0.1)
    assert (nothing_known.ttfa_s, nothing_known.rtf, nothing_known.stalls) == (None, None, None)

    length_known = play(speech(0.1, 0.2), None, 2.0)
    assert length_known.rtf == pytest.approx(0.1)
    assert (length_known.ttfa_s, length_known.delivery_rtf, length_known.stalls) == (None, None, None)

    assert play(speech(end_s=0.5), None, None).ttfb_s is None


def test_gaps_are_between_arrivals() -> None:
    heard = play(speech(1.0, 1.02, 1.04, 1.54), None, None)

    assert heard.gap_max_s == pytest.approx(0.5)
    assert heard.gaps is not None and sum(heard.gaps.values()) == 3
    assert gap_percentile_s(heard.gaps, 50) == pytest.approx(0.02, rel=0.01)
    assert play(speech(1.0), None, None).gaps is None


# --- the least buffer, proven -----------------------------------------------------------------------

pieces = st.lists(
    st.tuples(st.floats(0, 0.4), st.one_of(st.just(0.0), st.floats(0.001, 0.4))), min_size=1, max_size=30
)


def streams(steps: list[tuple[float, float]]) -> tuple[list[float], list[float]]:
    """(when, playable audio) from pauses and lengths of audio; the first brings audio."""
    times_s = list(accumulate((pause_s for pause_s, _ in steps), initial=1.0))
    return times_s, list(accumulate((audio_s for _, audio_s in steps), initial=0.02))


@given(pieces)
def test_with_the_least_buffer_nothing_stalls(steps: list[tuple[float, float]]) -> None:
    times_s, available_s = streams(steps)

    assert stalls(times_s, available_s, startup_buffer_s(times_s, available_s)) == (0, 0.0, 0.0)


@given(pieces)
def test_with_a_millisecond_less_it_does(steps: list[tuple[float, float]]) -> None:
    times_s, available_s = streams(steps)
    least_s = startup_buffer_s(times_s, available_s)
    assume(least_s >= 0.001)

    count, longest_s, _ = stalls(times_s, available_s, least_s - 0.001)

    assert count >= 1
    assert longest_s <= 0.001 + 1e-9


@given(pieces, st.floats(0, 2))
def test_the_longest_wait_and_their_number_bound_the_waits_of_a_player_told_apart(
    steps: list[tuple[float, float]], pre_buffer_s: float
) -> None:
    times_s, available_s = streams(steps)
    count, longest_s, all_s = stalls(times_s, available_s, pre_buffer_s)
    # The other way round: how much was waited altogether says when the last audio ends.
    waited_s = 0.0
    for place in range(1, len(times_s)):
        if available_s[place] > available_s[place - 1]:
            due_s = times_s[0] + pre_buffer_s + available_s[place - 1] + waited_s
            waited_s += max(times_s[place] - due_s, 0.0)

    assert all_s == pytest.approx(waited_s, abs=1e-6 * len(times_s))
    assert longest_s <= waited_s + 1e-6
    assert waited_s <= count * longest_s + 1e-6 * len(times_s)


# --- pauses by class --------------------------------------------------------------------------------


@given(st.floats(1.1e-5, 3600))
def test_a_class_stands_for_its_pauses_to_one_percent(seconds: float) -> None:
    assert gap_length_s(gap_class(seconds)) == pytest.approx(seconds, rel=0.01)


def test_the_bounds_of_the_classes() -> None:
    assert gap_class(0.0) == gap_class(GAP_UNIT_S) == 0
    assert gap_class(GAP_UNIT_S * 1.0001) == 1
    assert gap_class(GAP_UNIT_S * 1.0201) == 2
    assert gap_class(3600) < 1000
    assert gap_length_s(0) == GAP_UNIT_S


@given(st.lists(st.floats(1.1e-5, 100), min_size=1, max_size=200), st.sampled_from([0, 5, 50, 95, 99, 100]))
def test_percentiles_of_classes_are_those_of_the_pauses(pauses_s: list[float], level: float) -> None:
    exact_s = sorted(pauses_s)[max(1, ceil(len(pauses_s) * level / 100)) - 1]

    found_s = gap_percentile_s(Counter(gap_class(pause_s) for pause_s in pauses_s), level)

    assert found_s == pytest.approx(exact_s, rel=0.01)


def test_no_pauses_have_no_percentile() -> None:
    assert gap_percentile_s({}, 50) is None
