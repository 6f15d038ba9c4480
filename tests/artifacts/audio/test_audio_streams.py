"""Several files of audio in one answer, as servers send that encode sentence by sentence: all is heard."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from genload.artifacts.audio.facts import AudioError, RawSamples
from genload.artifacts.audio.mp3_layout import frame_at
from genload.artifacts.audio.reader import read_audio
from genload.artifacts.audio.stream import MOST_STREAMS
from genload.artifacts.audio.timeline import audio_streams, frame_timeline
from genload.artifacts.audio.wav_layout import wav_layouts
from genload.artifacts.inspector.inspector import Inspector

from .listened import answered, asked, error_of, listener
from .sounds import FORMATS, RATE_HZ, chunk, encoded, ogg_pages, pcm16, spoken, tone, wav, with_checksum

LENGTHS_S = (0.5, 1.0, 0.75)
TOTAL_S = sum(LENGTHS_S)
FRAMED = [form for form in FORMATS if form != "wav"]


def pieces_of(form: str) -> list[bytes]:
    return [spoken(form, length_s) for length_s in LENGTHS_S]


def id3(size: int = 90) -> bytes:
    return b"ID3\x04\x00\x00" + bytes([0, 0, size >> 7, size & 127]) + bytes(size)


# --- all of it is decoded, and the timeline says the same -----------------------------------------------


@pytest.mark.parametrize("form", FORMATS)
def test_all_streams_of_a_file_are_decoded(form: str) -> None:
    pieces = pieces_of(form)
    pieces[2] = encoded(tone(0.75, peak=0.6), form)
    facts = read_audio(b"".join(pieces), form)
    alone = [read_audio(piece, form) for piece in pieces]

    assert facts.duration_s == pytest.approx(TOTAL_S, abs=1e-6)
    assert facts.peak == pytest.approx(max(one.peak for one in alone))
    power = sum(one.rms**2 * one.duration_s for one in alone) / TOTAL_S
    assert facts.rms == pytest.approx(power**0.5, rel=1e-6)
    assert (facts.rate_hz, facts.channels) == (RATE_HZ, 1)


@pytest.mark.parametrize("form", FRAMED)
def test_each_stream_is_found_with_its_own_length(form: str) -> None:
    pieces = pieces_of(form)
    streams = audio_streams(b"".join(pieces), form)
    timeline = frame_timeline(streams)

    ends = np.cumsum([len(piece) for piece in pieces]).tolist()
    assert [(one.start, one.end) for one in streams] == list(zip([0, *ends], ends, strict=False))
    assert [one.cut for one in streams] == ["", "", ""]
    assert timeline is not None and timeline.duration_s == pytest.approx(TOTAL_S, abs=1e-6)
    assert timeline.available_s(ends) == pytest.approx([0.5, 1.5, 2.25], abs=1e-6)
    # A header is no audio wherever it lies: what comes with the first bytes of a stream is what was there.
    assert timeline.available_s([ends[0] + 40]) == pytest.approx([0.5], abs=1e-6)


def test_where_the_first_sound_is_counts_from_the_first_stream() -> None:
    silence = encoded(np.zeros(RATE_HZ), "flac")

    assert read_audio(silence + spoken("flac"), "flac").sound_at_s == pytest.approx(1.0, abs=0.01)


def test_mp3_streams_are_told_by_their_tags() -> None:
    tagged, bare = spoken("mp3", 0.5), spoken("mp3", 0.5)[192:]  # the first frame holds facts, no audio
    trailer = b"TAG" + bytes(125)

    def lengths(content: bytes) -> list[float]:
        return [round(one.seconds[-1], 3) for one in audio_streams(content, "mp3") if one.seconds]

    alone_s = lengths(bare)[0]
    assert lengths(tagged + id3() + tagged) == [0.5, 0.5]
    assert lengths(tagged + trailer + tagged + trailer) == [0.5, 0.5]
    assert lengths(bare + id3() + bare) == [alone_s, alone_s]
    assert lengths(tagged + bare) == [0.5, alone_s]  # behind as many frames as the tag states
    assert lengths(bare + bare) == [pytest.approx(2 * alone_s + 529 / RATE_HZ, abs=2e-3)]  # nothing tells
    assert lengths(tagged + bytes(700) + tagged) == [0.5, 0.5]
    # A server that does not know the length of a piece states none.
    unknown = bytearray(tagged)
    place = max(unknown.find(b"Info"), unknown.find(b"Xing"))
    unknown[place + 8 : place + 12] = bytes(4)
    assert lengths(bytes(unknown) * 2) == [0.5, 0.5]
    for content in (tagged + id3() + tagged, tagged + bare, bytes(unknown) * 2):
        assert read_audio(content, "mp3").duration_s == pytest.approx(sum(lengths(content)), abs=2e-3)


def test_mp3_of_another_rate_is_another_stream() -> None:
    other = encoded(tone(0.5, rate_hz=16_000), "mp3", rate_hz=16_000)
    facts = frame_at(other, 0)
    assert facts is not None
    streams = audio_streams(spoken("mp3", 0.5)[192:] + other[facts.size_bytes :], "mp3")

    assert [one.seconds[-1] > 0.49 for one in streams if one.seconds] == [True, True]


def test_streams_of_different_rates_or_channels_are_told() -> None:
    stereo = encoded(np.stack([tone(0.5)] * 2, axis=1), "wav")
    for other, error_class in (
        (encoded(tone(0.5, rate_hz=16_000), "wav", rate_hz=16_000), "wrong_rate"),
        (stereo, "wrong_channels"),
    ):
        with pytest.raises(AudioError, match="its streams differ") as caught:
            read_audio(spoken("wav") + other, "wav")
        assert caught.value.error_class == error_class


def test_flac_that_was_streamed_states_no_length_in_any_piece() -> None:
    piece = bytearray(spoken("flac", 0.5))
    piece[21:26] = struct.pack(">BI", piece[21] & 0xF0, 0)

    assert read_audio(bytes(piece) * 3, "flac").duration_s == 1.5


@pytest.mark.parametrize("form", ["mp3", "flac", "ogg", "opus"])
def test_a_stream_that_is_cut_before_another_begins_is_truncated(form: str) -> None:
    content = spoken(form, 3.0)
    timeline = frame_timeline(audio_streams(content, form))
    assert timeline is not None
    shortened = content[: timeline.ends[len(timeline.ends) // 2]]

    assert [bool(one.cut) for one in audio_streams(shortened + content, form)] == [True, False]


# --- WAV --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [b"", chunk(b"LIST", b"made by us"), chunk(b"LIST", b"odd")])
def test_wavs_one_after_the_other(after: bytes) -> None:
    pieces = [wav(pcm16(tone(length_s)), after=after) for length_s in LENGTHS_S]
    content = b"".join(pieces)

    assert [one.duration_s for one in wav_layouts(content, streamed=True)] == list(LENGTHS_S)
    assert read_audio(content, "wav").duration_s == TOTAL_S


def test_the_last_of_several_wavs_may_state_a_placeholder_and_one_before_may_not() -> None:
    whole, unknown = spoken("wav"), wav(pcm16(tone(0.5)), stated=0xFFFFFFFF)

    assert read_audio(whole + unknown, "wav", streamed=True).duration_s == 1.5
    with pytest.raises(AudioError, match=f"WAV header at byte {len(unknown)}, among the samples"):
        wav_layouts(unknown + whole, streamed=True)


@pytest.mark.parametrize("stated", [0, 0xFFFFFFFF, 2_000_000_000, 1_000_000])
@pytest.mark.parametrize("offset", range(4))
@pytest.mark.parametrize("bits", [8, 16, 24])
def test_a_header_inside_a_placeholder_wav_is_a_click(stated: int, offset: int, bits: int) -> None:
    block = bits // 8
    samples = np.random.default_rng(2).bytes(block * (3000 + offset))
    inner = wav(samples, bits=bits)
    content = wav(samples + inner + samples, stated=stated, bits=bits)

    with pytest.raises(AudioError, match=f"byte {44 + len(samples)}, among the samples") as caught:
        wav_layouts(content, streamed=True)
    assert caught.value.error_class == "bad_audio"
    assert len(wav_layouts(wav(samples + b"WAVEfmt " * 4, stated=stated, bits=bits), streamed=True)) == 1


@pytest.mark.parametrize(("encoding", "bits"), [(1, 8), (1, 16), (1, 24), (3, 32), (3, 64), (7, 8)])
@pytest.mark.parametrize("channels", [1, 2])
def test_who_reads_the_samples_finds_it_among_the_quietest(encoding: int, bits: int, channels: int) -> None:
    silence = bytes(bits // 8 * 2400)
    shape = {"encoding": encoding, "bits": bits, "channels": channels}
    inner = wav(silence, stated=0, **shape)

    assert read_audio(wav(silence, stated=0, **shape), "wav").duration_s == 0.1 / channels
    with pytest.raises(AudioError, match=f"byte {44 + len(silence)}, among the samples"):
        read_audio(wav(silence + inner, stated=0, **shape), "wav")


@pytest.mark.parametrize("stated", [2_000_000_000, 0x7FFFFFFF, 0x7FFFFFFF - 36, 180_000_000])
def test_a_length_that_no_answer_can_have_is_a_placeholder_of_a_whole_answer_too(stated: int) -> None:
    [layout] = wav_layouts(wav(pcm16(tone(0.4)), stated=stated), streamed=False)

    assert layout.duration_s == 0.4


def test_a_length_that_an_answer_can_have_is_not() -> None:
    with pytest.raises(AudioError, match="of the 170000000 bytes"):
        wav_layouts(wav(pcm16(tone(0.4)), stated=170_000_000), streamed=False)


# --- what lies between and is none ------------------------------------------------------------------------


def test_mp3_with_bytes_missing_is_told() -> None:
    content = spoken("mp3", 3.0)
    assert audio_streams(content, "mp3")
    for missing in (1, 10, 700):
        with pytest.raises(AudioError, match="bytes are missing or were changed") as caught:
            audio_streams(content[:5000] + content[5000 + missing :], "mp3")
        assert caught.value.error_class == "bad_audio"


@pytest.mark.parametrize("form", ["ogg", "opus"])
def test_ogg_pages_that_fail_their_checksum_or_are_missing_are_told(form: str) -> None:
    pages = ogg_pages(spoken(form, 3.0))
    assert with_checksum(pages[-1]) == pages[-1] and len(pages) > 3  # the textbook's checksum
    changed = bytearray(b"".join(pages))
    changed[-20] ^= 1

    with pytest.raises(AudioError, match="fails its checksum"):
        audio_streams(bytes(changed), form)
    with pytest.raises(AudioError, match=r"missing before byte \d+: number 3 follows number 1"):
        audio_streams(b"".join(pages[:2] + pages[3:]), form)
    assert len(audio_streams(b"".join(pages), form)) == 1


# --- as a listener has them -------------------------------------------------------------------------------


@pytest.mark.processes
@pytest.mark.parametrize("form", FORMATS)
def test_one_length_and_the_number_of_streams_whatever_is_validated(inspector: Inspector, form: str) -> None:
    pieces = pieces_of(form)
    content = b"".join(pieces)
    speech = answered(content, pieces=[len(pieces[0]), len(pieces[0] + pieces[1])], streamed=True)
    for validate in ("all", "off"):
        numbers = listener(inspector, format=form, validate=validate).listen(speech, asked()).numbers
        assert numbers["audio_duration_s"] == pytest.approx(TOTAL_S, abs=1e-6)
        assert (numbers["streams"], numbers["stalls"]) == (3.0, 0.0)


@pytest.mark.processes
@pytest.mark.parametrize("form", FORMATS)
def test_stalls_between_the_pieces_are_seen(inspector: Inspector, form: str) -> None:
    pieces = pieces_of(form)
    speech = answered(
        b"".join(pieces), pieces=[len(pieces[0]), len(pieces[0] + pieces[1])], step_s=11.0, streamed=True
    )
    numbers = listener(inspector, format=form).listen(speech, asked()).numbers

    assert (numbers["valid"], numbers["stalls"]) == (1.0, 2.0)
    assert numbers["underrun_s"] == pytest.approx(10.5, abs=1e-3)


@pytest.mark.processes
def test_what_the_frames_tell_and_what_decodes_must_agree(inspector: Inspector) -> None:
    pages = [bytearray(page) for page in ogg_pages(spoken("opus", 2.0))]
    (position,) = struct.unpack_from("<q", pages[-1], 6)
    struct.pack_into("<q", pages[-1], 6, position + 48_000)  # a second more than there is
    content = b"".join(map(with_checksum, pages))

    error = error_of(listener(inspector, format="opus"), answered(content))
    assert (error.error_class, error.message[:28]) == ("bad_audio", "its frames tell of 3.000 s o")


@pytest.mark.processes
@pytest.mark.parametrize(("form", "piece"), [("wav", wav(b"\0\0")), ("flac", spoken("flac", 0.01))])
def test_more_streams_than_an_answer_has_are_not_read(inspector: Inspector, form: str, piece: bytes) -> None:
    content = piece * (MOST_STREAMS + 1)

    error = error_of(listener(inspector, format=form), answered(content, streamed=True))
    assert error.error_class == "bad_audio"
    assert f"more than {MOST_STREAMS} streams" in error.message


def test_raw_samples_are_one_stream() -> None:
    assert read_audio(pcm16(tone(0.4)) * 2, "pcm", raw=RawSamples()).duration_s == 0.8
