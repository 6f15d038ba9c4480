"""The four dialects, as their documents and running copies have them."""

from __future__ import annotations

import base64
import http.client
import io
import json
import re
from typing import Any

import numpy as np
import pytest
import soundfile

pytestmark = pytest.mark.processes

AT_ONCE = ("--engine=tone", "--pace=0")
LITETTS_SERIES = {
    "kokoro_uptime_seconds",
    "kokoro_requests_total",
    "kokoro_avg_rtf",
    "kokoro_avg_latency_ms",
    "kokoro_cache_hit_rate",
    "kokoro_memory_usage_bytes",
    "kokoro_system_memory_usage_percent",
    "kokoro_cpu_usage_percent",
    "kokoro_available_voices",
}


def heard(content: bytes) -> tuple[np.ndarray, int]:
    samples, rate_hz = soundfile.read(io.BytesIO(content), dtype="int16")
    return samples, rate_hz


def series(page: bytes) -> dict[str, float]:
    lines = [line for line in page.decode().splitlines() if line and not line.startswith("#")]
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


# --- LiteTTS, with its real engine ----------------------------------------------------------------


@pytest.fixture(scope="module")
def litetts(talk) -> Any:
    return talk("litetts", "--scrape-stall=0")


def test_litetts_speaks_and_says_how_long_the_answer_is(litetts) -> None:
    answer = litetts.speak(input="A first sentence of some length.", response_format="wav")
    samples, rate_hz = heard(answer.body)

    assert answer.headers["Content-Type"] == "audio/wav"
    assert int(answer.headers["Content-Length"]) == len(answer.body)
    assert rate_hz == 24_000
    assert 1.0 < len(samples) / rate_hz < 5.0
    assert 0.005 < np.sqrt(np.mean((samples / 32768) ** 2)) < 0.5


def test_voices_differ_and_the_same_words_do_not(litetts, talk) -> None:
    text = "The same text, spoken by everybody."
    voices = ("af_heart", "am_puck", "am_adam", "af_bella")
    spoken = [litetts.speak(input=text, voice=voice).body for voice in voices]
    again = talk("litetts", "--scrape-stall=0", fresh=True)

    assert len(set(spoken)) == len(voices)
    assert again.speak(input=text, voice="am_puck").body == spoken[1]
    again.end()


@pytest.mark.parametrize(
    ("form", "kind", "subtype"),
    [("mp3", "MP3", "MPEG_LAYER_III"), ("flac", "FLAC", "PCM_16"), ("ogg", "OGG", "VORBIS")],
)
def test_litetts_encodes(litetts, form: str, kind: str, subtype: str) -> None:
    answer = litetts.speak(input="Something to encode.", response_format=form)
    plain = litetts.speak(input="Something to encode.", response_format="wav")

    with soundfile.SoundFile(io.BytesIO(answer.body)) as file:
        assert (file.format, file.subtype, file.samplerate) == (kind, subtype, 24_000)
        encoded_s = file.frames / file.samplerate
    assert answer.headers["Content-Type"] == f"audio/{form}"
    assert abs(encoded_s - len(heard(plain.body)[0]) / 24_000) < 0.15


def test_litetts_answers_a_text_again_from_its_cache_in_chunks(litetts) -> None:
    first, first_row = litetts.tell(input="Said twice.")
    second, second_row = litetts.tell(input="Said twice.")
    other, other_row = litetts.tell(input="Said twice.", speed=1.1)

    assert second.headers["Transfer-Encoding"] == "chunked" and second.headers["Content-Length"] is None
    assert second.body == first.body
    assert other.headers["Content-Length"] is not None and len(other.body) < len(first.body)
    rows = (first_row, second_row, other_row)
    assert [row["cache"] for row in rows] == ["miss", "hit", "miss"]
    assert [row["audio_s"] > 0 for row in rows] == [True, False, True]


def test_litetts_streams_what_it_has_made_whole(litetts) -> None:
    whole = litetts.speak(input="Nothing of this is sent before all of it is there.")
    stream, row = litetts.tell("/v1/audio/stream", input="Nothing of this is sent before all of it is there.")

    assert stream.headers["Transfer-Encoding"] == "chunked"
    assert stream.body == whole.body
    assert row["cache"] == ""


