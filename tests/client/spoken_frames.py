"""The server's side of a WebSocket, frame by frame, and a client that talks to it."""

from __future__ import annotations

import hashlib
import re
import struct
import time
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest

from genload.client import ClientError, HttpClient
from genload.client.frames import Closed
from genload.client.websocket import Heard, WebSocket

from ..scripted_server import Peer, ScriptedServer

Servers = Callable[..., ScriptedServer]
Clients = Callable[..., HttpClient]

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA
FIN = 0x80


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True) -> bytes:
    """A server's frame, by RFC 6455 §5.2."""
    first = opcode | (FIN if fin else 0)
    if len(payload) < 126:
        return bytes([first, len(payload)]) + payload
    if len(payload) < 1 << 16:
        return struct.pack("!BBH", first, 126, len(payload)) + payload
    return struct.pack("!BBQ", first, 127, len(payload)) + payload


def closing(code: int, reason: str = "") -> bytes:
    return frame(CLOSE, struct.pack("!H", code) + reason.encode())


def accept(peer: Peer, *, key: bytes | None = None) -> bytes:
    """Read the handshake; the 101 that answers it."""
    asked = peer.read_request()
    found = re.search(rb"Sec-WebSocket-Key: (\S+)\r\n", asked)
    assert found is not None
    said = (key or found[1]) + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    token = b64encode(hashlib.sha1(said).digest())  # noqa: S324  as the standard has it
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + token + b"\r\n\r\n"
    )


def frames_of(data: bytes) -> list[tuple[int, bytes]]:
    """A client's short frames: opcode and payload, unmasked."""
    found = []
    while data:
        opcode, masked = data[0] & 0xF, data[1]
        assert masked & 0x80, "a client masks"
        size, start = masked & 0x7F, 2
        if size == 126:
            (size,), start = struct.unpack_from("!H", data, 2), 4
        mask, payload = data[start : start + 4], data[start + 4 : start + 4 + size]
        found.append((opcode, bytes(byte ^ mask[n % 4] for n, byte in enumerate(payload))))
        data = data[start + 4 + size :]
    return found


def answering(
    *pieces: bytes, said: list[bytes] | None = None, pause_s: float = 0.0
) -> Callable[[Peer], None]:
    """Agrees, reads the first message, then sends pieces, then what the client says is kept to its end."""

    def script(peer: Peer) -> None:
        peer.sock.sendall(accept(peer))
        heard = peer.sock.recv(65536)
        for piece in pieces:
            peer.sock.sendall(piece)
            time.sleep(pause_s)
        peer.sock.settimeout(5)
        while said is not None and (more := peer.sock.recv(65536)):
            heard += more
        if said is not None:
            said.append(heard)

    return script


def conversation(client: HttpClient, *texts: str, **options: Any) -> list[Heard | Closed]:
    """Everything that is heard until it is closed."""
    heard: list[Heard | Closed] = []
    with client.websocket("/talk", **options) as socket:
        assert isinstance(socket, WebSocket)
        socket.send(*(texts or ("hello",)))
        while not heard or not isinstance(heard[-1], Closed):
            heard.append(socket.receive())
    return heard


def failing(client: HttpClient, **options: Any) -> ClientError:
    with pytest.raises(ClientError) as caught:
        conversation(client, **options)
    return caught.value
