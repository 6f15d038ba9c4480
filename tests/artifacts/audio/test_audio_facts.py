"""Audio of every format: its length, loudness, silence, clipping and first sound are what was put in."""

from __future__ import annotations

import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genload.artifacts.audio.facts import AudioError, AudioFacts, RawSamples
from genload.artifacts.audio.format import told_format
from genload.artifacts.audio.reader import read_audio

from .sounds import FORMATS, RATE_HZ, chunk, encoded, pcm16, spoken, tone, wav

ALL = [*FORMATS, "pcm"]


def facts_of(content: bytes, ordered: str = "wav", *, streamed: bool = False, **how: object) -> AudioFacts:
    form = told_format(content, ordered)
    return read_audio(content, form, streamed=streamed, **how)  # type: ignore[arg-type]


def error_class(content: bytes, ordered: str = "wav", *, streamed: bool = False, **how: object) -> str:
    with pytest.raises(AudioError) as caught:
        facts_of(content, ordered, streamed=streamed, **how)
    assert caught.value.message
    return caught.value.error_class


# --- what it is -------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ALL)
@pytest.mark.parametrize("duration_s", [0.013, 1.0, 15.7])
def test_length_and_loudness_in_every_format(form: str, duration_s: float) -> None:
    facts = facts_of(spoken(form, duration_s), form)

    assert facts.format == form
    assert facts.duration_s == pytest.approx(duration_s, abs=1 / RATE_HZ)
    assert (facts.rate_hz, facts.channels) == (RATE_HZ, 1)
    assert facts.rms == pytest.approx(0.3 / math.sqrt(2), rel=0.1)
    assert 0.29 < facts.peak < 0.6  # a lossy codec overshoots
    assert (facts.silence, facts.clipped) == (0.0, 0.0)
    assert facts.sound_at_s is not None and facts.sound_at_s < 0.001


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ALAW", "ULAW"])
@pytest.mark.parametrize("length", ["stated", "placeholder"])
def test_every_encoding_of_wav(subtype: str, length: str) -> None:
    content = encoded(tone(0.5), "wav", subtype=subtype)
    if length == "placeholder":
        place = content.index(b"data") + 4
        content = content[:place] + b"\xff\xff\xff\xff" + content[place + 4 :]
    facts = facts_of(content)

    # A chunk behind the samples counts as samples when nothing tells where they end.
    assert facts.duration_s == pytest.approx(0.5, abs=0.01)
    assert facts.rms == pytest.approx(0.3 / math.sqrt(2), rel=0.1)


def test_packed_wav_is_decoded_too() -> None:
    facts = facts_of(encoded(tone(0.5), "wav", subtype="MS_ADPCM"))

    assert facts.duration_s == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("stated", [0, 0xFFFFFFFF, 0x7FFFFFFF, 0xFFFFFFFF - 36, 0x7FFFFFFF - 36])
@pytest.mark.parametrize("streamed", [True, False])
def test_placeholder_lengths_are_measured_from_the_bytes(stated: int, streamed: bool) -> None:
    assert facts_of(wav(pcm16(tone(0.4)), stated=stated), streamed=streamed).duration_s == 0.4


def test_any_length_that_is_too_long_is_a_placeholder_of_a_stream_and_a_cut_in_a_whole_answer() -> None:
    content = wav(pcm16(tone(0.4)), stated=1_000_000)

    assert facts_of(content, streamed=True).duration_s == 0.4
    assert error_class(content, streamed=False) == "truncated"


def test_other_chunks_of_a_wav_are_no_audio() -> None:
    samples = pcm16(tone(0.4))
    content = wav(samples, before=chunk(b"LIST", b"INFOabc"), after=chunk(b"LIST", b"x" * 4000))

    assert facts_of(content).duration_s == 0.4
    assert facts_of(content).rms == pytest.approx(facts_of(wav(samples)).rms)


def test_half_a_sample_at_the_end_is_left_out() -> None:
    assert facts_of(wav(pcm16(tone(0.1)) + b"\x01", stated=0)).duration_s == 0.1
    assert facts_of(pcm16(tone(0.1)) + b"\x01", "pcm").duration_s == 0.1


def test_raw_samples_are_what_the_suite_says() -> None:
    stereo = facts_of(pcm16(tone(0.4)), "pcm", raw=RawSamples(48_000, 2, "s16le"))
    assert (stereo.duration_s, stereo.rate_hz, stereo.channels) == (0.1, 48_000, 2)

    floats = facts_of(tone(0.4).astype("<f4").tobytes(), "pcm", raw=RawSamples(RATE_HZ, 1, "f32le"))
    assert floats.duration_s == 0.4
    assert floats.rms == pytest.approx(0.3 / math.sqrt(2), rel=0.01)


def test_opus_and_flac_in_ogg_are_audio_for_who_asked_for_ogg() -> None:
    assert facts_of(spoken("opus"), "ogg").format == "opus"
    assert error_class(spoken("ogg"), "opus") == "wrong_content"


# --- what can be heard ------------------------------------------------------------------------------


