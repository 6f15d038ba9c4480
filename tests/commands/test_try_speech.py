"""`genload try` with a speech service: when the parts of an answer came, and what was heard in it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genload.cli import main

pytestmark = pytest.mark.processes

Try = Callable[..., tuple[int, str]]
WHOLE = {"api": "litetts", "engine": "tone", "pace": "1ms"}
"""A service that does not stream."""
FAULT = "service.headers.X-Testbed-Fault"


@pytest.fixture
def genload_try(tmp_path: Path) -> Try:
    """Run it to its end: (exit code, what it printed, on one line)."""

    def genload_try(*words: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "genload", "try", *words],
            cwd=tmp_path,
            env={**os.environ, "COLUMNS": "100", "TRY_TOKEN": "t0ken-nobody-sees"},
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=200,
            check=False,
        )
        return done.returncode, " ".join(done.stdout.split())

    return genload_try


def in_order(output: str, *parts: str) -> None:
    at = 0
    for words in parts:
        at = output.find(words, at)
        assert at >= 0, f"{words!r} does not come after the one before it:\n{output}"


def test_a_stream_is_shown_whole(genload_try: Try, shared_testbed: Callable[..., Any]) -> None:
    server = shared_testbed(api="kokoro", engine="tone", pace="10ms")
    header = "service.headers.Authorization=Bearer ${env:TRY_TOKEN}"
    code, output = genload_try("kokoro/heavy", "--host", server.url, "--set", header, "--seed", "3")

    assert code == 0, output
    in_order(
        output,
        "GET /health",
        "ready",
        "input 26 characters, voice af_heart, pcm Heavy load test 0 ",
        "POST /v1/audio/speech",
        "> Content-Type: application/json",
        "200 OK in",
        "< content-type: audio/pcm",
        "output speech-0, audio/pcm",
        "parts, streamed",
        "succeeded in",
        "after the send: first byte",
        "first audio",
        "first sound",
        "last byte",
        "playback: stalls ",
        "a start-up buffer of",
        "heard: 1.56 s of audio, 24000 Hz, channels 1, 0 % silent, 0 % clipped, -",
        "real-time factor",
        "host.cpu",
        f"next: genload run kokoro/heavy --host {server.url}",
    )
    assert "> Authorization: (hidden)" in output and "t0ken" not in output


def test_a_whole_answer_has_no_playback_and_shows_its_families(
    genload_try: Try, shared_testbed: Callable[..., Any]
) -> None:
    code, output = genload_try("litetts", "--host", shared_testbed(**WHOLE).url)
    assert code == 0, output
    in_order(
        output,
        "GET /v1/voices",
        "input 50 characters, voice af_heart, wav",
        "not streamed, not from the service's cache",
        "succeeded in",
        "playback: not applicable: the answer was not streamed",
        "server.memory",
        "kokoro_memory_usage_bytes",
        "families expected, live:",
    )


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("service.request.voices=[nobody]", ("failed after", "validation", "Voice 'nobody' not found")),
        (f"{FAULT}=silence", ("not streamed", "failed after", "silent_audio")),
        (f"{FAULT}=json", ("200 OK", "failed after", "wrong_content", "application/json")),
    ],
    ids=["voice", "silence", "json"],
)
def test_what_fails_ends_with_1_and_the_reason(
    genload_try: Try, shared_testbed: Callable[..., Any], override: str, said: tuple[str, ...]
) -> None:
    code, output = genload_try("litetts", "--host", shared_testbed(**WHOLE).url, "--set", override)
    assert code == 1, output
    in_order(output, *said)
    assert "next:" not in output and "Traceback" not in output


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("service.request.format=opus", "service.request.format: LiteTTS takes no 'opus'"),
        ("service.request.texts.file=texts.jsonl", "texts.jsonl:1: not UTF-8 text (byte 14 of the line)"),
        ("service.request.texts.lengths=[shrot]", "did you mean 'short'"),
        ("scenarios.light.criteria.x=speech.failed{voice=nobody} == 0", "unknown voice 'nobody'"),
        ("scenarios.light.criteria.x=each(length): speech.failed == 0", "unknown label 'length'"),
    ],
)
def test_what_cannot_be_asked_ends_with_2_and_nothing_is_sent(
    in_empty_folder: Path, capsys: pytest.CaptureFixture[str], override: str, said: str
) -> None:
    (in_empty_folder / "texts.jsonl").write_bytes(b'{"text": "caf\xe9"}\n')
    assert main(["try", "litetts", "--set", override]) == 2
    told = capsys.readouterr()
    assert said in told.err and "→" in told.err
    assert told.out == ""


def test_a_service_of_another_kind_is_not_ready(genload_try: Try, shared_testbed: Callable[..., Any]) -> None:
    host = f"{shared_testbed().url}/gpu"
    code, output = genload_try("litetts", "--host", host)
    assert code == 4, output
    assert f"{host} is not ready: bad_answer: {host}/v1/voices answers 404: is this LiteTTS?" in output
