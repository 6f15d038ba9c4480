"""Formats that few services send: read, or said to be unreadable here, which is no failure of the service."""

from __future__ import annotations

import gc
import io
import struct
import sys
import tracemalloc
from collections.abc import Iterator
from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genload.artifacts.audio.facts import AudioError, RawSamples
from genload.artifacts.audio.format import told_format
from genload.artifacts.audio.reader import read_audio
from genload.artifacts.audio.timeline import audio_streams, frame_timeline
from genload.artifacts.audio.wav_layout import wav_layouts
from genload.artifacts.inspector.child import _audio
from genload.artifacts.inspector.inspector import Inspector
from genload.artifacts.inspector.messages import AudioTask
from genload.service import CannotInspectError

from .listened import answered, asked, error_of, listener
from .sounds import RATE_HZ, Wave, chunk, pcm16, spoken, tone, wav

CLASSES = {
    *("empty_audio", "wrong_content", "bad_audio", "truncated", "nan_audio", "implausible_audio"),
    *("wrong_rate", "wrong_channels"),
}


def by_ffmpeg(wave: Wave, container: str, codec: str, rate_hz: int = RATE_HZ) -> bytes:
    """As FFmpeg's libraries write it."""
    out = io.BytesIO()
    with av.open(out, "w", format=container) as file:
        stream = file.add_stream(codec, rate=rate_hz, layout="mono")
        frame = av.AudioFrame.from_ndarray(wave.astype("f4").reshape(1, -1), format="flt", layout="mono")
        frame.sample_rate, frame.time_base, frame.pts = rate_hz, Fraction(1, rate_hz), 0
        fitting = av.AudioResampler(
            stream.codec_context.format.name, "mono", rate_hz, stream.codec_context.frame_size or None
        )
        for piece in (*fitting.resample(frame), *fitting.resample(None)):
            file.mux(stream.encode(piece))
        file.mux(stream.encode(None))
    return out.getvalue()


@pytest.fixture(scope="module")
def aac() -> bytes:
    return by_ffmpeg(tone(2.0), "adts", "aac")


@pytest.fixture(scope="module")
def ogg_flac() -> bytes:
    return by_ffmpeg(tone(2.0), "ogg", "flac")


