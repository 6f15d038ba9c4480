"""Every wrong description of a speech service is one line with file, line, key and remedy."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genload import extensions
from genload.errors import ConfigError
from genload.settings.loader import load_suite

GOOD = """\
service:
  api: speech
  request:
    dialect:
      name: Mine
      path: /say
      json: {text: "{text}", who: "{voice}", as: "{format}", rate: "{speed}"}
      formats: [wav, pcm]
      ways:
        raw: {json: {live: true}, formats: [pcm]}
      ready: {path: /up}
    stream: false
    extra: {style: {mood: calm}}
locustfile: speech
scenarios:
  crowd:
    shape: {kind: burst, users: 3}
    criteria: {no_errors: speech.failed == 0}
"""
BODY = 'json: {text: "{text}", who: "{voice}", as: "{format}", rate: "{speed}"}'
RAW = "raw: {json: {live: true}, formats: [pcm]}"
READY = "ready: {path: /up}"
EXTRA = "extra: {style: {mood: calm}}"

# What is written instead of what, the line's text, the key, what the message and the remedy say.
WRONG = {
    "a dialect that there is not": (
        (GOOD[GOOD.index("\n      name") : GOOD.index("    extra")], " kokro\n"),
        "dialect:", "dialect", "no dialect 'kokro'", "did you mean 'kokoro'",
    ),
    "one that it extends": (
        ("name: Mine", "extends: mine"), "dialect:", "dialect", "no dialect 'mine'", "config/dialects/mine",
    ),
    "no call": (
        ("path: /say", "extend: kokoro"), "dialect:", "dialect", "says no call", "extends: kokoro",
    ),
    "a name that no utterance has": (
        ("{voice}", "{speaker}"), "json:", "dialect.json.who", "an utterance has no '{speaker}'", "voice",
    ),
    "a name of a job's": (
        ("{voice}", "{image}"), "json:", "dialect.json.who", "has no '{image}'", "voice",
    ),
    "a sentence outside of a WebSocket": (
        ("{text}", "{sentence}"), "json:", "dialect.json.text", "has no '{sentence}'", "text",
    ),
    "nothing of the text": (
        ("{text}", "hello"), "path: /say", "dialect.path", "nothing of the call is the text", "put {text}",
    ),
    "nothing of the format": (
        ('"{format}"', "x"), "formats: [wav, pcm]", "dialect.formats", "nothing of the call says which",
        "put {format}",
    ),
    "a format that there is not": (
        ("formats: [wav, pcm]", "formats: [wav, mp4]"), "formats: [wav, mp4]", "dialect.formats", "'aac'",
        "choose",
    ),
    "a way with two bodies": (
        (RAW, "raw: {form: {live: true}}"), "raw: {form", "dialect.ways.raw", "json and form are each a body",
        "leave one",
    ),
    "a way that there is not": (
        (RAW, "row: {json: {live: true}}"), "row:", "dialect.ways.row", "unknown key 'row'",
        "did you mean 'raw'",
    ),
    "a call of its own without the text": (
        (RAW, "raw: {path: /live, query: {who: '{voice}', as: '{format}'}}"),
        "raw: {path", "dialect.ways.raw.path", "nothing of the call is the text", "put {text}",
    ),
    "a path that cannot be read": (
        (READY, f"base64: audio..data\n      {READY}"), "base64:", "dialect.base64", "no JSON path",
        "JMESPath",
    ),
    "an utterance's name outside of one": (
        ("{path: /up}", "{path: '/{voice}'}"), "ready:", "dialect.ready.path", "outside of one",
        "take it out",
    ),
    "a rate in JSON that is none": (
        (READY, f"rate: sample_rate\n      {READY}"), "rate: sample", "dialect.rate", "has no JSON",
        "header:",
    ),
    "a cache told in two ways": (
        (READY, f"cache: {{header: x-cache, without: etag}}\n      {READY}"), "cache:", "dialect.cache",
        "exclude each other", "leave one",
    ),
    "a number that there is already": (
        (READY, f"numbers: {{ttfa: x}}\n      {READY}"), "numbers:", "dialect.numbers.ttfa", "already",
        "rename",
    ),
    "a label that there is already": (
        (READY, f"labels: {{voice: x}}\n      {READY}"), "labels:", "dialect.labels.voice", "already",
        "rename",
    ),
    "a WebSocket that brings no text": (
        (RAW, "websocket: {path: /live, say: {go: true}}"), "websocket:", "dialect.ways.websocket.say",
        "no message brings the text", "{sentence}",
    ),
    "events without audio": (
        (RAW, "sse: {json: {live: true}, events: {done: last}}"), "sse:", "dialect.ways.sse.events.audio",
        "'audio' is missing", "add it",
    ),
    "a stream that it cannot give": (
        ("stream: false", "stream: sse"), "stream: sse", "stream", "Mine streams no events",
        "dialect.ways.sse",
    ),
    "a stream in another format": (
        ("stream: false", "format: wav\n    stream: true"), "format: wav\n", "format",
        "Mine streams no 'wav'",
        "use one of: pcm",
    ),
    "nested keys in a form": (
        (f"{RAW}\n      {READY}", "whole: {path: /f, form: {text: '{text}', as: '{format}'}}"),
        EXTRA, "extra", "nothing nested", "another body",
    ),
    "a secret in clear": (
        (READY, f"headers: {{Authorization: abc}}\n      {READY}"), "headers:", "dialect.headers",
        "secret in clear", "env",
    ),
    "a key that there is not": (
        ("      name: Mine", "      nmae: Mine"), "nmae:", "dialect.nmae", "unknown key",
        "did you mean 'name'",
    ),
}  # fmt: skip

Load = Callable[..., Any]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Load the suite above from a project of one's own, a text of it replaced by another."""
    monkeypatch.chdir(tmp_path)

    def loaded(old: str = "", new: str = "") -> Any:
        assert not old or GOOD.count(old) == 1, old
        path = tmp_path / "mine.yaml"
        path.write_text(GOOD.replace(old, new) if old else GOOD, encoding="utf-8")
        return load_suite(str(path), folders=[], wings=extensions.Wings()).suite.service.request

    return loaded


