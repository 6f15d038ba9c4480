"""Short answers that are heard one right after the other: each user is told of its own."""

from __future__ import annotations

import gevent
import numpy as np
from gevent import GreenletExit

from genload.artifacts.audio.facts import AudioError, AudioFacts, RawSamples
from genload.artifacts.audio.samples import Ear
from genload.artifacts.audio.together import PORTION_BYTES, Together
from genload.artifacts.audio.wav_layout import raw_layout

RAW = RawSamples(rate_hz=24_000)
FLOATS = RawSamples(rate_hz=24_000, encoding="f32le")


def tone(peak: int, seconds: float = 0.5) -> bytes:
    return (np.sin(np.arange(int(seconds * 24_000)) / 10) * peak).astype("<i2").tobytes()


def asked(together: Together, content: bytes, raw: RawSamples = RAW) -> AudioFacts:
    return together.facts(content, "pcm", [raw_layout(len(content), raw)], 60.0)


def alone(content: bytes) -> AudioFacts:
    ear = Ear(0.001, 60.0)
    ear.hear_plain(content, raw_layout(len(content), RAW))
    return ear.facts(content, "pcm")


def test_each_user_is_told_of_its_own_answer_and_as_if_it_were_alone() -> None:
    together = Together(0.001)
    answers = [tone(1000 * number) for number in range(1, 31)]
    assert sum(map(len, answers)) > PORTION_BYTES
    users = [gevent.spawn(asked, together, answer) for answer in answers]
    gevent.joinall(users, raise_error=True)
    assert [user.value for user in users] == [alone(answer) for answer in answers]


def test_who_goes_on_may_ask_again_at_once() -> None:
    together = Together(0.001)

    def user(peak: int) -> list[AudioFacts]:
        return [asked(together, tone(peak * turn)) for turn in (1, 2, 3)]

    users = [gevent.spawn(user, peak) for peak in (1000, 2000)]
    gevent.joinall(users, raise_error=True)
    assert [one.value for one in users] == [
        [alone(tone(peak * k)) for k in (1, 2, 3)] for peak in (1000, 2000)
    ]


def test_what_is_wrong_with_one_answer_is_told_to_its_user_alone() -> None:
    together = Together(0.001)
    broken = np.full(2400, np.nan, "<f4").tobytes()
    users = [gevent.spawn(asked, together, tone(1000)), gevent.spawn(asked, together, broken, FLOATS)]
    wrong = gevent.spawn(together.facts, tone(1000), "pcm", None, 60.0)  # type: ignore[arg-type]
    gevent.joinall([*users, wrong])
    assert users[0].value == alone(tone(1000))
    assert isinstance(users[1].exception, AudioError) and users[1].exception.error_class == "nan_audio"
    assert isinstance(wrong.exception, TypeError)


def test_who_is_killed_meanwhile_holds_up_nobody() -> None:
    together = Together(0.001)
    killed = gevent.spawn(asked, together, tone(1000))
    gevent.spawn(killed.throw, GreenletExit())  # it waits already, and nothing is heard yet
    other = gevent.spawn(asked, together, tone(2000))
    gevent.joinall([killed, other], raise_error=True)
    assert isinstance(killed.value, GreenletExit)
    assert other.value == alone(tone(2000))
