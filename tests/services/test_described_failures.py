"""Described services against exact answers: which failure is which."""

from __future__ import annotations

from typing import Any

import pytest

from .scripted_description import (
    FILE,
    OCTETS,
    ONE_CALL,
    POLL,
    POLLED,
    failed,
    zipped,
)

# --- answers that are failures


@pytest.mark.parametrize(
    ("errors", "answer", "error_class", "words"),
    [
        ({}, (500, {"detail": "CUDA error"}), "http_500", "CUDA error"),
        ({}, (422, {"error": {"message": "no image"}}), "http_422", "no image"),
        ({"status": {404: "job_failed"}}, (404, {"message": "it broke"}), "job_failed", "it broke"),
        ({"status": {499: "cancelled"}}, (499, b""), "cancelled", "Whatever"),
        ({"words": "why[0]"}, (500, {"why": ["first"]}), "http_500", "first"),
        ({"failed_if": "error"}, {"error": "nsfw"}, "service_failed", "nsfw"),
        ({"failed_if": "status == 'bad'"}, {"status": "bad", "msg": "m"}, "service_failed", "m"),
        ({"status": {200: "job_failed"}}, (200, {"error": "always"}), "job_failed", "always"),
    ],
)
def test_failures_are_told_by_status_and_by_what_is_in_the_answer(
    run: Any, errors: dict[str, Any], answer: Any, error_class: str, words: str
) -> None:
    found, told = failed(run({**ONE_CALL, "errors": errors}, {"/generate": [answer]})[0])

    assert found == error_class and words in told


def test_a_status_that_means_busy_is_tried_again(run: Any) -> None:
    script = {"/generate": [(500, {"error": "busy"}), (200, FILE, OCTETS)]}
    result, output, received = run({**ONE_CALL, "errors": {"status": {500: "busy"}}}, script)

    assert (result.outcome, output.content, len(received)) == ("ok", FILE, 2)
    assert (result.numbers["rejections"], result.numbers["attempts"]) == (1, 2)


# --- bad input: an error class each, bounded memory, never a success, never a crash

MANY = 1 << 20
BAD = {
    "a path to nothing": (
        {"result": {"base64": "data.mesh"}}, [{"id": 1, "output": {"url": "/x"}}],
        "missing_value", "service.request.result.base64: the path 'data.mesh' finds nothing",
    ),
    "html with 200": ({"result": {"base64": "x"}}, [(200, b"<h1>Welcome</h1>")], "bad_answer", "Welcome"),
    "html in the place of the file": (
        {}, [(200, b"<h1>Welcome</h1>")], "bad_answer",
        "not JSON but text/html",
    ),
    "base64 that is none": (
        {"result": {"base64": "x"}}, [{"x": "%%%"}], "bad_base64", "'x' finds is no base64",
    ),
    "a number where base64 should be": ({"result": {"base64": "x"}}, [{"x": 7}], "bad_answer", "is no text"),
    "a damaged zip": ({"result": {"zip": "*"}}, [(200, b"PK\x03\x04...", OCTETS)], "bad_zip", "damaged"),
    "a zip without the member": (
        {"result": {"zip": "*.glb"}}, [(200, zipped(readme=b"x"), OCTETS)], "bad_zip", "there are readme",
    ),
    "a zip bomb": (
        {"result": {"zip": "*"}}, [(200, zipped(bomb=bytes(64 * MANY)), OCTETS)], "too_large", "more than",
    ),
    "a redirect to another origin": (
        {}, [(302, b"", {"Location": "http://elsewhere.example/"})], "http_302", "allow_origins",
    ),
    "a url that cannot be followed": (
        {"result": {"url": "u"}}, [{"u": "http://[broken"}], "bad_answer", "no address",
    ),
    "a url with line breaks": (
        {"result": {"url": "u"}}, [{"u": "/a\r\nX: y"}], "bad_answer",
        "cannot be followed",
    ),
    "json that is cut off": (
        {"result": {"base64": "x"}}, [(200, b'{"x": "', OCTETS)], "bad_answer",
        "not JSON",
    ),
    "json nested too deeply": (
        {"result": {"base64": "x"}}, [(200, b"[" * 100_000, OCTETS)], "bad_answer", "not JSON",
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.processes) if "zip" in name else name for name in BAD]
)
def test_bad_answers_to_one_call_have_a_class_each(run: Any, name: str) -> None:
    more, answers, error_class, words = BAD[name]
    settings = {"max_answer_bytes": "1MiB", "headers": {"X-Own": "1"}}
    found, told = failed(run({**ONE_CALL, **more}, {"/generate": answers}, **settings)[0])

    assert found == error_class
    assert any(part in told for part in words.split("|"))


def test_a_path_to_nothing_shows_the_keys_that_are_there(run: Any) -> None:
    answer = {"job": {"uuid": "x", "state": "new"}, "ok": True}
    _, told = failed(run(POLLED, {"/jobs": [answer]})[0])

    assert told == (
        "service.request.capture.id: the path 'id' finds nothing in the answer: "
        "it has job.uuid, job.state, ok"
    )


@pytest.mark.parametrize(
    "found",
    [pytest.param("x" * MANY, marks=pytest.mark.processes), "", {"a": 1}, ["a"]],
    ids=["1 MB", "empty", "object", "list"],
)
def test_an_id_that_is_none_goes_into_no_request(run: Any, found: Any) -> None:
    result, _, received = run(POLLED, {"/jobs": [{"id": found}]})

    assert failed(result)[0] in ("bad_answer", "too_large") and len(received) == 1
    assert len(result.job_id) < 300 and len(result.error) <= 500


def test_what_cannot_stand_in_a_header_goes_into_none(run: Any) -> None:
    poll = {**POLL, "headers": {"X-Id": "{id}"}}
    result, _, received = run({**POLLED, "poll": poll}, {"/jobs": [{"id": "a\nX-Other: y"}]})

    assert failed(result)[0] == "bad_answer" and len(received) == 1
