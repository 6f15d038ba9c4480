"""Secrets by reference: resolved at use, never shown."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from genload.errors import ConfigError
from genload.settings.secrets import broken_reference, has_reference, hide, hide_queries, reveal
from genload.settings.service import Service


def test_reveals_variables_and_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GENLOAD_TOKEN", "abc")
    file = tmp_path / "token"
    file.write_text("xyz\n")
    assert reveal(f"Bearer ${{env:GENLOAD_TOKEN}}.${{file:{file}}}") == "Bearer abc.xyz"
    assert reveal("no reference, $5 {x}") == "no reference, $5 {x}"


def test_a_file_is_read_again_when_it_changed(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("one")
    text = f"${{file:{file}}}"
    assert reveal(text) == "one"
    file.write_text("two")
    os.utime(file, ns=(1, 1))
    assert reveal(text) == "two"


def test_what_was_resolved_is_put_back_as_its_reference(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GENLOAD_SHORT", "on")
    monkeypatch.setenv("GENLOAD_INNER", "hidden-word")
    file = tmp_path / "token"
    file.write_text("a-hidden-word-and-more")
    assert hide("a-hidden-word-and-more") == "a-hidden-word-and-more"
    for text in ("${env:GENLOAD_SHORT}", "${env:GENLOAD_INNER}", f"${{file:{file}}}"):
        reveal(text)
    said = "you sent hidden-word, a-hidden-word-and-more"
    assert hide(said) == f"you sent ${{env:GENLOAD_INNER}}, ${{file:{file}}}"
    # Two characters are in half of all words.
    assert hide("one moment on") == "one moment on"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "GET /b/a.stl?X-Amz-Date=20261128&X-Amz-Signature=1f%2Fa==",
            "GET /b/a.stl?X-Amz-Date=…&X-Amz-Signature=…",
        ),
        ('{"url": "https://cdn/a?sig=abc", "n": 3}', '{"url": "https://cdn/a?sig=…", "n": 3}'),
        (r'{"url": "https://cdn/a?a=b\u0026sig=abc"}', '{"url": "https://cdn/a?a=…"}'),
        ("/a?sig=abc#page", "/a?sig=…#page"),
        ("/a?list&x=&y", "/a?list&x=&y"),
        ("x = 3 & why? y=3", "x = 3 & why? y=3"),
    ],
)
def test_what_the_query_of_a_url_says_is_left_out(text: str, shown: str) -> None:
    assert hide_queries(text) == shown


def test_what_is_missing_is_named_without_any_value(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("GENLOAD_ABSENT", raising=False)
    with pytest.raises(ConfigError, match="GENLOAD_ABSENT is not set"):
        reveal("${env:GENLOAD_ABSENT}")
    with pytest.raises(ConfigError, match=r"absent cannot be read: No such file"):
        reveal(f"${{file:{tmp_path}/absent}}")


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "is empty"), (b"hunter2\xff", "not UTF-8"), (b"hunter2\r\nX-Evil: 1", "control character")],
)
def test_an_unusable_file_is_refused_without_its_content(
    tmp_path: Path, content: bytes, message: str
) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=message) as caught:
        reveal(f"${{file:{file}}}")
    assert "hunter2" not in caught.value.render() + repr(caught.value.__cause__)


@pytest.mark.parametrize("text", ["${env:A}", "a ${file:/b/c} d", "${env:A}${env:B}"])
def test_references_are_recognised(text: str) -> None:
    assert has_reference(text) and broken_reference(text) is None


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        ("${A}", "${A}"),
        ("${env:}", "${env:}"),
        ("x ${env:A", "${env:A"),
        ("${env:A} ${vault:b}", "${vault:b}"),
    ],
)
def test_what_is_no_reference_is_shown(text: str, broken: str) -> None:
    assert broken_reference(text) == broken


SECRET_HEADERS = [
    "Authorization",
    "authorization",
    "X-API-Key",
    "api_key",
    "apikey",
    "Cookie",
    "X-Auth-Token",
]


@pytest.mark.parametrize("header", SECRET_HEADERS)
def test_a_secret_header_in_clear_is_refused_and_not_repeated(header: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Service(api="x", headers={header: "hunter2"})
    (error,) = caught.value.errors(include_input=False)
    assert "in clear" in error["msg"] and "${env:NAME}" in error["ctx"]["remedy"]
    assert "hunter2" not in str(error)


@pytest.mark.parametrize(
    "headers",
    [{"Authorization": "Bearer ${env:T}"}, {"X-Max-Tokens": "5"}, {"Idempotency-Key": "a"}, {"Cookie": ""}],
)
def test_other_headers_stay_as_they_are(headers: dict[str, str]) -> None:
    service = Service(api="x", headers=headers)
    assert service.headers == headers
    assert service.model_dump(mode="json")["headers"] == headers


@pytest.mark.parametrize("host", ["http://me:hunter2@gpu1", "https://hunter2@gpu1:5000/x"])
def test_a_secret_in_the_url_is_refused_and_not_repeated(host: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Service(api="x", host=host)
    assert "hunter2" not in str(caught.value.errors(include_input=False))
