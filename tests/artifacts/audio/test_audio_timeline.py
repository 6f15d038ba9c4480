"""How much can be played after how many bytes: against libsndfile's own lengths, whole and cut anywhere."""

from __future__ import annotations

import io
import struct
from contextlib import suppress

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from genload.artifacts.audio.facts import AudioError, RawSamples
from genload.artifacts.audio.reader import read_audio
from genload.artifacts.audio.timeline import FrameTimeline, audio_streams, frame_timeline
from genload.artifacts.audio.wav_layout import WavLayout, raw_layout, wav_layouts

from .sounds import FORMATS, RATE_HZ, chunk, encoded, ogg_pages, pcm16, spoken, tone, wav, with_checksum

FRAMED = ("mp3", "flac", "ogg", "opus")


def timeline(content: bytes, form: str) -> FrameTimeline:
    found = frame_timeline(audio_streams(content, form))
    assert found is not None
    return found


def cut(content: bytes, form: str) -> str:
    return next((stream.cut for stream in audio_streams(content, form) if stream.cut), "")


def wav_layout(content: bytes, *, streamed: bool) -> WavLayout:
    [layout] = wav_layouts(content, streamed=streamed)
    return layout


def decoded_s(content: bytes) -> float:
    """What libsndfile makes of a file, or of the beginning of one."""
    try:
        with soundfile.SoundFile(io.BytesIO(content)) as sound:
            frames = 0
            with suppress(soundfile.LibsndfileError):  # as far as it goes
                while block := len(sound.read(256)):
                    frames += block
            return frames / sound.samplerate
    except soundfile.LibsndfileError:
        return 0.0


# --- against libsndfile -----------------------------------------------------------------------------


@pytest.mark.parametrize("form", FRAMED)
@pytest.mark.parametrize("duration_s", [0.004, 0.021, 0.5, 1.0, 7.77])
@pytest.mark.parametrize("rate_hz", [16_000, 24_000, 48_000])
def test_the_whole_file_has_the_length_that_is_decoded(form: str, duration_s: float, rate_hz: int) -> None:
    content = encoded(tone(duration_s, rate_hz=rate_hz), form, rate_hz=rate_hz)
    found = timeline(content, form)

    assert found.duration_s == pytest.approx(decoded_s(content), abs=1e-6)
    assert found.available_s([len(content)]) == [found.duration_s]
    assert found.available_s([0]) == [0.0]
    assert cut(content, form) == ""


def test_stereo_has_the_same_length() -> None:
    wave = np.stack([tone(0.7), tone(0.7, hz=330)], axis=1)
    for form in FRAMED:
        assert timeline(encoded(wave, form), form).duration_s == pytest.approx(0.7, abs=1e-6)


@pytest.mark.parametrize(
    ("form", "tolerance_s"),
    # Without the rest of the file libsndfile keeps the padding of MP3; it gives out a frame of FLAC or MP3
    # only once it has seen the next one's header.
    [("flac", 4096 / RATE_HZ + 1e-6), ("mp3", 0.1)],
)
def test_the_beginning_of_a_file_plays_as_long_as_is_said(form: str, tolerance_s: float) -> None:
    content = encoded(tone(2.0), form)
    found = timeline(content, form)
    offsets = range(200, len(content), 1 + len(content) // 60)

    for offset, available_s in zip(offsets, found.available_s(offsets), strict=True):
        assert available_s == pytest.approx(decoded_s(content[:offset]), abs=tolerance_s)


def test_headers_are_no_audio() -> None:
    for form in FRAMED:
        content = spoken(form)
        found = timeline(content, form)
        assert found.available_s([44]) == [0.0]
        assert found.available_s([found.ends[0] - 1]) == [0.0] or form == "mp3"

    ogg = timeline(spoken("ogg"), "ogg")
    assert ogg.ends[0] > 3000  # three pages of headers, most of them tables


# --- WAV and raw samples: arithmetic ----------------------------------------------------------------


def test_wav_plays_from_its_first_sample_on() -> None:
    samples = pcm16(tone(1.0))
    found = wav_layout(wav(samples), streamed=False)

    assert found.available_s([0, 43, 44, 45, 46, 44 + 480 * 2, 10**6]) == [
        0.0,
        0.0,
        0.0,
        0.0,
        1 / RATE_HZ,
        0.02,
        1.0,
    ]
    assert found.duration_s == 1.0


def test_chunks_around_the_samples_are_no_audio() -> None:
    content = wav(pcm16(tone(1.0)), before=chunk(b"LIST", b"x" * 1000), after=chunk(b"LIST", b"x" * 1000))
    found = wav_layout(content, streamed=True)

    assert found.available_s([1000, 1052 + 48, len(content)]) == [0.0, 24 / RATE_HZ, 1.0]


def test_packed_wav_has_no_timeline() -> None:
    assert not wav_layout(encoded(tone(0.5), "wav", subtype="MS_ADPCM"), streamed=False).linear


def test_extensible_wav_says_its_encoding_further_back() -> None:
    file = io.BytesIO()
    soundfile.write(file, np.stack([tone(0.5)] * 6, axis=1), RATE_HZ, format="WAVEX", subtype="PCM_24")
    content = file.getvalue()
    assert content[20:22] == b"\xfe\xff"
    found = wav_layout(content, streamed=False)

    assert found.linear
    assert found.duration_s == pytest.approx(0.5)


def test_raw_samples_play_from_the_first_byte_on() -> None:
    found = raw_layout(48_001, RawSamples(24_000, 2, "s16le"))

    assert found.available_s([3, 4, 960, 48_001]) == [0.0, 1 / 24_000, 0.01, 0.5]


# --- whatever the pieces are ------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMATS)
@given(st.data())
def test_what_can_be_played_never_falls_and_ends_with_all(form: str, data: st.DataObject) -> None:
    content = spoken(form)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=40)))
    found = wav_layout(content, streamed=False) if form == "wav" else timeline(content, form)
    available_s = found.available_s([*cuts, len(content)])

    assert available_s == sorted(available_s)
    assert available_s[-1] == found.duration_s == pytest.approx(1.0, abs=1e-6)
    # A byte more never plays less, and the answer does not depend on the other pieces.
    assert available_s == [found.available_s([cut])[0] for cut in [*cuts, len(content)]]


