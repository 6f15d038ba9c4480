"""What is no audio: always an AudioError that says what is wrong, never a crash, never a bomb."""

from __future__ import annotations

import io
import struct
import tracemalloc

import numpy as np
import pytest
import soundfile
from hypothesis import example, given, settings
from hypothesis import strategies as st

from genload.artifacts.audio.facts import AudioError, AudioFacts
from genload.artifacts.audio.format import told_format
from genload.artifacts.audio.reader import read_audio
from genload.artifacts.audio.timeline import audio_streams

from .sounds import FORMATS, RATE_HZ, pcm16, spoken, tone, wav

CLASSES = {
    "empty_audio",
    "wrong_content",
    "bad_audio",
    "truncated",
    "nan_audio",
    "implausible_audio",
    "too_large",
}


def looked_into(content: bytes, ordered: str) -> AudioFacts:
    """As the inspector does it."""
    form = told_format(content, ordered)
    if form not in ("wav", "pcm"):
        for stream in audio_streams(content, form):
            if stream.cut:
                raise AudioError("truncated", stream.cut)
    return read_audio(content, form)


def error_class(content: bytes, ordered: str = "wav") -> str:
    with pytest.raises(AudioError) as caught:
        looked_into(content, ordered)
    assert caught.value.message
    return caught.value.error_class


@pytest.mark.parametrize("ordered", [*FORMATS, "pcm"])
@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "empty_audio"),
        (b'{"error": {"message": "no such voice", "type": "invalid_request_error"}}', "wrong_content"),
        (b'  [{"loc": ["body", "input"]}]', "wrong_content"),
        (b"<!DOCTYPE html>\n<html><body><h1>502 Bad Gateway</h1></body></html>", "wrong_content"),
        (b"\xef\xbb\xbf<html>\xc3\xa4</html>", "wrong_content"),
        (b"\x89PNG\r\n\x1a\n" + bytes(300), "wrong_content"),
        (b"\0\0\0\x20ftypM4A " + bytes(300), "wrong_content"),
    ],
)
def test_what_is_plainly_something_else(content: bytes, found: str, ordered: str) -> None:
    assert error_class(content, ordered) == found


@pytest.mark.parametrize("ordered", list(FORMATS))
def test_text_without_any_mark(ordered: str) -> None:
    assert error_class(b"Internal Server Error", ordered) == "wrong_content"
    assert error_class("Stimme unbekannt: ü".encode(), ordered) == "wrong_content"


@pytest.mark.parametrize("ordered", list(FORMATS))
def test_bytes_of_no_kind(ordered: str) -> None:
    assert error_class(np.random.default_rng(3).bytes(5000), ordered) == "bad_audio"
    assert error_class(b"\xff\xf1" + bytes(300), ordered) == "wrong_content"  # AAC


@pytest.mark.parametrize("ordered", [*FORMATS, "pcm"])
@pytest.mark.parametrize("given_form", list(FORMATS))
def test_another_format_than_was_asked_for(ordered: str, given_form: str) -> None:
    if ordered == given_form or (ordered, given_form) == ("ogg", "opus"):
        assert looked_into(spoken(given_form), ordered).format == given_form
    else:
        assert error_class(spoken(given_form), ordered) == "wrong_content"


@given(st.integers(0, 2**32))
def test_raw_samples_are_never_taken_for_something_else(seed: int) -> None:
    samples = np.random.default_rng(seed).integers(-3000, 3000, 2000).astype("<i2").tobytes()

    assert told_format(samples, "pcm") == "pcm"
    assert told_format(b"\xff\xfb\x90\xc4" + samples, "pcm") == "pcm"  # as one frame of MP3 begins


def test_a_header_and_no_sample() -> None:
    assert error_class(wav(b"")) == "empty_audio"
    assert error_class(wav(b"\x01")) == "empty_audio"
    assert error_class(b"\x01", "pcm") == "empty_audio"


