"""What is made of a speech request before its moment, and what has to wait for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from genload.client import HttpClient
from genload.service import ServiceError, Utterance

from .scripted_speech import HELLO, WHOLE, Make

ANSWERS: dict[str, list[Any]] = {"/say": [WHOLE, WHOLE]}
DIALECT = {
    "path": "/say",
    "headers": {"X-Voice": "{voice}", "X-Of": "{uuid}"},
    "json": {"text": "{text}", "seed": "{seed}", "id": "{uuid}", "voice": "{voice}"},
}
BODIES = {
    "json": {},
    "form": {"json": None, "form": {"text": "{text}", "id": "{uuid}"}},
    "raw": {"json": None, "raw": "{voice}: {text}"},
}


@pytest.mark.parametrize("body", BODIES)
def test_a_request_that_was_prepared_is_the_one_that_was_not(speaking: Make, body: str) -> None:
    dialect = {key: value for key, value in (DIALECT | BODIES[body]).items() if value is not None}
    client, service = speaking(ANSWERS, {"dialect": dialect})
    client.request_id = "request-1"
    client.speak(HELLO)
    client.prepare(HELLO, "request-1")
    client.speak(HELLO)
    plain, prepared = service.received
    assert "request-1" in plain.headers.values()
    assert prepared == plain


def test_another_request_than_the_prepared_one_says_what_it_says(speaking: Make) -> None:
    client, service = speaking(ANSWERS, {"dialect": DIALECT})
    client.prepare(HELLO, "request-1")
    client.speak(Utterance(8, "Something else.", "af_heart"))
    assert b"Something else." in service.received[0].body


def test_it_is_made_before_its_moment_and_once(speaking: Make, monkeypatch: Any) -> None:
    client, service = speaking(ANSWERS, {"dialect": DIALECT})
    made: list[str] = []
    call = type(client._plan._for("af_heart").call)
    filled = call.filled
    monkeypatch.setattr(call, "filled", lambda *of: made.append("made") or filled(*of))
    request = HttpClient.request
    monkeypatch.setattr(
        HttpClient, "request", lambda *of, **more: made.append("asked") or request(*of, **more)
    )
    client.prepare(HELLO, "request-1")
    client.speak(HELLO)
    assert made == ["made", "asked"] and len(service.received) == 1


def test_a_secret_is_the_one_of_the_moment(speaking: Make, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("swordfish")
    dialect = {**DIALECT, "headers": {"X-Token": f"${{file:{token}}}"}}
    client, service = speaking(ANSWERS, {"dialect": dialect})
    client.prepare(HELLO, "request-1")
    token.write_text("marlin-77")
    client.speak(HELLO)
    assert service.received[0].headers["x-token"] == "marlin-77"


def test_what_cannot_be_asked_for_fails_in_its_turn_and_not_before(speaking: Make) -> None:
    client, service = speaking(ANSWERS, {"dialect": DIALECT})
    broken = Utterance(9, "Hello.", "two\nlines")
    client.prepare(broken, "request-1")
    with pytest.raises(ServiceError) as caught:
        client.speak(broken)
    assert caught.value.error_class == "bad_answer" and not service.received
    client.prepare(HELLO, "request-2")
    client.speak(HELLO)
    assert service.received[0].headers["x-of"] == "request-2"