def test_silence_is_counted_in_frames_of_20_ms() -> None:
    quiet = np.zeros(RATE_HZ // 2)
    facts = facts_of(wav(pcm16(np.concatenate([quiet, tone(0.25), quiet[: RATE_HZ // 4]]))))

    assert facts.silence == pytest.approx(0.75, abs=0.02)
    assert facts.sound_at_s == pytest.approx(0.5, abs=0.001)
    assert facts.sound_at_s > 0.5


@pytest.mark.parametrize("form", ["flac", "ogg", "opus", "mp3"])
def test_the_first_sound_in_other_formats(form: str) -> None:
    wave = np.concatenate([np.zeros(RATE_HZ // 2), tone(0.5)])

    assert facts_of(encoded(wave, form), form).sound_at_s == pytest.approx(0.5, abs=0.03)


def test_one_loud_sample_is_no_sound() -> None:
    wave = np.zeros(RATE_HZ)
    wave[100] = 0.01
    facts = facts_of(wav(pcm16(wave)))

    assert facts.sound_at_s is None
    assert facts.silence == 1.0
    assert facts.peak == pytest.approx(0.01, abs=1e-4)


def test_clipping_is_the_share_of_samples_at_full_scale() -> None:
    wave = tone(1.0)
    wave[:1200], wave[1200:2400] = 2.0, -2.0

    assert facts_of(wav(pcm16(wave))).clipped == pytest.approx(0.1, abs=1e-4)
    assert facts_of(encoded(np.clip(wave, -1, 1), "flac"), "flac").clipped == pytest.approx(0.1, abs=1e-4)
    eight_bits = facts_of(encoded(np.clip(wave, -1, 1), "wav", subtype="PCM_U8"))
    assert eight_bits.clipped == pytest.approx(0.1, abs=1e-3)


def test_both_channels_count() -> None:
    left = tone(0.5)
    stereo = np.stack([left, np.zeros_like(left)], axis=1).reshape(-1)
    facts = facts_of(wav(pcm16(stereo), channels=2))

    assert (facts.channels, facts.duration_s) == (2, 0.5)
    assert facts.rms == pytest.approx(0.3 / 2, rel=0.01)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 3e38])
def test_samples_that_are_no_numbers(value: float) -> None:
    wave = tone(0.5).astype("<f4")
    wave[5000] = value

    assert error_class(wav(wave.tobytes(), encoding=3, bits=32)) == "nan_audio"
    assert error_class(wave.tobytes(), "pcm", raw=RawSamples(RATE_HZ, 1, "f32le")) == "nan_audio"


def test_long_audio_is_measured_block_by_block_as_a_short_one_is() -> None:
    wave = tone(40.0)
    wave[-1000:] = 0.9
    facts = facts_of(wav(pcm16(wave)))
    samples = np.frombuffer(pcm16(wave), "<i2") / 32768

    assert facts.rms == pytest.approx(math.sqrt(np.square(samples).mean()), rel=1e-5)
    assert facts.peak == pytest.approx(0.9, abs=1e-4)
    assert facts.rms == pytest.approx(facts_of(encoded(wave, "flac"), "flac").rms, rel=1e-3)


@given(st.lists(st.integers(-32768, 32767), min_size=1, max_size=2000), st.integers(1, 3))
def test_figures_are_those_of_the_samples(samples: list[int], channels: int) -> None:
    samples = samples[: len(samples) - len(samples) % channels] or [1000] * channels
    content = struct.pack(f"<{len(samples)}h", *samples)
    facts = facts_of(content, "pcm", raw=RawSamples(8000, channels, "s16le"))
    scaled = np.array(samples) / 32768

    assert facts.duration_s == len(samples) / channels / 8000
    assert facts.rms == pytest.approx(math.sqrt(np.square(scaled).mean()), rel=1e-4, abs=1e-6)
    assert facts.peak == pytest.approx(np.abs(scaled).max())
    assert facts.clipped == pytest.approx((np.abs(scaled) >= 32767 / 32768).mean())
    frames = [scaled[at : at + 160 * channels] for at in range(0, len(scaled), 160 * channels)]
    powers = [np.square(frame).mean() for frame in frames]  # the last one is shorter
    assert facts.silence == sum(power < 0.001**2 for power in powers) / len(frames)
    assert (facts.sound_at_s is None) == (facts.silence == 1.0)


def test_one_bit_anywhere_is_another_fingerprint_and_equal_files_have_the_same() -> None:
    content = bytearray(wav(pcm16(tone(1.0))))
    before = facts_of(bytes(content)).fingerprint
    assert read_audio(memoryview(bytes(content)), "wav").fingerprint == before
    for place in (44, 51, 24_000, len(content) - 1):
        content[place] ^= 0x01
        assert facts_of(bytes(content)).fingerprint != before
        content[place] ^= 0x01


def test_a_shorter_last_frame_is_silent_by_its_own_length() -> None:
    wave = np.concatenate([tone(0.5), np.full(24, 0.0012)])  # 0.05 of a frame: 0.0003 over all of one

    assert facts_of(wav(pcm16(wave))).silence == 0.0
    assert facts_of(wav(pcm16(wave / 1.5))).silence == 1 / 26