@pytest.mark.parametrize("form", list(FORMATS))
def test_a_file_cut_anywhere_is_no_audio(form: str) -> None:
    content = spoken(form)
    cuts = {*range(1, 300), *range(300, len(content) - 1, 1 + len(content) // 100), len(content) - 1}
    found = {}
    for cut in sorted(cuts):
        try:
            facts = looked_into(content[:cut], form)
        except AudioError as error:
            found[cut] = error.error_class
        else:
            # Cut exactly between two frames: a shorter file, and nothing says otherwise.
            assert form == "mp3"
            assert facts.duration_s < 1.0

    assert set(found.values()) <= {"truncated", "empty_audio", "wrong_content"}
    assert {found[cut] for cut in found if cut > 300} == {"truncated"}
    assert len(found) > len(cuts) * 0.9


def test_headers_that_contradict_themselves() -> None:
    samples = pcm16(tone(0.1))

    assert error_class(wav(samples, rate_hz=0)) == "bad_audio"
    assert error_class(wav(samples, channels=0)) == "bad_audio"
    assert error_class(wav(samples, bits=0)) == "bad_audio"
    assert error_class(wav(samples, channels=200)) == "bad_audio"
    assert error_class(wav(samples, rate_hz=10**9)) == "bad_audio"
    wrong_block = bytearray(wav(samples))
    wrong_block[32] = 7
    assert error_class(bytes(wrong_block)) == "bad_audio"
    assert error_class(b"RIFF\x10\0\0\0WAVEdata\x04\0\0\0abcd") == "bad_audio"
    assert error_class(b"RIFF\x10\0\0\0WAVEfmt \x04\0\0\0abcd" + bytes(40)) == "bad_audio"


def test_flac_without_the_block_that_says_what_it_is() -> None:
    content = bytearray(spoken("flac"))
    content[4] = content[4] & 0x80 | 1  # padding instead of STREAMINFO

    assert error_class(bytes(content), "flac") == "bad_audio"


def test_something_else_between_the_pages_of_ogg() -> None:
    content = spoken("ogg")
    page = content.index(b"OggS", 1)

    assert error_class(content[:page] + b"HTML" + content[page + 4 :], "ogg") == "bad_audio"


@pytest.mark.parametrize("form", ["ogg", "opus"])
def test_ogg_cut_between_two_pages_misses_its_last_page(form: str) -> None:
    content = spoken(form, 3.0)
    last_page = content.rindex(b"OggS")

    assert looked_into(content, form).format == form
    assert error_class(content[:last_page], form) == "truncated"


@pytest.mark.parametrize("form", list(FORMATS))
@settings(max_examples=60)
@given(st.data())
def test_a_file_with_wrong_bytes_is_audio_or_an_error(form: str, data: st.DataObject) -> None:
    content = bytearray(spoken(form, 0.2))
    for _ in range(data.draw(st.integers(1, 4))):
        # Half of the changes in the first bytes, where the headers are.
        last = data.draw(st.sampled_from([min(len(content), 120), len(content)])) - 1
        place = data.draw(st.integers(0, last))
        width = data.draw(st.sampled_from([1, 2, 4]))
        content[place : place + width] = data.draw(st.binary(min_size=width, max_size=width))
    try:
        facts = looked_into(bytes(content), form)
    except AudioError as error:
        assert error.error_class in CLASSES
    else:
        assert facts.duration_s > 0


@settings(max_examples=150)
@given(
    st.sampled_from([b"RIFF\0\0\0\0WAVE", b"fLaC", b"OggS\0\x02", b"ID3\x04\0\0", b"\xff\xfb\x90\xc4", b""]),
    st.binary(max_size=400),
    st.sampled_from([*FORMATS, "pcm"]),
)
@example(b"OggS\0\x02" + bytes(8) + bytes(12) + b"\x01\x1e", b"\x01vorbis" + bytes(23), "ogg")
@example(b"OggS\0\x02" + bytes(8) + bytes(12) + b"\x01\x13", b"OpusHead" + bytes(11), "opus")
@example(b"fLaC", b"\x80\0\0\x22" + bytes(34), "flac")
def test_garbage_behind_a_known_mark(mark: bytes, rest: bytes, ordered: str) -> None:
    try:
        looked_into(mark + rest, ordered)
    except AudioError as error:
        assert error.error_class in CLASSES


# --- what would unpack to more than anyone wants -----------------------------------------------------


def hours_of_silence(form: str, hours: float) -> bytes:
    container, subtype = FORMATS[form]
    file = io.BytesIO()
    block = np.zeros(RATE_HZ * 60, "f4")
    with soundfile.SoundFile(file, "w", RATE_HZ, 1, format=container, subtype=subtype) as sound:
        for _ in range(round(hours * 60)):
            sound.write(block)
    return file.getvalue()


def test_a_small_file_that_unpacks_to_hours_ends_in_an_error_and_not_in_memory() -> None:
    bomb = hours_of_silence("flac", 2)
    assert len(bomb) < 1_000_000
    tracemalloc.start()
    with pytest.raises(AudioError, match="more than 60 min") as caught:
        read_audio(bomb, "flac")
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert caught.value.error_class == "implausible_audio"
    assert peak_bytes < 60_000_000


@pytest.mark.parametrize("form", [*FORMATS, "pcm"])
def test_what_is_longer_than_the_text_allows_is_not_decoded_further(form: str) -> None:
    with pytest.raises(AudioError, match="more than 500 ms") as caught:
        read_audio(spoken(form), form, longest_s=0.5)

    assert caught.value.error_class == "implausible_audio"


def test_a_length_that_no_file_has_is_not_believed() -> None:
    content = bytearray(spoken("flac"))
    content[21:26] = struct.pack(">BI", content[21] | 0x0F, 0xFFFFFFFF)  # the samples that it states

    assert error_class(bytes(content), "flac") == "truncated"


def test_flac_that_was_streamed_states_no_length() -> None:
    content = bytearray(spoken("flac"))
    content[21:26] = struct.pack(">BI", content[21] & 0xF0, 0)

    assert looked_into(bytes(content), "flac").duration_s == 1.0