# --- MP3: what encoders and servers put around the frames --------------------------------------------


def id3(size: int) -> bytes:
    return b"ID3\x04\x00\x00" + bytes([size >> 21 & 127, size >> 14 & 127, size >> 7 & 127, size & 127])


def test_tags_around_mp3_are_no_audio() -> None:
    bare = spoken("mp3")
    tagged = id3(5000) + b"\xff\xfb\x90\xc4" * 1250 + bare + b"TAG" + bytes(125)
    found = timeline(tagged, "mp3")

    assert found.duration_s == timeline(bare, "mp3").duration_s
    assert found.available_s([5010 + 192]) == [0.0]
    assert found.ends == [end + 5010 for end in timeline(bare, "mp3").ends]


def test_mp3_without_facts_in_front_counts_every_frame() -> None:
    whole = spoken("mp3")
    frames = whole[192:]  # without the first one, which holds the encoder's delay and padding
    found = timeline(frames, "mp3")

    assert len(found.ends) == len(timeline(whole, "mp3").ends)
    assert found.duration_s == pytest.approx((len(found.ends) * 576 - 529) / RATE_HZ)  # a decoder's delay
    # libsndfile alone would believe mpg123's guess, which the first bit rate misleads.
    assert found.duration_s == pytest.approx(read_audio(frames, "mp3").duration_s, abs=1e-6)
    assert decoded_s(frames) < 0.5


def test_mp3_that_was_streamed_states_no_number_of_frames() -> None:
    content = bytearray(spoken("mp3"))
    place = content.index(b"Info") if b"Info" in content else content.index(b"Xing")
    content[place + 8 : place + 12] = bytes(4)

    found = timeline(bytes(content), "mp3")
    assert cut(bytes(content), "mp3") == ""
    assert found.duration_s == pytest.approx(1.0, abs=1e-6)
    assert read_audio(bytes(content), "mp3").duration_s == pytest.approx(1.0, abs=1e-6)


def test_mp3_cut_between_two_frames_is_told_by_their_number() -> None:
    content = spoken("mp3")
    found = timeline(content, "mp3")

    assert "of the 44 frames" in cut(content[: found.ends[20]], "mp3")


@pytest.mark.parametrize("form", ["mp3", "flac"])
def test_a_frame_whose_header_is_gone_is_told(form: str) -> None:
    content = bytearray(spoken(form))
    place = timeline(bytes(content), form).ends[3]
    content[place : place + 2] = b"\x12\x34"  # where the next frame begins

    if form == "mp3":
        with pytest.raises(AudioError, match=f"byte {place}, after 4 frames, begins no frame"):
            audio_streams(bytes(content), form)
    else:
        assert cut(bytes(content), form)  # the frames end there


# --- Ogg: streams that begin late, one after the other, or of another kind ---------------------------


def shifted(content: bytes, samples: int) -> bytes:
    """Every position later, as in a recording of a broadcast that began earlier."""
    pages = [bytearray(page) for page in ogg_pages(content)]
    for page in pages:
        (position,) = struct.unpack_from("<q", page, 6)
        if position > 0:
            struct.pack_into("<q", page, 6, position + samples)
    return b"".join(map(with_checksum, pages))


def test_opus_that_begins_late_plays_from_there() -> None:
    found = timeline(shifted(spoken("opus", 3.0), 480_000), "opus")

    assert found.duration_s == pytest.approx(3.0, abs=0.02)
    assert found.ends == timeline(spoken("opus", 3.0), "opus").ends


def test_vorbis_that_begins_late_does_not_say_how_much_plays() -> None:
    assert frame_timeline(audio_streams(shifted(spoken("ogg"), 480_000), "ogg")) is None
