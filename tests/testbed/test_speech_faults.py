"""What goes wrong with speech on purpose, as a client that knows nothing of genload's meets it."""

from __future__ import annotations

import http.client
import io
import socket
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import soundfile

from testbed.fault_options import After
from testbed.faults import UnknownFaultError
from testbed.speech.faults import NAMES, SpeechDraws, SpeechFault, SpeechFaults, asked, parse_speech_faults

pytestmark = pytest.mark.processes

ROOT = Path(__file__).resolve().parents[2]
AT_ONCE = ("--engine=tone", "--pace=0")


# --- names, values, draws -------------------------------------------------------------------------


def test_every_fault_stands_in_both_lists_for_users() -> None:
    documents = [
        (ROOT / "docs" / "testbed.md").read_text(encoding="utf-8").partition("### Faults of speech")[2],
        (ROOT / "genload" / "commands" / "serve.py").read_text(encoding="utf-8").partition("of speech:")[2],
    ]
    assert [name for name in NAMES for text in documents if name not in text] == []
    assert set(SpeechFault) <= set(NAMES)


def test_options_are_read() -> None:
    given = ["silence=5%", "empty_audio=0.5", "crash=20", "memory-growth=1MiB", "memory-step=64MiB@3"]
    assert parse_speech_faults([*given, "slow-start=2min", "silence=1%"]) == SpeechFaults(
        rates=((SpeechFault.SILENCE, 0.01), (SpeechFault.EMPTY_AUDIO, 0.5)),
        slow_start_s=120.0,
        crash_requests=20,
        memory_growth_bytes=2**20,
        memory_step=After(64 * 2**20, 3),
    )


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["cube=5%"], "no fault 'cube'; there are reject, "),
        (["silence"], "'silence' is not NAME=VALUE"),
        (["silence=5"], "'5' is not a rate such as 5%"),
        (["silence=60%", "nan=50%"], "silence, nan add up to 110%"),
        (["crash=0"], "not a number"),
        (["memory-step=1MiB"], "after how many requests, as in 64MiB@20"),
    ],
)
def test_options_that_make_no_sense_are_told(given: list[str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_speech_faults(given)


def test_a_header_asks_by_name() -> None:
    assert asked(None) is None and asked("") is None
    assert asked("empty_audio") is asked("empty-audio") is SpeechFault.EMPTY_AUDIO
    assert asked("crash") is SpeechFault.CRASH
    with pytest.raises(UnknownFaultError, match="X-Testbed-Fault: no fault 'flood'"):
        asked("flood")


def test_a_request_may_ask_to_be_spared() -> None:
    draws = SpeechDraws(parse_speech_faults(["nan=100%"]), 1)
    assert asked("none") is None and draws.befalls("none") is None
    assert draws.befalls(None) is SpeechFault.NAN
    assert draws.befalls("hang") is SpeechFault.HANG


def test_rates_strike_that_often_and_repeat_with_their_seed() -> None:
    def drawn(seed: int, *given: str) -> list[SpeechFault | None]:
        draws = SpeechDraws(parse_speech_faults(given), seed)
        return [draws.draw() for _ in range(2000)]

    counts = Counter(drawn(1, "nan=20%", "hang=10%"))
    assert 320 < counts[SpeechFault.NAN] < 480  # 400 ± 4.5 standard errors
    assert 140 < counts[SpeechFault.HANG] < 260
    assert drawn(1, "nan=20%", "hang=10%") == drawn(1, "nan=20%", "hang=10%")
    assert drawn(1, "nan=20%") != drawn(2, "nan=20%")
    more = drawn(1, "nan=20%", "hang=10%")
    assert [fault is SpeechFault.NAN for fault in more] == [
        fault is SpeechFault.NAN for fault in drawn(1, "nan=20%")
    ]


# --- answers --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def kokoro(talk) -> Any:
    """Streams."""
    return talk("kokoro", *AT_ONCE)


@pytest.fixture(scope="module")
def litetts(talk) -> Any:
    """Answers whole."""
    return talk("litetts", *AT_ONCE)


def samples_of(content: bytes) -> tuple[np.ndarray, int]:
    samples, rate_hz = soundfile.read(io.BytesIO(content), dtype="float64")
    return samples, rate_hz


@pytest.mark.parametrize("api", ["litetts", "kokoro", "openai", "vllm"])
@pytest.mark.parametrize(
    ("fault", "status", "retry_after"),
    [("reject", 503, "5"), ("reject-bare", 503, None), ("limit", 429, "5"), ("limit-bare", 429, None)],
)
def test_refusals_in_every_api(talk, api: str, fault: str, status: int, retry_after: str | None) -> None:
    answer, row = talk(api, *AT_ONCE).tell(fault=fault)
    assert (answer.status, answer.headers["Retry-After"]) == (status, retry_after)
    assert answer.headers["Content-Type"] == "application/json" and answer.json()
    assert (row["outcome"], row["fault"], row["status"]) == ("refused", fault, status)


def test_answers_that_are_no_audio(kokoro) -> None:
    error, row = kokoro.tell(fault="error")
    html, json_ = kokoro.speak(fault="html"), kokoro.speak(fault="json")
    empty, empty_row = kokoro.tell(fault="empty_audio")

    assert (error.status, row["outcome"]) == (500, "failed")
    assert (html.status, html.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert (json_.status, json_.json()) == (200, {"status": "ok"})
    assert (empty.status, empty.headers["Content-Type"], empty.body) == (200, "audio/wav", b"")
    assert empty_row["first_byte_s"] is None and empty_row["first_audio_s"] is None


@pytest.mark.parametrize("form", ["wav", "mp3", "flac"])
def test_garbage_does_not_decode(litetts, form: str) -> None:
    answer, row = litetts.tell(fault="garbage", response_format=form)
    assert (answer.status, answer.headers["Content-Type"]) == (200, f"audio/{form}")
    assert len(answer.body) > 1000
    if form != "mp3":  # whose decoder finds a frame in almost anything
        with pytest.raises(soundfile.LibsndfileError):
            samples_of(answer.body)
    assert row["first_audio_s"] is None


@pytest.mark.parametrize("service", ["kokoro", "litetts"])
def test_audio_that_is_none_to_hear(service: str, request: pytest.FixtureRequest) -> None:
    talker = request.getfixturevalue(service)

    def heard(fault: str = "", **fields: Any) -> np.ndarray:
        content = talker.speak(fault=fault, input="As long as ever.", **fields).body
        return np.frombuffer(content[44:], np.int16)

    plain = heard()
    assert len(heard("silence")) == len(heard("clipped")) == len(plain) == 23_040
    assert not heard("silence").any()
    assert set(heard("clipped")) == {-32768, 32767}
    assert np.array_equal(heard("wrong-rate"), plain[::2])
    assert talker.speak(fault="wrong-rate").body[24:28] == (12_000).to_bytes(4, "little")
    said = [talker.speak(fault="duplicate", input=text).body for text in ("One.", "Another.")]
    assert said[0] == said[1]


@pytest.mark.parametrize("form", ["wav", "mp3"])
def test_audio_that_is_no_number(kokoro, form: str) -> None:
    answer = kokoro.speak(fault="nan", response_format=form)
    samples, rate_hz = samples_of(answer.body)
    assert (answer.headers["Content-Type"], rate_hz) == ("audio/wav", 24_000)
    assert 0.1 < np.isnan(samples).mean() < 0.2


def test_a_cache_keeps_no_fault(litetts) -> None:
    plain = litetts.speak(input="Kept only when right.", fault="silence")
    again, row = litetts.tell(input="Kept only when right.")
    assert plain.body != again.body
    assert row["cache"] == "miss"


def begun(client: socket.socket) -> http.client.HTTPResponse:
    answer = http.client.HTTPResponse(client)
    answer.begin()
    return answer


def test_a_truncated_stream_ends_after_its_first_chunk(kokoro) -> None:
    count = len(kokoro.truths())
    with kokoro.connect("truncated") as client, begun(client) as answer:
        assert answer.headers["Transfer-Encoding"] == "chunked"
        with pytest.raises(http.client.IncompleteRead):
            answer.read()
    assert kokoro.wait_for_truths(count + 1)[-1]["chunk_bytes"] == [44, 960]


def test_a_truncated_answer_promises_more_than_it_holds(litetts) -> None:
    with (
        litetts.connect("truncated") as client,
        begun(client) as answer,
        pytest.raises(http.client.IncompleteRead) as caught,
    ):
        answer.read()
    assert len(caught.value.partial) == int(answer.headers["Content-Length"]) // 2


@pytest.mark.parametrize("service", ["kokoro", "litetts"])
def test_a_stalled_answer_begins_and_says_no_more(service: str, request: pytest.FixtureRequest) -> None:
    talker = request.getfixturevalue(service)
    count = len(talker.truths())
    with talker.connect("stall") as client, begun(client) as answer:
        assert answer.read(500)[:4] == b"RIFF"
        client.settimeout(0.3)
        with pytest.raises(TimeoutError):
            answer.read()
    row = talker.wait_for_truths(count + 1)[-1]
    assert (row["outcome"], row["fault"]) == ("broken", "stall")


@pytest.mark.parametrize("service", ["kokoro", "litetts"])
def test_a_slow_answer_goes_on_byte_by_byte(service: str, request: pytest.FixtureRequest) -> None:
    with (
        request.getfixturevalue(service).connect("slow-loris", input="ab") as client,
        begun(client) as answer,
    ):
        half = 44 + 960 if service == "kokoro" else (44 + 5760) // 2
        answer.read(half)
        assert answer.read(2) == b"\0\0"


@pytest.mark.parametrize("service", ["kokoro", "litetts"])
def test_an_endless_answer_begins_as_it_should_and_goes_on(
    service: str, request: pytest.FixtureRequest
) -> None:
    with request.getfixturevalue(service).connect("endless", input="ab") as client, begun(client) as answer:
        heard = answer.read(3_000_000)
    assert heard[:4] == b"RIFF" and np.frombuffer(heard[44:5804], np.int16).any()
    assert len(heard) == 3_000_000 and not any(heard[5804:])


def test_no_answer_and_a_reset(kokoro) -> None:
    with kokoro.connect("hang") as client:
        client.settimeout(0.3)
        with pytest.raises(TimeoutError):
            client.recv(1)
    with kokoro.connect("reset") as client, pytest.raises(ConnectionResetError):
        client.recv(1)


def test_any_page_may_be_spoilt(kokoro) -> None:
    asking = {fault: {"X-Testbed-Fault": fault} for fault in ("error", "html", "reject", "flood")}
    statuses = [kokoro.get("/health", headers).status for headers in asking.values()]
    assert statuses == [500, 200, 503, 400]
    assert kokoro.speak(fault="flood").status == 400


# --- the service as a whole -----------------------------------------------------------------------


def test_rates_of_requests(talk) -> None:
    service = talk("kokoro", *AT_ONCE, "--fault=silence=50%", "--fault=error=20%", "--seed=3", fresh=True)
    rows = [service.tell(input=f"Request {n}")[1] for n in range(60)]
    counts = Counter(row["fault"] for row in rows)
    assert set(counts) == {"", "silence", "error"}
    assert all((row["status"] == 500) == (row["fault"] == "error") for row in rows)
    assert service.end() == 0


def test_memory_grows_by_request_and_the_end_comes_when_it_should(talk) -> None:
    service = talk("kokoro", *AT_ONCE, "--fault=memory-growth=4MiB", "--fault=crash=11", fresh=True)
    process = psutil.Process(service.process.pid)
    service.speak()
    before_bytes = process.memory_info().rss
    for _ in range(9):
        service.tell()
    assert process.memory_info().rss - before_bytes > 30 * 2**20
    service.call("POST", "/v1/audio/speech", {"input": "The eleventh."})
    assert service.process.wait(30) == 1


def test_not_ready_until_its_time_has_come(talk) -> None:
    never = talk("openai", *AT_ONCE, "--fault=slow-start=1h", fresh=True, wait_ready=False)
    assert never.get("/ready").status == 503
    refused = never.speak()
    assert (refused.status, refused.headers["Retry-After"]) == (503, "5")
    assert never.end() == 0
    soon = talk("openai", *AT_ONCE, "--fault=slow-start=200ms", fresh=True)
    assert soon.speak(voice="alloy").status == 200
    assert soon.end() == 0
