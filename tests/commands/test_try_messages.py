"""What `genload try` shows of a WebSocket: what passed over it, in short."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from genload.client import Answer, Headers, Seen, Times
from genload.client.frames import Closed, Ping
from genload.client.watching import Passed
from genload.commands.try_.shown import messages_in_short
from genload.commands.try_.view import TrialView
from genload.settings.secrets import reveal

PASSED = (
    Passed(10.002, True, '{"type": "session.config"}'),
    Passed(10.002, True, '{"type": "input.done"}'),
    Passed(10.1, False, '{"type": "audio.start"}'),
    *(Passed(10.2 + n / 10, False, bytes(1024)) for n in range(3)),
    Passed(10.45, False, Ping(b"x")),
    Passed(10.5, False, bytes(512)),
    Passed(10.6, False, '{"audio_b64": "' + "QUJD" * 400 + '"}'),
    Passed(10.7, False, Closed(1011, "engine\x1b[31m is gone")),
)


def test_texts_are_shown_and_bytes_between_them_counted() -> None:
    assert list(messages_in_short(PASSED, 10.0)) == [
        '> 2 ms: {"type": "session.config"}',
        '> 2 ms: {"type": "input.done"}',
        '< 100 ms: {"type": "audio.start"}',
        "< 200 ms … 400 ms: 3 messages of bytes, 3 KiB",
        "< 450 ms: a ping",
        "< 500 ms: a message of bytes, 512 B",
        '< 600 ms: {"audio_b64": "QUJDQUJDQUJDQUJDQUJDQUJD…"}',
        "< 700 ms: closed with 1011: engine is gone",
    ]


def test_texts_that_pass_again_and_again_are_counted() -> None:
    """Such as questions to a server, and their answers."""
    asked = [Passed(10.0 + n / 10, n % 2 == 0, "no such room" if n % 2 else "may I?") for n in range(8)]
    passed = [*asked[:5], Passed(10.45, False, "news"), *asked[5:7], Passed(10.7, True, "no such room")]
    assert list(messages_in_short(passed, 10.0)) == [
        "> 0 s: may I?",
        "< 100 ms: no such room",
        "  200 ms … 400 ms: 3 messages as before",
        "< 450 ms: news",
        "  500 ms … 600 ms: 2 messages as before",
        "> 700 ms: no such room",
    ]


def test_secrets_are_hidden_in_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALK_TOKEN", "s3cret-of-the-talk")
    reveal("${env:TALK_TOKEN}")
    (line,) = messages_in_short([Passed(10.5, False, "you said s3cret-of-the-talk")], 10.0)
    assert line == "< 500 ms: you said ${env:TALK_TOKEN}"


def test_they_stand_below_the_handshake() -> None:
    out = io.StringIO()
    view = TrialView(Console(file=out, width=100))
    times = Times(start_s=9.9, connected_s=10.0, sent_s=10.002, first_byte_s=10.1, end_s=10.7)
    answer = Answer(
        101, "Switching Protocols", Headers([(b"upgrade", b"websocket")]), b"", (), times, 1, 1, False
    )
    view.exchange(Seen("GET /talk HTTP/1.1", [], b"", answer, None, PASSED))
    lines = [" ".join(line.split()) for line in out.getvalue().splitlines()]
    assert lines.index("< upgrade: websocket") + 1 == lines.index('> 2 ms: {"type": "session.config"}')