@pytest.mark.parametrize(
    ("fields", "status", "shape"),
    [
        ({"input": ""}, 422, "list"),
        ({"input": None}, 422, "list"),
        ({"input": "x" * 5001}, 422, "list"),
        ({"speed": 0.05}, 422, "list"),
        ({"speed": 3.5}, 422, "list"),
        ({"speed": "fast"}, 422, "list"),
        ({"voice": "nobody"}, 400, "error"),
        ({"voice": None}, 400, "error"),
        ({"response_format": "pcm"}, 400, "error"),
        ({"response_format": "opus"}, 400, "error"),
        ({"response_format": "aac"}, 500, "text"),
        ({"input": "\N{SNOWMAN}"}, 500, "text"),
    ],
)
def test_litetts_refuses_in_its_three_shapes(litetts, fields, status: int, shape: str) -> None:
    answer = litetts.speak(**fields)
    detail = answer.json()["detail"]

    assert answer.status == status
    if shape == "list":
        assert detail[0]["loc"][:1] == ["body"] and {"type", "msg"} <= set(detail[0])
    elif shape == "error":
        assert set(detail) == {"error", "type"}
    else:
        assert detail.startswith("Generation failed: ")


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"[1]", b""])
def test_a_body_that_is_no_request_is_told(litetts, body: bytes) -> None:
    answer = litetts.call("POST", "/v1/audio/speech", body)
    assert (answer.status, type(answer.json()["detail"])) == (422, list)


def test_litetts_speaks_aac_to_the_end_before_it_fails(litetts) -> None:
    before = series(litetts.get("/metrics").body)["kokoro_requests_total"]
    answer, row = litetts.tell(input="All of this is spoken for nothing.", response_format="aac")
    assert (answer.status, row["outcome"]) == (500, "failed")
    assert series(litetts.get("/metrics").body)["kokoro_requests_total"] == before


def test_litetts_lists(litetts) -> None:
    voices = litetts.get("/v1/voices").json()
    assert {"af_heart", "am_puck"} <= set(voices)
    listed = litetts.get("/v1/audio/voices").json()
    assert [voice["id"] for voice in listed["data"]] == voices and listed["object"] == "list"
    models = litetts.get("/v1/models").json()
    assert models["object"] == "list" and models["data"][0]["object"] == "model"
    assert litetts.get("/health").status == 500
    assert litetts.get("/v1/nowhere").status == 404
    assert litetts.get("/v1/audio/speech").status == 405


def test_litetts_counts_what_succeeded(litetts) -> None:
    before = series(litetts.get("/metrics").body)
    litetts.speak(input="Counted.")
    litetts.speak(input="Counted.")
    litetts.speak(voice="nobody")
    after = series(litetts.get("/metrics").body)

    assert set(after) == LITETTS_SERIES
    assert after["kokoro_requests_total"] == before["kokoro_requests_total"] + 2
    assert after["kokoro_available_voices"] == len(litetts.get("/v1/voices").json())
    assert after["kokoro_memory_usage_bytes"] > 50e6
    assert 0 < after["kokoro_cache_hit_rate"] < 100
    assert 0 < after["kokoro_avg_rtf"] < 5


# --- Kokoro-FastAPI -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def kokoro(talk) -> Any:
    return talk("kokoro", *AT_ONCE)


def test_kokoro_streams_unless_told_not_to(kokoro) -> None:
    stream = kokoro.speak(response_format="pcm")
    whole = kokoro.speak(response_format="pcm", stream=False)

    assert stream.headers["Transfer-Encoding"] == "chunked"
    assert int(whole.headers["Content-Length"]) == len(whole.body)
    assert stream.body == whole.body
    assert stream.headers["Content-Type"] == "audio/pcm"
    assert len(stream.body) == 2 * round(24_000 * 0.06 * len("Hello there."))


def test_a_streamed_wav_does_not_know_its_length(kokoro) -> None:
    stream = kokoro.speak(response_format="wav").body
    pcm = kokoro.speak(response_format="pcm").body

    assert stream[:4] + stream[8:16] == b"RIFFWAVEfmt "
    assert stream[4:8] == stream[40:44] == b"\xff\xff\xff\xff"
    assert stream[44:] == pcm


