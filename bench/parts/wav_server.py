"""A server that answers every request with a second of audio, other bytes each time."""

from __future__ import annotations

import json
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

PORT = 18_490
BODY_BYTES = 48_000
RATE_HZ = 24_000
SERVER = "server"  # the load that is none


@contextmanager
def server(core: int) -> Iterator[None]:
    process = subprocess.Popen(["taskset", "-c", str(core), sys.executable, sys.argv[0], "--load", SERVER])
    time.sleep(1.0)
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


def one_second() -> bytearray:
    """A WAV of so many bytes, a tone with some noise."""
    count = (BODY_BYTES - 44) // 2
    moments = np.arange(count) / RATE_HZ
    wave = 0.3 * np.sin(2 * np.pi * 220 * moments) + 0.01 * np.random.default_rng(0).standard_normal(count)
    samples = (wave * 32767).astype("<i2").tobytes()
    shape = struct.pack("<IHHIIHH", 16, 1, 1, RATE_HZ, 2 * RATE_HZ, 2, 16)
    size = struct.pack("<I", BODY_BYTES - 8), struct.pack("<I", len(samples))
    return bytearray(b"RIFF" + size[0] + b"WAVEfmt " + shape + b"data" + size[1] + samples)


def serve() -> None:
    """Answers every POST with the tone, its first samples counted up; GET tells how many those were."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    head = b"HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\nContent-Length: %d\r\n\r\n" % BODY_BYTES
    answer = bytearray(head) + one_second()
    counted = len(head) + 44
    clients: dict[int, socket.socket] = {}
    asking: dict[int, bytes] = {}
    sending: dict[int, memoryview] = {}
    count, first_s, last_s = 0, 0.0, 0.0
    poll = select.epoll()
    with socket.create_server(("127.0.0.1", PORT), backlog=1024) as listener:
        poll.register(listener, select.EPOLLIN)
        while True:
            for number, event in poll.poll():
                if number == listener.fileno():
                    client = listener.accept()[0]
                    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    client.setblocking(False)
                    clients[client.fileno()] = client
                    poll.register(client, select.EPOLLIN)
                    continue
                client = clients[number]
                if event & select.EPOLLOUT:
                    _send(client, sending.pop(number), sending, poll)
                    continue
                if not _asked(client, number, asking, clients, poll):
                    continue
                message = asking.pop(number)
                if message.startswith(b"POST"):
                    count, last_s = count + 1, time.monotonic()
                    first_s = first_s or last_s
                    struct.pack_into("<I", answer, counted, count)
                    _send(client, memoryview(bytes(answer)), sending, poll)
                else:
                    told = json.dumps({"count": count, "first_s": first_s, "last_s": last_s}).encode()
                    if message.startswith(b"GET /reset"):
                        count, first_s = 0, 0.0
                    lines = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(told)
                    _send(client, memoryview(lines + told), sending, poll)


def _asked(
    client: socket.socket,
    number: int,
    asking: dict[int, bytes],
    clients: dict[int, socket.socket],
    poll: select.epoll,
) -> bool:
    """Whether a whole request has come."""
    try:
        data = client.recv(1 << 16)
    except OSError:
        data = b""
    if not data:
        poll.unregister(client)
        clients.pop(number).close()
        asking.pop(number, None)
        return False
    asking[number] = data = asking.get(number, b"") + data
    end = data.find(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", data)
    return end >= 0 and len(data) >= end + 4 + (int(length[1]) if length else 0)


def _send(
    client: socket.socket, data: memoryview, sending: dict[int, memoryview], poll: select.epoll
) -> None:
    """As much as goes; the rest when there is room."""
    try:
        sent = client.send(data)
    except BlockingIOError:
        sent = 0
    except OSError:
        return
    if sent < len(data):
        sending[client.fileno()] = data[sent:]
    poll.modify(client, select.EPOLLOUT if sent < len(data) else select.EPOLLIN)