@pytest.fixture
def without_ffmpeg(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(sys.modules, "av", None)  # an import of it fails
    yield


# --- read -------------------------------------------------------------------------------------------------


def test_aac_is_counted_and_decoded(aac: bytes) -> None:
    timeline = frame_timeline(audio_streams(aac, "aac"))
    facts = read_audio(aac, "aac")
    frames = len(audio_streams(aac, "aac")[0].ends)

    assert told_format(aac, "aac") == "aac"
    assert timeline is not None
    assert timeline.duration_s == pytest.approx(frames * 1024 / RATE_HZ) == pytest.approx(facts.duration_s)
    assert facts.duration_s == pytest.approx(2.0, abs=0.1)  # an encoder's delay, which ADTS does not tell
    assert facts.rms == pytest.approx(0.3 / 2**0.5, rel=0.05)
    assert timeline.available_s([0, 5, len(aac)]) == [0.0, 0.0, timeline.duration_s]
    assert read_audio(aac * 2, "aac").duration_s == pytest.approx(2 * facts.duration_s)


def test_aac_that_changes_its_rate_is_told(aac: bytes) -> None:
    other = by_ffmpeg(tone(1.0, rate_hz=16_000), "adts", "aac", rate_hz=16_000)

    with pytest.raises(AudioError, match="its streams differ: 24000 and 16000 Hz") as caught:
        read_audio(aac + other, "aac")
    assert caught.value.error_class == "wrong_rate"


def test_long_aac_is_fed_in_blocks() -> None:
    long = by_ffmpeg(tone(25.0), "adts", "aac")

    assert read_audio(long, "aac").duration_s == pytest.approx(25.0, abs=0.1)
    assert read_audio(long, "aac").silence < 0.01
    with pytest.raises(AudioError, match=r"more than 3 s"):
        read_audio(long, "aac", longest_s=3.0)


def test_flac_in_ogg_is_read_without_ffmpeg(ogg_flac: bytes, without_ffmpeg: None) -> None:
    streams = audio_streams(ogg_flac, told_format(ogg_flac, "ogg"))
    timeline = frame_timeline(streams)

    assert [one.codec for one in streams] == ["flac in ogg"]
    assert timeline is not None and timeline.duration_s == 2.0
    assert read_audio(ogg_flac, "ogg").duration_s == 2.0
    assert read_audio(ogg_flac * 3, "ogg").duration_s == 6.0


@pytest.mark.parametrize("length", [None, 0xFFFFFFFFFFFFFFFF])
def test_rf64_and_wave64_are_wav(length: int | None) -> None:
    samples = pcm16(tone(0.5))
    shape = struct.pack("<HHIIHH", 1, 1, RATE_HZ, 2 * RATE_HZ, 2, 16)
    stated = len(samples) if length is None else length
    ds64 = chunk(b"ds64", struct.pack("<QQQI", 0, stated, 0, 0))
    body = b"RF64\xff\xff\xff\xffWAVE" + ds64 + chunk(b"fmt ", shape)
    rf64 = body + b"data\xff\xff\xff\xff" + samples

    def guid(name: bytes, size: int, tail: str = "f3acd3118cd100c04f8edb8a") -> bytes:
        return name + bytes.fromhex(tail) + struct.pack("<Q", size)

    begin = b"riff" + bytes.fromhex("2e91cf11a5d628db04c10000") + struct.pack("<Q", 0)
    begin += b"wave" + bytes.fromhex("f3acd3118cd100c04f8edb8a")
    wave64 = begin + guid(b"fmt ", 24 + 16) + shape + guid(b"data", min(stated + 24, 2**64 - 1)) + samples

    for content in (rf64, wave64):
        assert told_format(content, "wav") == "wav"
        [layout] = wav_layouts(content, streamed=False)
        assert layout.duration_s == read_audio(content, "wav").duration_s == 0.5
        if length is None:
            with pytest.raises(AudioError, match="of the 24000 bytes"):
                wav_layouts(content[:-2], streamed=False)


# --- told -------------------------------------------------------------------------------------------------


def test_what_is_no_pcm_is_told_in_answer_to_pcm(aac: bytes, ogg_flac: bytes) -> None:
    others = [
        aac,
        aac[: len(aac) // 2],
        ogg_flac,
        spoken("mp3"),
        spoken("opus"),
        spoken("flac"),
        spoken("wav"),
    ]
    others += [
        b"\x1f\x8b\x08" + bytes(100),
        b"#!AMR\n" + bytes(100),
        b"RF64\xff\xff\xff\xffWAVE" + bytes(100),
    ]
    for content in others:
        with pytest.raises(AudioError) as caught:
            told_format(content, "pcm")
        assert caught.value.error_class == "wrong_content"


@given(st.lists(st.integers(-32768, 32767), min_size=8, max_size=200))
def test_samples_that_begin_like_a_frame_are_samples(samples: list[int]) -> None:
    assert told_format(b"\xff\xf1" + struct.pack(f"<{len(samples)}h", *samples), "pcm") == "pcm"


def test_aac_is_the_wrong_content_for_who_asked_for_another(aac: bytes) -> None:
    for ordered in ("wav", "mp3", "flac", "ogg", "opus"):
        with pytest.raises(AudioError, match=f"{ordered} was asked for, and the answer is aac"):
            told_format(aac, ordered)
    with pytest.raises(AudioError, match="aac was asked for, and the answer is mp3"):
        told_format(spoken("mp3"), "aac")


def test_without_ffmpeg_aac_cannot_be_inspected_and_its_length_is_told(
    aac: bytes, without_ffmpeg: None
) -> None:
    task = AudioTask("aac", RawSamples(), True, True, 0.001, 60.0, [len(aac)])
    found = _audio(task, memoryview(aac))

    assert found.facts is None  # type: ignore[union-attr]
    assert found.duration_s == pytest.approx(2.0, abs=0.1)  # type: ignore[union-attr]
    assert found.cannot_inspect == (  # type: ignore[union-attr]
        "AAC, which nothing here decodes; to have it decoded: pip install 'genload[audio]'"
    )


@pytest.mark.processes
def test_a_codec_that_nothing_reads_is_a_success_that_says_so(inspector: Inspector) -> None:
    content = wav(bytes(9000), encoding=0x0083, bits=16)
    heard = listener(inspector).listen(answered(content), asked())

    assert heard.uninspected is not None
    assert heard.uninspected.message == "G.729 in WAV, which nothing here decodes"
    assert "valid" not in heard.numbers and "audio_duration_s" not in heard.numbers
    assert heard.numbers["ttfb_s"] > 0


@pytest.mark.processes
@pytest.mark.parametrize("encoding", [1, 0x0083])
def test_what_nobody_is_to_inspect_is_not_said_to_be_unreadable(inspector: Inspector, encoding: int) -> None:
    speech = answered(wav(bytes(9000), encoding=encoding, bits=16))
    unasked = listener(inspector, validate="off").listen(speech, asked()).uninspected

    assert unasked is not None and "validate: off" in unasked.message
    assert not isinstance(unasked, CannotInspectError)


@pytest.mark.processes
def test_aac_is_listened_to(inspector: Inspector, aac: bytes) -> None:
    speech = answered(aac, pieces=[100, 4000], streamed=True)
    numbers = listener(inspector, format="aac").listen(speech, asked()).numbers

    assert (numbers["valid"], numbers["streams"], numbers["rate_hz"]) == (1.0, 1.0, RATE_HZ)
    assert numbers["ttfa_s"] == pytest.approx(0.2) and "stalls" in numbers
    quiet = answered(by_ffmpeg(np.zeros(RATE_HZ), "adts", "aac"))
    assert error_of(listener(inspector, format="aac"), quiet).error_class == "silent_audio"


# --- hostile ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["aac", "ogg"])
def test_a_new_format_that_is_cut_is_truncated(form: str, aac: bytes, ogg_flac: bytes) -> None:
    content = aac if form == "aac" else ogg_flac
    for cut in range(200, len(content) - 1, 1 + len(content) // 30):
        assert audio_streams(content[:cut], form)[-1].cut or cut in audio_streams(content, form)[0].ends


@pytest.mark.parametrize("form", ["aac", "ogg"])
@settings(max_examples=40)
@given(data=st.data())
def test_a_new_format_with_wrong_bytes_is_audio_or_an_error(
    form: str, aac: bytes, ogg_flac: bytes, data: st.DataObject
) -> None:
    content = bytearray(aac if form == "aac" else ogg_flac)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, data.draw(st.sampled_from([120, len(content)])) - 1))
        content[place] = data.draw(st.integers(0, 255))
    try:
        found = told_format(bytes(content), form)
        assert read_audio(bytes(content), found).duration_s > 0
    except AudioError as error:
        assert error.error_class in CLASSES
        assert "0x" not in error.message


def test_hours_of_aac_end_in_an_error_and_not_in_memory() -> None:
    second = by_ffmpeg(np.zeros(RATE_HZ), "adts", "aac")
    bomb = second * 4000  # more than an hour
    assert len(bomb) < 3_000_000
    gc.collect()
    tracemalloc.start()
    with pytest.raises(AudioError, match=r"more than 5 s") as caught:
        read_audio(bomb, "aac", longest_s=5.0)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert caught.value.error_class == "implausible_audio"
    assert peak_bytes < 60_000_000


def test_chunks_without_end_are_not_followed() -> None:
    many = b"".join(chunk(b"junk", b"") for _ in range(5000))

    with pytest.raises(AudioError, match="more than 1000 chunks"):
        wav_layouts(b"RIFF\xff\xff\xff\x7fWAVE" + many + wav(b"\0\0")[12:], streamed=False)
    assert len(wav_layouts(wav(b"\0\0") + many + wav(b"\0\0"), streamed=False)) == 1
