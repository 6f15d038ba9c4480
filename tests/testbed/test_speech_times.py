"""When speech is sent, and what the truth log says of it: against what a socket receives byte by byte."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import psutil
import pytest

pytestmark = pytest.mark.processes

TONE = ("--engine=tone",)


def chunks_of(client: socket.socket) -> list[bytes]:
    """The chunks of one answer, as they are framed; the head is left out."""
    answer = client.makefile("rb")
    while answer.readline() not in (b"\r\n", b""):
        pass
    found = []
    while size := int(answer.readline(), 16):
        found.append(answer.read(size))
        assert answer.read(2) == b"\r\n"
    assert answer.readline() == b"\r\n"
    return found


def test_the_truth_is_what_a_socket_receives(talk) -> None:
    service = talk("kokoro", *TONE, "--first-chunk=30ms", fresh=True)
    before_ns = time.monotonic_ns()
    with service.connect(input="Half a second.", response_format="wav") as client:
        chunks = chunks_of(client)
    after_ns = time.monotonic_ns()
    (row,) = service.wait_for_truths(1)
    stamps_ns = [row["received_ns"] + offset_ns for offset_ns in row["chunk_ns"]]

    assert row["chunk_bytes"] == [len(chunk) for chunk in chunks]
    assert row["chunk_bytes"] == [44] + [960] * 42
    assert row["body_bytes"] == sum(row["chunk_bytes"])
    assert row["audio_s"] == pytest.approx(0.84)
    assert stamps_ns == sorted(stamps_ns)
    assert before_ns < row["received_ns"] < stamps_ns[0] and stamps_ns[-1] < after_ns
    assert row["first_byte_s"] == stamps_ns[0] / 1e9
    assert row["first_audio_s"] == stamps_ns[1] / 1e9
    assert row["end_s"] == stamps_ns[-1] / 1e9
    assert (row["outcome"], row["status"], row["streamed"]) == ("completed", 200, True)
    assert service.end() == 0


def test_no_write_is_before_its_time(talk) -> None:
    service = talk("openai", *TONE, "--first-chunk=50ms", "--chunk=10ms", fresh=True)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: service.speak(input=f"Speak {n}", response_format="pcm"), range(8)))
    rows = service.wait_for_truths(8)
    phases_s = sorted(row["first_due_s"] - row["received_s"] - 0.05 for row in rows)

    for row in rows:
        stamps_s = row["received_s"] + np.array(row["chunk_ns"]) / 1e9
        due_s = row["first_due_s"] + 0.01 * np.arange(len(stamps_s))
        assert len(stamps_s) == 42
        assert (stamps_s - due_s).min() > -1e-6
        assert row["late_max_s"] == pytest.approx((stamps_s - due_s).max(), abs=1e-6)
    # Spread over the pace, so that streams that begin together do not write together.
    assert phases_s[0] >= -1e-6 and phases_s[-1] < 0.01
    assert np.diff(phases_s).min() > 0.0005
    assert service.end() == 0


def test_a_stream_costs_cpu_for_as_long_as_it_lasts(talk) -> None:
    service = talk("kokoro", *TONE, "--chunk=100ms", "--work=20ms", fresh=True)
    process = psutil.Process(service.process.pid)
    before_s = sum(process.cpu_times()[:2])
    service.speak(input="Half a second.", response_format="pcm")
    assert sum(process.cpu_times()[:2]) - before_s >= 8 * 0.02  # of nine writes; told to 10 ms
    assert service.end() == 0


def test_the_first_audio_is_there_while_the_rest_is_not(talk) -> None:
    service = talk("kokoro", *TONE, "--audio=1h", fresh=True)
    with service.connect(response_format="wav") as client:
        heard = b""
        while len(heard) < 5000:
            heard += client.recv(4096)
        assert not service.truths()
    (row,) = service.wait_for_truths(1)
    assert row["outcome"] == "client_gone"
    assert 5 <= len(row["chunk_bytes"]) < 1000
    assert service.end() == 0


def test_the_deaf_go_on_for_who_is_gone(talk) -> None:
    service = talk("vllm", *TONE, "--audio=300ms", fresh=True)
    for fault in ("", "deaf"):
        with service.connect(fault, response_format="pcm", stream=True, stream_format="audio") as client:
            client.recv(1)
    rows = service.wait_for_truths(2)
    gone, deaf = sorted(rows, key=lambda row: row["fault"])
    assert (gone["outcome"], deaf["outcome"]) == ("client_gone", "completed")
    assert deaf["audio_s"] == 0.3 > gone["audio_s"]
    assert service.end() == 0


def test_real_speech_is_streamed_sentence_by_sentence(talk) -> None:
    service = talk("kokoro", "--engine=hibari")
    text = "This is one of eight sentences, all of them much alike. " * 8
    answer, row = service.tell(input=text, response_format="pcm", stream=True)

    assert len(answer.body) / 2 / 24_000 > 15
    # Chunks of 200 ms, and a shorter one where a sentence ended before the next was made.
    assert max(row["chunk_bytes"]) == 9600
    assert sum(size < 9600 for size in row["chunk_bytes"][:-1]) >= 2


def test_a_tone_is_as_long_as_its_text_and_its_own(talk) -> None:
    service = talk("kokoro", *TONE, "--pace=0")

    def spoken(text: str, **fields: Any) -> np.ndarray:
        return np.frombuffer(service.speak(input=text, response_format="pcm", **fields).body, np.int16)

    one, other, fast = spoken("abcde"), spoken("abcdf"), spoken("abcde", speed=2)
    assert len(one) == len(other) == 2 * len(fast) == 24_000 * 5 * 6 // 100
    assert np.array_equal(one, spoken("abcde"))
    assert np.flatnonzero(one != other).max() < 64 and np.abs(one - other).max() == 1
    spectrum = np.abs(np.fft.rfft(np.resize(one[240:6240], 24_000)))
    assert spectrum.argmax() == 440
    assert not np.array_equal(one[64:200], spoken("abcde", voice="am_puck")[64:200])


def test_whole_answers_take_as_long_as_streamed_ones(talk) -> None:
    service = talk("vllm", *TONE, "--first-chunk=40ms", "--audio=100ms", fresh=True)
    _, row = service.tell(response_format="wav")
    assert row["first_byte_s"] - row["received_s"] >= 0.04 + 0.08
    assert row["chunk_bytes"] == [44 + 4800]
    assert row["first_audio_s"] == row["end_s"]
    assert service.end() == 0


# --- one at a time, and not at all ----------------------------------------------------------------


def test_with_head_of_line_blocking_nobody_is_answered_before_all_are_spoken(talk) -> None:
    service = talk("litetts", *TONE, "--head-of-line", "--audio=60ms", fresh=True)
    # It stands still, so that all of these are there when it goes on.
    service.process.send_signal(signal.SIGSTOP)
    clients = [service.connect(input=f"Text {n}") for n in range(5)]
    service.process.send_signal(signal.SIGCONT)
    for client in clients:
        with client, http.client.HTTPResponse(client) as answer:
            answer.begin()
            assert len(answer.read()) == 44 + 2880
    rows = service.wait_for_truths(5)

    received_s, ends_s = [row["received_s"] for row in rows], [row["end_s"] for row in rows]
    assert min(ends_s) - max(received_s) > 5 * 0.04  # after five pauses of two chunks each
    assert service.end() == 0


def test_a_probe_waits_behind_a_text_that_is_spoken(talk) -> None:
    service = talk("litetts", *TONE, "--head-of-line", "--audio=400ms", "--scrape-stall=0", fresh=True)
    with service.connect() as client:
        time.sleep(0.1)
        began_s = time.monotonic()
        service.get("/v1/voices")
        answered_s = time.monotonic()
        assert client.recv(12) == b"HTTP/1.1 200"
    (row,) = service.wait_for_truths(1)
    assert row["received_s"] < began_s
    assert answered_s > row["received_s"] + 0.38
    assert service.end() == 0


def test_a_scrape_stops_the_service(talk) -> None:
    service = talk("litetts", *TONE, "--pace=0", "--scrape-stall=300ms", fresh=True)
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as scrape:
        began_s = time.monotonic()
        scrape.sendall(b"GET /metrics HTTP/1.1\r\nHost: testbed\r\n\r\n")
        time.sleep(0.1)
        service.get("/v1/models")
        assert time.monotonic() - began_s >= 0.3
    assert service.end() == 0


def test_slots_are_kept_and_a_full_service_refuses_if_told_to(talk) -> None:
    service = talk("kokoro", *TONE, "--audio=1h", "--slots=1", "--when-full=refuse", fresh=True)
    with service.connect() as client:
        client.recv(1)
        refused = service.speak()
    assert (refused.status, refused.headers["Retry-After"]) == (503, "5")
    assert refused.json()["detail"]
    service.wait_for_truths(2)
    with service.connect() as client:
        assert client.recv(12) == b"HTTP/1.1 200"  # the slot is free again
    assert service.end() == 0


def test_connections_are_kept_and_requests_answered_in_turn(talk) -> None:
    service = talk("kokoro", *TONE, "--pace=0")
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=20)
    for text in ("one", "three"):
        body = json.dumps({"input": text, "response_format": "pcm"})
        connection.request("POST", "/v1/audio/speech", body, {"X-Request-ID": f"id {text}"})
        assert len(connection.getresponse().read()) == 2880 * len(text)
    connection.close()
    assert service.row_of("id one")["end_s"] < service.row_of("id three")["received_s"]

    request = b"GET /health HTTP/1.1\r\nHost: testbed\r\n\r\n"
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as client:
        client.sendall(request * 3)
        heard = b""
        while heard.count(b"healthy") < 3:
            heard += client.recv(4096)


def test_a_connection_may_be_closed_with_its_answer(talk) -> None:
    service = talk("kokoro", *TONE, "--pace=0")
    body = json.dumps({"input": "Last words."})
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=20)
    headers = {"Connection": "close", "X-Request-ID": "the last"}
    connection.request("POST", "/v1/audio/speech", body, headers)
    answer = connection.getresponse()
    assert answer.headers["Connection"] == "close" and answer.read()
    assert service.row_of("the last")["outcome"] == "completed"


def test_what_is_no_http_is_refused(talk) -> None:
    service = talk("kokoro", *TONE, "--pace=0")
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as client:
        client.sendall(b"nonsense\r\n\r\n")
        assert client.recv(4096).startswith(b"HTTP/1.1 400 ")
        assert client.recv(1) == b""
    assert service.get("/health").status == 200


def test_it_ends_while_streams_run_and_says_so(talk) -> None:
    service = talk("kokoro", *TONE, "--audio=1h", fresh=True)
    with service.connect() as client:
        client.recv(1)
        assert service.end() == 0
    (row,) = service.truths()
    assert row["outcome"] == "client_gone"
