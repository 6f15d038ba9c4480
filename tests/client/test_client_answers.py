"""What an answer shows of itself."""

from __future__ import annotations

import pytest

from genload.client import Answer, Headers, Times


def answer(body: bytes) -> Answer:
    return Answer(
        status=200,
        reason="OK",
        headers=Headers([]),
        body=body,
        arrivals=(),
        times=Times(),
        bytes_sent=0,
        bytes_received=0,
        reused=False,
    )


def test_headers_are_found_in_any_case() -> None:
    headers = Headers([(b"Content-Type", b"text/html"), (b"X-A", b"1"), (b"x-a", b"2"), (b"B", b"\xff")])
    assert headers["content-TYPE"] == "text/html"
    assert headers["X-A"] == "1, 2"
    assert headers["b"] == "ÿ"
    assert headers.get("missing") is None
    assert "CONTENT-type" in headers
    assert (list(headers), len(headers)) == (["content-type", "x-a", "b"], 3)
    assert headers.pairs[2] == ("x-a", "2")


def test_json() -> None:
    assert answer(b'{"a": 1}').json() == {"a": 1}
    assert answer(b"[Infinity]").json() == [float("inf")]
    assert answer('"ü"'.encode("utf-16")).json() == "ü"


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff\xfe\x00", b"[" * 100_000, b'{"a": 1} x'])
def test_what_is_no_json_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        answer(body).json()


def test_the_time_spent_connecting() -> None:
    times = Times()
    times.start_s, times.connected_s, times.end_s = 10.0, 10.5, 12.0
    assert times.connect_s == 0.5
    times.connected_s = 0.0  # it never got there
    assert times.connect_s == 2.0
