"""A described speech service against one with exact answers: what is sent, and what its answers mean."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any
from urllib.parse import parse_qsl

import pytest

from genload import extensions
from genload.described.speech.plan import Plan
from genload.service import Utterance

from .scripted_speech import HELLO, WAV, WHOLE, Make, chunked, failure, request_of

TEXT = {"text": "{text}"}


def asked(speaking: Make, dialect: dict[str, Any], path: str = "/say", **request: Any) -> Any:
    """What one utterance sends to a service that answers there with audio."""
    keys = {"dialect": dialect, **request}
    client, service = speaking({path: [WHOLE]}, keys, retry={"max_retries": 0})
    client.request_id = "request-1"
    client.speak(HELLO)
    (sent,) = service.received
    return sent


# --- what is sent


@pytest.mark.parametrize(
    ("keys", "request_keys", "body"),
    [
        ({"voice": "anna"}, {}, {"v": "af_heart", "f": "wav"}),
        ({"model": "m1"}, {"speed": 2}, {"m": "m1", "v": "af_heart", "f": "wav", "s": 2.0, "i": 0.5}),
        ({"model": "m1"}, {"model": "m2"}, {"m": "m2", "v": "af_heart", "f": "wav"}),
        ({"formats": {"wav": "riff", "pcm": "raw"}}, {"format": "pcm"}, {"v": "af_heart", "f": "raw"}),
        (
            {},
            {"extra": {"normalize": {"dates": True, "words": ["a", {"{b}": "{c}"}]}, "f": 3}},
            {"v": "af_heart", "f": 3, "normalize": {"dates": True, "words": ["a", {"{b}": "{c}"}]}},
        ),
    ],
)
def test_a_body_of_json_has_what_there_is(
    speaking: Make, keys: dict[str, Any], request_keys: dict[str, Any], body: dict[str, Any]
) -> None:
    names = {"m": "{model}", "v": "{voice}", "f": "{format}", "s": "{speed}", "i": "{speed.inverse}"}
    dialect = {"path": "/say", "json": {**TEXT, **names}, **keys}
    sent = asked(speaking, dialect, **request_keys)
    assert sent.method == "POST"
    assert json.loads(sent.body) == {"text": "Hello there.", **body}


def test_names_keep_their_types_and_lack_nothing_but_whole_values(speaking: Make) -> None:
    deep = {
        "raw": "{is_pcm}",
        "n": "{number}",
        "id": "{uuid}",
        "note": "m={model}",
        "list": [{"v": "{voice}"}],
    }
    dialect = {"path": "/say", "json": {**TEXT, "deep": deep, "seed": "{seed}"}}
    body = json.loads(asked(speaking, dialect).body)
    assert body["deep"] == {
        "raw": False,
        "n": 7,
        "id": "request-1",
        "note": "m=",
        "list": [{"v": "af_heart"}],
    }
    assert body["seed"] == json.loads(asked(speaking, dialect).body)["seed"] > 0, "it follows from the text"


def test_a_service_without_a_voice_is_asked_for_none() -> None:
    plan = Plan(request_of({"dialect": {"path": "/say", "json": {**TEXT, "who": "{voice}"}}}))

    def body(voice: str) -> Any:
        return json.loads(plan.call(plan.values(Utterance(1, "Hi.", voice), "")).body or b"")

    assert plan.request.voices == ("default",)
    assert body("default") == {"text": "Hi."}
    assert body("anna") == {"text": "Hi.", "who": "anna"}, "a file of texts names voices, too"


def test_a_query_has_it_too_and_takes_further_keys(speaking: Make) -> None:
    dialect = {"path": "/v/{voice}", "query": {**TEXT, "m": "{model}", "rate": 24_000}}
    path = "/v/af_heart?text=Hello+there.&rate=24000&lang=de+%26+fr"
    sent = asked(speaking, dialect, path, extra={"lang": "de & fr"})
    assert (sent.method, sent.path, sent.body) == ("GET", path, b"")


def test_a_form_and_the_raw_text(speaking: Make) -> None:
    form = asked(speaking, {"path": "/say", "form": {**TEXT, "m": "{model}"}}, extra={"spk": 3})
    assert dict(parse_qsl(form.body.decode())) == {"text": "Hello there.", "spk": "3"}
    headers = {"X-Voice": "{voice}", "X-Speed": "{speed}", "X-Model": "{model}"}
    raw = asked(speaking, {"path": "/say", "raw": "{text}", "headers": headers}, speed=2)
    assert (raw.body, raw.headers["x-voice"], raw.headers["x-speed"]) == (b"Hello there.", "af_heart", "2.0")
    assert "x-model" not in raw.headers
    assert raw.headers["content-type"].startswith("text/plain")


def test_a_way_is_laid_on_the_call_or_is_one_of_its_own(speaking: Make) -> None:
    dialect = {
        "path": "/say",
        "json": {**TEXT, "mode": {"live": False, "fast": True}},
        "ways": {
            "raw": {"json": {"mode": {"live": True}}},
            "whole": {"path": "/whole", "query": TEXT},
        },
    }
    body = json.loads(asked(speaking, dialect, stream=True).body)
    assert body == {"text": "Hello there.", "mode": {"live": True, "fast": True}}
    client, service = speaking({"/whole?text=Hello+there.": [WHOLE]}, {"dialect": dialect, "stream": False})
    assert client.speak(HELLO).content == WAV
    assert (service.received[0].method, service.received[0].body) == ("GET", b"")


# --- what the answers mean

INSIDE = {"path": "/say", "json": TEXT, "base64": "result.audio"}


@pytest.mark.parametrize(
    "audio", [b64encode(WAV).decode(), "data:audio/wav;base64," + b64encode(WAV).decode()]
)
def test_audio_inside_of_json_is_there_with_the_last_byte(speaking: Make, audio: str) -> None:
    rate = {"rate": {"path": "result.rate"}}
    client, _ = speaking({"/say": [{"result": {"audio": audio, "rate": 22_050}}]}, {"dialect": INSIDE | rate})
    speech = client.speak(HELLO)
    assert (speech.content, speech.streamed, speech.rate_hz) == (WAV, False, 22_050)
    ((when_s, count),) = speech.arrivals
    assert count == len(WAV) and speech.first_byte_s <= when_s <= speech.end_s


@pytest.mark.parametrize(
    ("answer", "error_class", "words"),
    [
        (
            {"result": {"url": "x"}},
            "missing_value",
            "service.request.dialect.base64: the path 'result.audio'",
        ),
        ({"result": {"audio": "%%%"}}, "bad_base64", "what 'result.audio' finds is no base64"),
        ({"result": {"audio": "data:,"}}, "empty_audio", "nothing at 'result.audio'"),
        (b"<h1>Busy</h1>", "bad_answer", "not JSON but text/html: Busy"),
        ({"ok": False, "why": ["no GPU"]}, "service_failed", "no GPU"),
        ((418, {"why": ["teapot"]}), "teapot", "teapot"),
        ((404, {"why": ["which?"]}), "validation", "which?"),
        ((529, {"why": ["later"]}), "rejected", "later"),
    ],
)
def test_what_is_no_audio_inside_of_json(speaking: Make, answer: Any, error_class: str, words: str) -> None:
    errors = {"words": "why[0]", "failed_if": "ok == `false`", "status": {418: "teapot", 529: "busy"}}
    client, _ = speaking({"/say": [answer]}, {"dialect": INSIDE | {"errors": errors}})
    error = failure(client)
    assert error.error_class == error_class and words in error.message
    assert error.rejected == (error_class == "rejected")


def test_a_cache_shows_by_a_header(speaking: Make) -> None:
    answers = [(200, WAV, {"Content-Type": "audio/wav", "X-Cache": told}) for told in ("MISS", "hit", None)]
    dialect = {"path": "/say", "json": TEXT, "cache": {"header": "x-cache"}}
    client, _ = speaking({"/say": answers}, {"dialect": dialect})
    assert [client.speak(HELLO).cached for _ in range(3)] == [False, True, False]


def test_an_answer_s_own_numbers_and_labels_are_kept_of_a_failure_too(speaking: Make) -> None:
    told = {"X-Queue-Ms": "40", "X-Served-By": "gpu-1"}
    dialect = {
        **INSIDE,
        "numbers": {"queue_s": {"header": "x-queue-ms", "unit": "ms"}, "steps": "result.steps"},
        "labels": {"replica": {"header": "x-served-by"}, "model": "result.model"},
    }
    audio = b64encode(WAV).decode()
    answers = [
        (200, {"result": {"audio": audio, "steps": 7, "model": "m1"}}, told),
        (500, {"error": "no GPU"}, told),
    ]
    client, _ = speaking({"/say": answers}, {"dialect": dialect})
    client.speak(HELLO)
    assert client.noted == {"queue_s": pytest.approx(0.04), "steps": 7}
    assert client.labelled == {"replica": "gpu-1", "model": "m1"}
    client.noted, client.labelled = {}, {}
    assert failure(client).error_class == "server" and client.labelled == {"replica": "gpu-1"}

    wings = extensions.Wings()
    names = {metric.name for metric in wings.request_metrics("speech", client.service.request)}
    assert {"speech.queue_s", "speech.steps"} <= names
    assert wings.labels(client.service)["replica"] == ()


EVENTS = {"audio": {"path": "data.pcm", "of": "kind == 'piece'"}, "done": "kind == 'bye'", "failed": "oops"}


def piece(audio: bytes) -> bytes:
    return (
        b"data: "
        + json.dumps({"kind": "piece", "data": {"pcm": b64encode(audio).decode()}}).encode()
        + b"\n\n"
    )


BYE = b'data: {"kind": "bye", "usage": {"total_tokens": 9}}\n\n'


def streaming(speaking: Make, *parts: bytes) -> Any:
    ways = {"sse": {"json": {"live": True}, "events": EVENTS}}
    dialect = {
        "path": "/say",
        "json": TEXT,
        "ways": ways,
        "formats": ["pcm"],
        "errors": {"words": "oops.text"},
    }
    answer = chunked(*parts, kind="text/event-stream")
    return speaking({"/say": [answer]}, {"dialect": dialect, "stream": "sse"})[0]


def test_events_mean_what_is_described(speaking: Make) -> None:
    speech = streaming(speaking, piece(b"ab"), b'data: {"kind": "news"}\n\n', piece(b"cd"), BYE).speak(HELLO)
    assert (speech.content, speech.streamed, dict(speech.numbers)) == (b"abcd", True, {"total_tokens": 9.0})


@pytest.mark.parametrize(
    ("parts", "error_class", "words"),
    [
        ([piece(b"ab"), b'data: {"oops": {"text": "slot lost"}}\n\n'], "error_event", "slot lost"),
        ([piece(b"ab")], "truncated", "without the last one, kind == 'bye'"),
        ([b'data: {"kind": "piece"}\n\n', BYE], "bad_event", "in the place of audio"),
        ([BYE], "empty_audio", "without a single byte"),
        ([piece(b"ab"), BYE, piece(b"cd")], "bad_event", "behind the event that said it was done"),
    ],
)
def test_described_events_that_are_no_speech(
    speaking: Make, parts: list[bytes], error_class: str, words: str
) -> None:
    error = failure(streaming(speaking, *parts))
    assert error.error_class == error_class and words in error.message


def test_a_websocket_is_told_what_is_described() -> None:
    messages = {
        "path": "/live?voice={voice}",
        "headers": {"X-Model": "{model}"},
        "open": {"voice": "{voice}", "speed": "{speed}"},
        "say": {"text": "{text}", "flush": True},
        "end": {},
    }
    dialect = {"path": "/say", "json": TEXT, "model": "m1", "ways": {"websocket": messages}}
    plan = Plan(request_of({"dialect": dialect, "stream": "websocket", "extra": {"k": [1]}}))
    values = plan.values(Utterance(1, "One. Two!", "anna bell"), "")
    call = plan.call(values)
    assert (call.path, call.headers) == ("/live?voice=anna%20bell", {"X-Model": "m1"})
    assert [json.loads(said) for said in plan.messages(values)] == [
        {"voice": "anna bell", "k": [1]},
        {"text": "One. Two!", "flush": True},
    ]


# --- readiness


@pytest.mark.parametrize(
    ("ready", "answer", "said"),
    [
        ({"path": "/up"}, {"status": "ok"}, ""),
        ({"path": "/up", "method": "POST", "json": {"ping": 1}}, {"status": "ok"}, ""),
        ({"path": "/up", "expect": 204}, (204, b""), ""),
        ({"path": "/up", "expect": 204}, {"status": "warming up"}, "not_ready: status 200"),
        ({"path": "/up"}, (503, {"error": "loading"}), "not_ready: loading"),
        ({"path": "/up"}, (404, {"error": "?"}), "bad_answer: {host}/up answers 404: is this Mine?"),
    ],
)
def test_readiness_is_asked_as_described(
    speaking: Make, ready: dict[str, Any], answer: Any, said: str
) -> None:
    dialect = {"name": "Mine", "path": "/say", "json": TEXT, "ready": ready}
    client, service = speaking({"/up": [answer]}, {"dialect": dialect})
    if not said:
        client.ready()
        assert service.received[0].method == ready.get("method", "GET")
        return
    with pytest.raises(Exception, match=said.format(host=client.service.host).replace("?", r"\?")):
        client.ready()
