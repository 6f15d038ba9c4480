"""What a ServiceError keeps of a service's words."""

from __future__ import annotations

import pytest

from genload.errors import ConfigError, UsageError
from genload.service import ServiceError
from genload.settings.secrets import reveal


def test_it_is_one_harmless_line_of_bounded_length() -> None:
    error = ServiceError("job\x1b[31m_failed", "\x1b]0;owned\x07one\r\ntwo \u202ethree" + "x" * 10_000)
    assert error.error_class == "job_failed"
    assert error.message.startswith("one two threexxx") and error.message.endswith("x…")
    assert len(error.message) == 500
    assert str(error) == f"job_failed: {error.message}"


def test_a_secret_that_is_sent_back_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENLOAD_ECHOED", "echoed-secret")
    reveal("${env:GENLOAD_ECHOED}")
    error = ServiceError("http_401", "unknown token echoed-secret")
    assert error.message == "unknown token ${env:GENLOAD_ECHOED}"


def test_an_address_in_memory_tells_no_equal_failures_apart() -> None:
    words = [f"cannot read <io.BytesIO object at 0x7f1eca6d{n}>, code 0x1F" for n in ("c3b0", "d540")]
    assert {ServiceError("bad_audio", each).message for each in words} == {
        "cannot read <io.BytesIO object>, code 0x1F"
    }


def test_an_error_for_the_user_obeys_no_service() -> None:
    lines = UsageError("first\n  \x1b[2Jsecond\x07", remedy="third\x9b1m").render().splitlines()
    assert lines == ["first", "  second", "  → third"]
    error = ConfigError("what", remedy="do", file="a\x1b[2J.yaml", line=3, key="k")
    assert error.render() == "a.yaml:3 k: what\n  → do"
