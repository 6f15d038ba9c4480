"""The listener over the inspector's own process: numbers of good audio, classes of bad."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from genload.artifacts.audio.listener import Listener
from genload.artifacts.duplicates import OutputRegistry
from genload.artifacts.inspector.inspector import Inspector
from genload.service import Speech
from genload.settings.speech import Check, Pcm, SpeechRequest

from .listened import TEXT, answered, asked, error_of, listener, what_is_heard
from .sounds import FORMATS, RATE_HZ, pcm16, spoken, tone, wav

pytestmark = pytest.mark.processes

ALWAYS = {"ttfb_s", "ttfa_s", "rtf", "delivery_rtf", "chunks", "streamed", "streams"}
ALWAYS |= {"audio_duration_s", "playout_s"}
INSPECTED = {"valid", "silence", "rms", "peak", "clipped", "rate_hz", "channels", "first_sound_s"}
STREAMED = {"stalls", "underrun_s", "startup_buffer_s"}


# --- good audio -------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [*FORMATS, "pcm"])
def test_every_format_is_played_and_inspected(inspector: Inspector, form: str) -> None:
    content = spoken(form, 2.0)
    heard = listener(inspector, format=form).listen(
        answered(content, pieces=[40, len(content) - 10], streamed=True), asked()
    )

    assert set(heard.numbers) == ALWAYS | INSPECTED | STREAMED | {"gap_max_s"}
    assert heard.numbers["audio_duration_s"] == pytest.approx(2.0, abs=1e-3)
    assert heard.numbers["rtf"] == pytest.approx(0.15, abs=1e-3)
    assert heard.numbers["ttfb_s"] == pytest.approx(0.1)
    # 40 bytes are a header but of raw PCM, of which they are 20 samples.
    assert heard.numbers["ttfa_s"] == pytest.approx(0.2)
    assert heard.numbers["first_sound_s"] == pytest.approx(0.1 if form == "pcm" else 0.2)
    assert heard.numbers["valid"] == heard.numbers["streamed"] == 1.0
    assert heard.numbers["rate_hz"] == RATE_HZ
    assert heard.numbers["chunks"] == 3
    assert sum(heard.gaps.values()) == 2


@pytest.mark.parametrize("form", [*FORMATS, "pcm"])
def test_without_validation_it_is_still_played(inspector: Inspector, form: str) -> None:
    content = spoken(form, 2.0)
    speech = answered(content, pieces=[40, len(content) - 10], streamed=True)
    played = listener(inspector, format=form, validate="off").listen(speech, asked()).numbers
    inspected = listener(inspector, format=form).listen(speech, asked()).numbers

    assert set(played) == ALWAYS | STREAMED | {"gap_max_s"}
    assert {name: inspected[name] for name in played} == pytest.approx(played, abs=1e-6)


def test_wav_and_pcm_without_validation_need_no_inspector(own_inspector: Inspector) -> None:
    listener(own_inspector, validate="off").listen(answered(spoken("wav")), asked())
    listener(own_inspector, format="pcm", validate="off").listen(answered(spoken("pcm")), asked())

    assert own_inspector.pid is None


@pytest.mark.parametrize(("form", "encoding"), [("wav", "s16le"), ("pcm", "s16le"), ("pcm", "f32le")])
def test_short_plain_samples_are_looked_into_here_as_in_the_inspector(
    own_inspector: Inspector, monkeypatch: pytest.MonkeyPatch, form: str, encoding: str
) -> None:
    content = tone(2.0).astype("<f4").tobytes() if encoding == "f32le" else spoken(form, 2.0)
    here = listener(own_inspector, format=form, pcm=Pcm(encoding=encoding))
    near = here.listen(answered(content), asked()).numbers
    assert own_inspector.pid is None

    monkeypatch.setattr("genload.artifacts.audio.listener.AT_ONCE_BYTES", len(content) - 1)
    far = here.listen(answered(content), asked()).numbers
    assert own_inspector.pid is not None
    assert near == far


def test_what_is_wrong_with_short_samples_is_found_here_as_in_the_inspector(
    own_inspector: Inspector, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = [pcm16(0 * tone(1.0)), np.full(24_000, np.nan, "<f4").tobytes()]
    listeners = [
        listener(own_inspector, format="pcm", pcm=Pcm(encoding=encoding)) for encoding in ("s16le", "f32le")
    ]

    def told() -> list[tuple[str, str]]:
        errors = [error_of(one, answered(content)) for one, content in zip(listeners, broken, strict=True)]
        return [(error.error_class, error.message) for error in errors]

    near = told()
    assert own_inspector.pid is None
    monkeypatch.setattr("genload.artifacts.audio.listener.AT_ONCE_BYTES", 0)
    assert told() == near
    assert own_inspector.pid is not None
    assert [error_class for error_class, _ in near] == ["silent_audio", "nan_audio"]


def test_a_stream_that_comes_in_one_burst_at_its_end_is_not_streamed(inspector: Inspector) -> None:
    half = 2 * 24_000 * 6
    as_made = answered(bytes(2 * half), pieces=[half], step_s=5.0, streamed=True)
    burst = msgspec.structs.replace(as_made, arrivals=((59.5, half), (60.0, half)))
    one = listener(inspector, format="pcm", validate="off")
    numbers = [one.listen(speech, asked()).numbers for speech in (as_made, burst)]
    assert [each["streamed"] for each in numbers] == [each["sent_as_made"] for each in numbers] == [1.0, 0.0]
    assert ["stalls" in each for each in numbers] == [True, False]


def test_an_answer_that_is_not_streamed_has_no_stalls(inspector: Inspector) -> None:
    heard = listener(inspector).listen(answered(spoken("wav"), pieces=[1000], step_s=5.0), asked())

    assert STREAMED.isdisjoint(heard.numbers)
    assert heard.numbers["streamed"] == 0.0


def test_a_pre_buffer_of_the_suite_is_played_with(inspector: Inspector) -> None:
    speech = answered(spoken("wav"), pieces=[44 + 4800], step_s=0.5, streamed=True)

    plain = listener(inspector).listen(speech, asked()).numbers
    assert (plain["stalls"], plain["underrun_s"]) == (1.0, pytest.approx(0.4))
    buffered = listener(inspector, pre_buffer=0.4).listen(speech, asked()).numbers
    assert (buffered["stalls"], buffered["startup_buffer_s"]) == (0.0, pytest.approx(0.4))


def test_an_answer_packed_on_its_way_has_a_length_and_no_first_audio(inspector: Inspector) -> None:
    whole = answered(spoken("mp3"))
    packed = Speech(
        content=whole.content,
        media_type="",
        sent_s=whole.sent_s,
        first_byte_s=whole.first_byte_s,
        end_s=whole.end_s,
        arrivals=((50.1, 17),),
        streamed=True,
    )
    for form, content in (("mp3", packed.content), ("wav", spoken("wav"))):
        numbers = (
            listener(inspector, format=form)
            .listen(
                Speech(
                    content,
                    "",
                    packed.sent_s,
                    packed.first_byte_s,
                    packed.end_s,
                    packed.arrivals,
                    streamed=True,
                ),
                asked(),
            )
            .numbers
        )
        assert numbers["audio_duration_s"] == pytest.approx(1.0, abs=1e-3)
        assert {"ttfa_s", "first_sound_s", "stalls", "delivery_rtf"}.isdisjoint(numbers)


def test_raw_samples_are_read_as_the_suite_says(inspector: Inspector) -> None:
    content = tone(0.5).astype("<f4").tobytes()
    raw = Pcm(rate_hz=12_000, channels=2, encoding="f32le")
    numbers = listener(inspector, format="pcm", pcm=raw).listen(answered(content), asked()).numbers

    assert (numbers["rate_hz"], numbers["channels"], numbers["audio_duration_s"]) == (12_000, 2, 0.5)


# --- which answers are inspected --------------------------------------------------------------------


def test_a_share_is_drawn_by_the_seed_and_the_number(inspector: Inspector) -> None:
    one = listener(inspector, validate="sample 10%")
    again = listener(inspector, validate="sample 10%")
    other = Listener(SpeechRequest(validate="sample 10%"), seed=8, registry=None, inspector=inspector)
    drawn = [number for number in range(-100, 5000) if one.inspects(asked(number))]

    assert len(drawn) == pytest.approx(510, abs=80)
    assert drawn == [number for number in range(-100, 5000) if again.inspects(asked(number))]
    assert drawn != [number for number in range(-100, 5000) if other.inspects(asked(number))]
    assert all(listener(inspector, validate="all").inspects(asked(number)) for number in range(50))
    assert not any(listener(inspector, validate="off").inspects(asked(number)) for number in range(50))


def test_only_those_drawn_are_decoded(inspector: Inspector) -> None:
    one = listener(inspector, validate="sample 50%")
    silent = answered(wav(pcm16(tone(1.0, peak=0.0) * 0)))
    found = {number: what_is_heard(one, silent, number) for number in range(30)}

    assert {number for number, error in found.items() if error} == {
        number for number in range(30) if one.inspects(asked(number))
    }
    assert set(found.values()) == {"silent_audio", ""}


# --- bad audio --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "error_class"),
    [
        (b"", "empty_audio"),
        (wav(b""), "empty_audio"),
        (b'{"detail": "out of memory"}', "wrong_content"),
        (b"<html><title>502</title></html>", "wrong_content"),
        (spoken("mp3"), "wrong_content"),
        (np.random.default_rng(0).bytes(999), "bad_audio"),
        (spoken("wav")[:30_000], "truncated"),
    ],
)
@pytest.mark.parametrize("validate", ["all", "off"])
def test_what_is_no_audio_is_told_of_every_answer(
    inspector: Inspector, content: bytes, error_class: str, validate: str
) -> None:
    error = error_of(listener(inspector, validate=validate), answered(content))

    assert error.error_class == error_class
    assert error.status == 200
    assert not error.rejected
    assert error.output is not None and error.output.content == content
    assert error.output.name == "speech-1.wav"


LOUD = np.sign(tone(1.0))


@pytest.mark.parametrize(
    ("content", "error_class"),
    [
        (wav(pcm16(np.zeros(RATE_HZ))), "silent_audio"),
        (wav(pcm16(tone(1.0) * 1e-3)), "silent_audio"),
        (wav(pcm16(LOUD)), "clipped_audio"),
        (wav((tone(1.0) * np.nan).astype("<f4").tobytes(), encoding=3, bits=32), "nan_audio"),
        (wav(pcm16(tone(9.0))), "implausible_audio"),  # 21 characters: 8.9 s at most
    ],
)
def test_what_nobody_would_listen_to(inspector: Inspector, content: bytes, error_class: str) -> None:
    assert error_of(listener(inspector), answered(content)).error_class == error_class
    assert listener(inspector, validate="off").listen(answered(content), asked()).numbers["rtf"] > 0


def test_too_little_audio_for_the_text(inspector: Inspector) -> None:
    speech = answered(wav(pcm16(tone(0.5))))
    text = "x" * 200  # 3 s at least, half a second forgiven

    error = error_of(listener(inspector), speech, asked(text=text))
    assert error.error_class == "implausible_audio"
    assert "200 characters" in error.message
    assert listener(inspector, speed=6.0).listen(speech, asked(text=text)).numbers["valid"] == 1.0


def test_digits_may_be_spoken_as_words(inspector: Inspector) -> None:
    speech = answered(wav(pcm16(tone(9.0))))  # "one billion two hundred thirty-four million …"

    assert listener(inspector).listen(speech, asked(text="1234567890")).numbers["valid"] == 1.0
    assert listener(inspector).listen(speech, asked(text="١٢٣٤٥٦٧٨٩٠")).numbers["valid"] == 1.0
    assert error_of(listener(inspector), speech, asked(text="abcdefghij")).error_class == "implausible_audio"
    short = answered(wav(pcm16(tone(1.0))))  # "four point two million": no digit makes it too short
    assert listener(inspector).listen(short, asked(text="4200000")).numbers["valid"] == 1.0


def test_equal_failures_have_equal_words(inspector: Inspector) -> None:
    broken = spoken("flac")[:42] + bytes(20_000)
    words = {
        error_of(listener(inspector, format="flac"), answered(broken + bytes(n))).message for n in range(5)
    }

    assert len(words) == 1 and "0x" not in words.pop()


def test_the_suite_sets_the_bounds(inspector: Inspector) -> None:
    quiet = answered(wav(pcm16(tone(1.0) * 1e-3)))
    loud = answered(wav(pcm16(LOUD)))

    assert listener(inspector, check=Check(silent_below_rms=1e-5)).listen(quiet, asked()).numbers["valid"]
    assert listener(inspector, check=Check(max_clipped=1.0)).listen(loud, asked()).numbers["clipped"] == 1.0


def test_rate_and_channels_where_the_suite_declares_them(inspector: Inspector) -> None:
    speech = answered(spoken("wav"))

    assert error_of(listener(inspector, check=Check(rate_hz=22_050)), speech).error_class == "wrong_rate"
    assert error_of(listener(inspector, check=Check(channels=2)), speech).error_class == "wrong_channels"
    assert listener(inspector, check=Check(rate_hz=RATE_HZ, channels=1)).listen(speech, asked())


@pytest.mark.parametrize("form", [*FORMATS, "pcm"])
def test_the_same_audio_for_another_text_fails_and_for_the_same_text_does_not(
    inspector: Inspector, form: str
) -> None:
    one = listener(inspector, OutputRegistry(), format=form)
    speech = answered(spoken(form))
    one.listen(speech, asked(1))
    one.listen(speech, asked(2))
    error = error_of(one, speech, asked(3, text="Another text, as long."))

    assert error.error_class == "duplicate_output"
    assert TEXT in error.message


def test_long_texts_that_begin_alike_are_different_texts(inspector: Inspector) -> None:
    one = listener(inspector, OutputRegistry())
    speech = answered(spoken("wav"))
    one.listen(speech, asked(1, text="So it begins, and goes on for long enough: one"))

    assert error_of(one, speech, asked(2, text="So it begins, and goes on for long enough: two"))
