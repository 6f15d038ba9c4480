"""Parts of the speaking testbed on their own: files, tapes, cache, options, the schedule's clock."""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from testbed.options import WhenFull
from testbed.speech import command
from testbed.speech.cache import Cache
from testbed.speech.dialect import Wanted, sent_as
from testbed.speech.encoding import Encoder, EncodingError, Format, encode, nan_wav
from testbed.speech.engine import Tape
from testbed.speech.options import Api, EngineName, SpeechOptions
from testbed.speech.pacer import Pacer
from testbed.speech.selector import precise_loop
from testbed.speech.tone import Tone

ROOT = Path(__file__).resolve().parents[2]
RATE_HZ = 24_000
SINE = np.round(9000 * np.sin(2 * np.pi * 440 * np.arange(RATE_HZ) / RATE_HZ)).astype(np.int16)


# --- files ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [Format.WAV, Format.FLAC, Format.MP3, Format.OGG, Format.OPUS])
def test_a_whole_file_holds_the_audio(form: Format) -> None:
    samples, rate_hz = soundfile.read(io.BytesIO(encode(SINE, form, RATE_HZ)), dtype="int16")
    assert rate_hz == RATE_HZ
    if form in (Format.WAV, Format.FLAC):
        assert np.array_equal(samples, SINE)
    else:
        assert abs(len(samples) - len(SINE)) < 0.06 * RATE_HZ


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=20), st.sampled_from([Format.MP3, Format.OPUS]))
def test_a_file_does_not_depend_on_its_pieces(sizes: list[int], form: Format) -> None:
    """What went out is never corrected: the pieces of any cut are the same stream."""
    cuts = np.cumsum([0, *sizes]).clip(0, len(SINE))
    pieces, whole = Encoder(form, RATE_HZ), Encoder(form, RATE_HZ)
    cut = b"".join(pieces.feed(SINE[a:b].tobytes()) for a, b in pairwise(cuts) if b > a)
    content = cut + pieces.finish()
    alone = whole.feed(SINE[: cuts[-1]].tobytes()) + whole.finish()
    # A page of Ogg bears a serial number of its own.
    assert content == alone if form is Format.MP3 else abs(len(content) - len(alone)) < 400


def test_what_cannot_be_written_is_told() -> None:
    with pytest.raises(EncodingError, match="'aac' is not supported"):
        encode(SINE, Format.AAC, RATE_HZ)
    with pytest.raises(EncodingError):
        Encoder(Format.AAC, RATE_HZ)


def test_floats_that_are_no_numbers() -> None:
    with soundfile.SoundFile(io.BytesIO(nan_wav(SINE, RATE_HZ))) as file:
        assert (file.subtype, file.samplerate, file.frames) == ("FLOAT", RATE_HZ, RATE_HZ)
        assert np.isnan(file.read()).sum() == len(SINE[::7])