@pytest.mark.parametrize(
    ("form", "media_type"), [("mp3", "audio/mpeg"), ("opus", "audio/opus"), ("flac", "audio/flac")]
)
def test_streams_of_packed_formats_hold_all_of_the_audio(kokoro, form: str, media_type: str) -> None:
    pcm = np.frombuffer(kokoro.speak(response_format="pcm", input="x" * 30).body, np.int16)
    stream = kokoro.speak(response_format=form, input="x" * 30)
    content = bytearray(stream.body)
    if form == "flac":
        assert content[21] & 15 == 0 and content[22:26] == bytes(4)  # the number of samples is unknown …
        content[22:26] = len(pcm).to_bytes(4, "big")  # … which libsndfile cannot read
    with soundfile.SoundFile(io.BytesIO(content)) as file:
        samples = np.concatenate(list(file.blocks(4800, dtype="int16")))

    assert stream.headers["Content-Type"] == media_type
    assert stream.headers["Transfer-Encoding"] == "chunked"
    assert abs(len(samples) - len(pcm)) < 0.1 * 24_000
    assert np.abs(samples[12_000:24_000]).max() == pytest.approx(np.abs(pcm).max(), rel=0.1)


@pytest.mark.parametrize(
    ("fields", "status", "error"),
    [
        ({"voice": "nobody"}, 400, "validation_error"),
        ({"model": "gpt"}, 400, "invalid_model"),
        ({"response_format": "aac"}, 500, "processing_error"),
        ({"response_format": "aiff"}, 422, None),
        ({"speed": 5}, 422, None),
        ({"input": None}, 422, None),
    ],
)
def test_kokoro_refuses(kokoro, fields, status: int, error: str | None) -> None:
    answer = kokoro.speak(**fields)
    detail = answer.json()["detail"]
    assert answer.status == status
    assert (detail["error"] if error else type(detail)) == (error or list)


def test_kokoro_has_a_health_page_and_no_metrics(kokoro) -> None:
    assert kokoro.get("/health").json() == {"status": "healthy"}
    assert "af_heart" in kokoro.get("/v1/audio/voices").json()["voices"]
    assert kokoro.get("/metrics").status == 404


# --- OpenAI ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def openai(talk) -> Any:
    return talk("openai", "--token=secret", *AT_ONCE)


