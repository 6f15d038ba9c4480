"""A request in the service's log or trace leads to its record, and back."""

from __future__ import annotations

import re

import pytest

from genload.service import correlation_headers

TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-01")  # W3C Trace Context, level 1


def test_the_trace_is_the_request_id_without_dashes() -> None:
    headers = correlation_headers("9f86d081-884c-4d65-9a2f-eaa0c55ad015")
    assert headers == {
        "X-Request-ID": "9f86d081-884c-4d65-9a2f-eaa0c55ad015",
        "traceparent": "00-9f86d081884c4d659a2feaa0c55ad015-9f86d081884c4d65-01",
    }


@pytest.mark.parametrize(
    "request_id",
    ["", "r1", "x" * 32, "0" * 32, "0" * 31 + "1", "Ü" * 32, "F81EAFE5-2DAA-4DF1-8DFB-276077459F5A"],
)
def test_any_id_gives_a_valid_trace_and_always_the_same(request_id: str) -> None:
    headers = correlation_headers(request_id)
    match = TRACEPARENT.fullmatch(headers["traceparent"])
    assert match and all(int(part, 16) > 0 for part in match.groups())
    assert headers == correlation_headers(request_id)
    assert headers["X-Request-ID"] == request_id