@given(st.lists(st.binary(max_size=40).map(lambda b: b[: len(b) // 2 * 2])), st.lists(st.integers(0, 50)))
def test_a_tape_gives_back_what_was_put_on_it(pieces: list[bytes], takes: list[int]) -> None:
    tape = Tape()
    for piece in pieces:
        tape.append(np.frombuffer(piece, np.int16))
    taken = [tape.take(size) for size in takes]
    left = tape.size_bytes
    taken.append(tape.take(10_000))

    assert b"".join(taken) == b"".join(pieces)
    assert len(taken[-1]) == left and tape.size_bytes == 0
    assert all(len(part) <= size for part, size in zip(taken, takes, strict=False))


@given(st.text(max_size=60), st.sampled_from(["af_heart", "am_puck"]), st.floats(0.25, 4))
def test_a_tone_is_as_long_as_it_says(text: str, voice: str, speed: float) -> None:
    tone = Tone(0.01, 0.0)
    tone.load()
    samples = np.concatenate([np.zeros(0, np.int16), *tone.speak(text, voice, speed)])
    assert len(samples) == tone.samples(text, speed) == round(0.01 * len(text) / speed * RATE_HZ)


# --- the cache ------------------------------------------------------------------------------------


def test_the_cache_keeps_fifty_for_an_hour_and_forgets_what_was_not_used() -> None:
    cache = Cache()
    for n in range(50):
        cache.put(n, b"%d" % n, now_s=10.0)
    assert cache.get(0, 11.0) == b"0"
    cache.put(50, b"50", now_s=11.0)

    assert cache.get(1, 12.0) is None  # 0 was used since
    assert cache.get(0, 12.0) == b"0"
    assert cache.get(0, 10.0 + 3599.9) == b"0"
    assert cache.get(0, 10.0 + 3600.0) is None
    assert cache.get(50, 10.0 + 3600.0) == b"50"


# --- the schedule ---------------------------------------------------------------------------------


def test_steps_are_called_in_order_and_never_before_their_time() -> None:
    calls: list[tuple[str, int, int]] = []

    async def run() -> None:
        pacer, began_ns = Pacer(asyncio.get_running_loop()), time.monotonic_ns()
        done = asyncio.Event()

        def stepping(name: str, due_ns: int, period_ns: int, times: int):  # type: ignore[no-untyped-def]
            def step(now_ns: int) -> int | None:
                nonlocal due_ns, times
                calls.append((name, due_ns, now_ns))
                times, due_ns = times - 1, due_ns + period_ns
                if not times:
                    done.set()
                return due_ns if times else None

            return step

        for name, first_ms, period_ms in (("late", 40, 3), ("early", 5, 20)):
            due_ns = began_ns + first_ms * 1_000_000
            pacer.call_at(due_ns, stepping(name, due_ns, period_ms * 1_000_000, 5))
        await done.wait()
        done.clear()
        await done.wait()

    with asyncio.Runner(loop_factory=precise_loop) as runner:
        runner.run(run())
    assert len(calls) == 10
    assert all(now_ns >= due_ns for _, due_ns, now_ns in calls)
    assert [now_ns for *_, now_ns in calls] == sorted(now_ns for *_, now_ns in calls)
    for name in ("late", "early"):
        dues = [due_ns for each, due_ns, _ in calls if each == name]
        assert dues == sorted(dues)


# --- options --------------------------------------------------------------------------------------


def read(*arguments: str) -> SpeechOptions:
    def exit_with(message: str):  # type: ignore[no-untyped-def]
        raise ValueError(message)

    return command.read(arguments, exit_with)


def test_defaults_are_those_of_the_real_ones() -> None:
    lite, kokoro = read("--api=litetts"), read("--api=kokoro")
    tone = read("--api=litetts", "--engine=tone", "--chunk=40ms")
    assert (lite.head_of_line, lite.scrape_stall_s, lite.pace_s, lite.slots) == (True, 1.0, 0.0, 2)
    assert (kokoro.head_of_line, kokoro.scrape_stall_s, kokoro.chunk_s) == (False, 0.0, 0.2)
    assert (tone.head_of_line, tone.scrape_stall_s, tone.chunk_s, tone.pace_s) == (False, 0.0, 0.04, 0.04)
    assert (tone.slots, tone.api, tone.engine) == (0, Api.LITETTS, EngineName.TONE)


@pytest.mark.parametrize(
    ("stream", "as_it_is_sent"),
    [("raw", (True, False)), ("sse", (True, True)), ("whole", (False, False)), (None, (False, True))],
)
def test_how_answers_are_sent_may_be_told_to_the_service(
    stream: str | None, as_it_is_sent: tuple[bool, bool]
) -> None:
    options = read("--api=kokoro", *([f"--stream={stream}"] if stream else []))
    asked = Wanted("Hi.", "af_heart", Format.WAV, 1.0, streamed=False, media_type="audio/wav", events=True)
    sent = sent_as(options.stream, asked)
    assert (sent.streamed, sent.events) == as_it_is_sent


def test_options_are_read() -> None:
    options = read("--api=vllm", "--no-head-of-line", "--when-full=refuse", "--pace=0", "--token=x")
    assert (options.when_full, options.token, options.head_of_line) == (WhenFull.REFUSE, "x", False)
    assert read("--api=litetts", "--no-head-of-line", "--scrape-stall=0").scrape_stall_s == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--service-time=1s"], "--service-time is no option of --api kokoro"),
        (["--time-scale=0.02"], "--time-scale is no option of --api kokoro"),
        (["--chunk=0"], "0 is not within 1ms .. 60s"),
        (["--engine=espeak"], "--engine"),
        (["--slots=-1"], "--slots"),
        (["--pace=soon"], "is not a duration"),
        (["--fault=cube=5%"], "no fault 'cube'"),
    ],
)
def test_options_that_make_no_sense_are_told(arguments: list[str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read("--api=kokoro", *arguments)


@pytest.mark.processes
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--api=siri"], "--api"),
        (["--api=kokoro", "--spread=0.1"], "--spread is no option of --api kokoro"),
        (["--chunk=20ms"], "--chunk"),
    ],
)
def test_genload_serve_tells_what_does_not_belong_together(arguments: list[str], words: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-P", "-m", "genload", "serve", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert ended.returncode == 2
    assert words in ended.stderr and "Traceback" not in ended.stderr


@pytest.mark.processes
def test_the_commands_way_to_a_running_speech_testbed() -> None:
    from genload.commands.demo.testbed import running

    with running(["--api", "kokoro", "--engine", "tone", "--pace", "0s"]) as url:
        assert url.startswith("http://127.0.0.1:")