def test_the_suite_itself_is_right(load: Load) -> None:
    assert load().dialect.name == "Mine"


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_description_says_where_what_and_what_to_do(load: Load, name: str) -> None:
    replaced, at, key, message, remedy = WRONG[name]
    with pytest.raises(ConfigError) as raised:
        load(*replaced)

    error = raised.value
    text = Path("mine.yaml").read_text(encoding="utf-8")
    assert len(getattr(error, "errors", [error])) == 1, error.render()
    assert error.file.endswith("mine.yaml") and error.line == text[: text.index(at)].count("\n") + 1
    assert error.key == f"service.request.{key}"
    assert message in error.message and remedy in error.remedy, error.render()


def dialect_file(name: str, text: str) -> None:
    folder = Path("config/dialects")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.yaml").write_text(text, encoding="utf-8")


def test_a_dialect_of_one_s_own_is_found_by_its_name_and_may_extend_another(load: Load) -> None:
    whole = GOOD[GOOD.index("\n      name") : GOOD.index("    extra")]
    dialect_file("kokoro", "extends: kokoro\nname: My Kokoro\njson: {lang_code: a}\n")
    request = load(whole, " kokoro\n")

    assert (request.dialect.name, request.dialect.path) == ("My Kokoro", "/v1/audio/speech")
    assert request.dialect.json_body["lang_code"] == "a" and request.dialect.json_body["input"] == "{text}"
    inline = load(whole, "\n      extends: kokoro\n      voice: bf_emma\n").voices
    assert inline == ("bf_emma",)


@pytest.mark.parametrize(
    ("text", "line", "key", "message"),
    [
        ("name: Mine\npath: /say\nvoic: x\n", 3, "voic", "unknown key 'voic'"),
        ("name: Mine\njson: {text: '{text}'}\n", 1, "path", "'path' is missing"),
        ("path: /say\njson: {text: '{txt}'}\n", 2, "json.text", "has no '{txt}'"),
        ("- a\n", None, "", "is no mapping"),
    ],
)
def test_a_mistake_in_the_file_of_a_dialect_is_told_there(
    load: Load, text: str, line: int | None, key: str, message: str
) -> None:
    dialect_file("mine", text)
    with pytest.raises(ConfigError) as raised:
        load(GOOD[GOOD.index("\n      name") : GOOD.index("    extra")], " mine\n")

    errors = getattr(raised.value, "errors", [raised.value])
    error = next(one for one in errors if re.search(re.escape(message), one.message))
    assert error.file.endswith("config/dialects/mine.yaml")
    assert (error.key, error.line if line else None) == (key, line)
    assert error.remedy


def test_dialects_that_extend_each_other_in_a_circle_are_refused(load: Load) -> None:
    dialect_file("a", "extends: b\n")
    dialect_file("b", "extends: a\n")
    with pytest.raises(ConfigError, match="no dialect 'a'"):
        load(GOOD[GOOD.index("\n      name") : GOOD.index("    extra")], " a\n")