def bearing(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def asked_of(openai, token: str = "secret", **fields: Any) -> Any:  # noqa: S107
    wanted = {"model": "tts-1", "input": "Hello there.", "voice": "alloy"} | fields
    body = {name: value for name, value in wanted.items() if value is not None}
    return openai.call("POST", "/v1/audio/speech", body, bearing(token))


def test_openai_wants_its_key(openai) -> None:
    wrong, none = asked_of(openai, "guess"), openai.speak()
    assert wrong.status == none.status == openai.get("/v1/models").status == 401
    assert set(wrong.json()["error"]) == {"message", "type", "param", "code"}
    assert wrong.json()["error"]["code"] == "invalid_api_key"
    assert openai.get("/v1/models", bearing("secret")).status == 200


def test_openai_streams(openai) -> None:
    answer = asked_of(openai, response_format="pcm")
    assert answer.headers["Transfer-Encoding"] == "chunked"
    assert answer.headers["Content-Type"] == "audio/pcm"
    assert len(answer.body) == 2 * round(24_000 * 0.06 * 12)


def events_of(content: bytes) -> list[dict[str, Any]]:
    """Read by lines, each event's name held against its data's."""
    events = []
    for event in content.decode().removesuffix("\n\n").split("\n\n"):
        name, data = event.split("\n")
        events.append(json.loads(data.removeprefix("data: ")))
        assert name == f"event: {events[-1]['type']}"
    return events


def test_openai_streams_events(openai) -> None:
    raw = asked_of(openai, response_format="wav")
    answer = asked_of(openai, response_format="wav", stream_format="sse")
    *pieces, done = events_of(answer.body)
    assert answer.headers["Content-Type"] == "text/event-stream"
    assert b"".join(base64.b64decode(piece["audio"]) for piece in pieces) == raw.body
    assert {piece["type"] for piece in pieces} == {"speech.audio.delta"}
    used = {"input_tokens": 12, "output_tokens": len(pieces), "total_tokens": 12 + len(pieces)}
    assert done == {"type": "speech.audio.done", "usage": used}
    assert asked_of(openai, stream_format="both").status == 400


def test_events_may_tell_of_a_failure_in_the_middle(openai) -> None:
    headers = bearing("secret") | {"X-Testbed-Fault": "error-event"}
    wanted = {"model": "tts-1", "input": "Hello there.", "voice": "alloy", "response_format": "pcm"}
    body = wanted | {"stream_format": "sse"}
    piece, error = events_of(openai.call("POST", "/v1/audio/speech", body, headers).body)
    assert (piece["type"], error["type"]) == ("speech.audio.delta", "speech.audio.error")
    assert error["error"]["message"].startswith("Generation failed")
    with pytest.raises(http.client.IncompleteRead):  # a stream without events can only be cut off
        openai.call("POST", "/v1/audio/speech", body | {"stream_format": "audio"}, headers)


@pytest.mark.parametrize(
    ("fields", "status", "code", "param"),
    [
        ({"voice": None}, 400, "missing_required_parameter", "voice"),
        ({"voice": "nobody"}, 400, "invalid_value", "voice"),
        ({"input": "x" * 4097}, 400, "string_above_max_length", "input"),
        ({"input": ""}, 400, "empty_string", "input"),
        ({"input": 7}, 400, "invalid_type", "input"),
        ({"model": "tts-9"}, 404, "model_not_found", None),
        ({"response_format": "ogg"}, 400, "invalid_value", "response_format"),
        ({"speed": 9}, 400, "invalid_value", "speed"),
        ({"response_format": "aac"}, 500, None, None),
    ],
)
def test_openai_refuses(openai, fields, status: int, code: str | None, param: str | None) -> None:
    answer = asked_of(openai, **fields)
    assert answer.status == status
    assert (answer.json()["error"]["code"], answer.json()["error"]["param"]) == (code, param)


def test_openai_limits_its_rate(talk) -> None:
    limited = talk("openai", "--rate-limit=2", *AT_ONCE, fresh=True)
    statuses = [limited.speak(voice="alloy").status for _ in range(3)]
    refused = limited.speak(voice="alloy")

    assert statuses == [200, 200, 429]
    assert refused.headers["Retry-After"] == "5"
    error = refused.json()["error"]
    assert (error["type"], error["code"]) == ("requests", "rate_limit_exceeded")
    assert limited.end() == 0


# --- vLLM -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def vllm(talk) -> Any:
    return talk("vllm", *AT_ONCE)


def test_vllm_streams_events_or_raw_samples_when_asked(vllm) -> None:
    stream = vllm.speak(response_format="pcm", stream=True, stream_format="audio")
    events = events_of(vllm.speak(response_format="pcm", stream=True).body)
    whole = vllm.speak(response_format="wav")

    assert stream.headers["Transfer-Encoding"] == "chunked"
    assert stream.headers["Content-Type"] == "audio/pcm"
    assert int(whole.headers["Content-Length"]) == len(stream.body) + 44
    assert whole.body[44:] == stream.body
    assert b"".join(base64.b64decode(event.get("audio", "")) for event in events) == stream.body
    assert {event["response_format"] for event in events[:-1]} == {"pcm"}


@pytest.mark.parametrize(
    "fields",
    [
        {"voice": "nobody"},
        {"input": " "},
        {"input": None},
        {"response_format": "mp3", "stream": True},
        {"response_format": "ogg"},
        {"speed": 9},
    ],
)
def test_vllm_calls_every_mistake_a_bad_request(vllm, fields) -> None:
    answer = vllm.speak(**fields)
    error = answer.json()["error"]
    assert answer.status == 400
    assert (error["type"], error["code"]) == ("BadRequestError", 400)


def test_vllm_counts(vllm) -> None:
    before = series(vllm.get("/metrics").body)
    vllm.speak()
    after = series(vllm.get("/metrics").body)
    name = 'vllm:request_success_total{model_name="tts"}'
    assert after[name] == before[name] + 1
    assert vllm.get("/health").status == 200
    assert all(re.match(r"vllm:\w+\{", sample) for sample in after)
