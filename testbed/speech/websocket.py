"""Speech over a WebSocket, as vLLM-Omni has it: the text comes in messages, its audio goes out in others.

Frames are written by hand, so that each write of audio can be stamped; wsproto reads the client's.
"""

from __future__ import annotations

import asyncio
import json
import struct
from base64 import b64encode
from hashlib import sha1
from time import monotonic_ns
from typing import TYPE_CHECKING, Any

from wsproto.connection import SERVER
from wsproto.connection import Connection as Frames
from wsproto.events import CloseConnection, Ping, TextMessage

from .faults import SpeechFault
from .framing import NO_BASE64, NO_JSON, OTHER_FILE, Framing
from .wire import Answer, Headers, Page, Request

if TYPE_CHECKING:
    from .wire import Connection, Serve

_FIN, _TEXT, _BINARY, _CLOSE, _PONG = 0x80, 0x1, 0x2, 0x8, 0xA
_MASKED = 0x80
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_CLOSING = {503: 1013, 429: 1013, 500: 1011}
"""The closing code in the place of a status; without one, a message tells of it."""


def asks_for_one(request: Request) -> bool:
    """Whether a request wants to become a WebSocket."""
    headers = request.headers
    return headers.get("upgrade", "").lower() == "websocket" and "sec-websocket-key" in headers


def frame(opcode: int, payload: bytes) -> bytes:
    """A whole message, or a control frame."""
    first, size = _FIN | opcode, len(payload)
    if size < 126:
        return bytes([first, size]) + payload
    if size < 1 << 16:
        return struct.pack("!BBH", first, 126, size) + payload
    return struct.pack("!BBQ", first, 127, size) + payload


def message(**fields: object) -> bytes:
    """JSON as a message."""
    return frame(_TEXT, json.dumps(fields).encode())


class Messages(Framing):
    """Audio in binary messages, or in base64 with what words may be said when.

    Args:
        base64: whether it is the latter.
    """

    def __init__(self, *, base64: bool) -> None:
        self._base64 = base64
        self._sent_bytes = 0

    def piece(self, audio: bytes, *, last: bool) -> bytes:
        content = b""
        if audio and self._base64:
            content = message(type="audio.chunk", audio_b64=b64encode(audio).decode(), timestamps=None)
        elif audio:
            content = frame(_BINARY, audio)
        self._sent_bytes += len(audio)
        if last:
            content += message(type="audio.done", sentence_index=0, total_bytes=self._sent_bytes, error=False)
            content += message(type="session.done", utterance_index=0, total_sentences=1)
        return content

    def failure(self, words: str) -> bytes:
        return message(type="error", message=words)

    def spoilt(self, fault: SpeechFault) -> bytes | None:
        if fault is SpeechFault.NO_END:
            return frame(_CLOSE, struct.pack("!H", 1000))
        if fault is SpeechFault.BAD_EVENT:
            return frame(_TEXT, NO_JSON)
        if fault is SpeechFault.BAD_FRAME:  # only clients mask theirs
            return bytes([_FIN | _BINARY, _MASKED | 4]) + bytes(8)
        if fault is SpeechFault.BAD_BASE64:
            return message(type="audio.chunk", audio_b64=NO_BASE64) + self.piece(b"", last=True)
        return self.piece(OTHER_FILE, last=True)


class Said(Answer):
    """The answer to one text, on a WebSocket that is open."""

    def __init__(self, connection: Connection, form: str, *, base64: bool) -> None:
        super().__init__(connection, keep_alive=True)
        self._form = form
        self._framing = Messages(base64=base64)

    def begin(self, media_type: str, headers: Headers, framing: Framing | None = None) -> None:
        self.status = 101
        about = {"sample_rate": 24_000, "channels": 1} if self._form == "pcm" else {}
        self._send(message(type="audio.start", sentence_index=0, format=self._form, **about), 0)

    def chunk(self, content: bytes, *, last: bool = False) -> int:
        stamp_ns = self._send(self._framing.piece(content, last=last), len(content))
        if last:
            self._end()
        return stamp_ns

    def promise(self, length: int, media_type: str, headers: Headers) -> None:
        self.begin(media_type, headers)

    def part(self, body: bytes) -> None:
        self.chunk(body)

    async def whole(self, body: bytes, media_type: str, headers: Headers) -> None:
        self.begin(media_type, headers)
        self.chunk(body, last=True)

    def fail(self, words: str) -> None:
        self._send(self._framing.failure(words), 0)
        self._end()

    def spoil(self, fault: SpeechFault) -> None:
        self._send(self._framing.spoilt(fault) or b"", 0)
        self.cut()

    def page(self, page: Page) -> None:
        words, self.status = page.words, page.status
        if code := _CLOSING.get(page.status):
            self._send(frame(_CLOSE, struct.pack("!H", code) + words.encode()[:120]), 0)
            self.cut()
        else:
            self._send(self._framing.failure(words), 0)
        self._end()


class Session:
    """What one client says on its WebSocket; each text that it has ended is answered, one after the other.

    Args:
        request: by which it was opened, and which says who asks.
        speak: answers a request for speech.
    """

    def __init__(self, connection: Connection, request: Request, speak: Serve) -> None:
        self._connection, self._request, self._speak = connection, request, speak
        self._frames = Frames(SERVER)
        self._config: dict[str, Any] = {}
        self._text = ""
        self._answer: Said | None = None
        self._task: asyncio.Task[None] | None = None
        accept = b64encode(sha1(request.headers["sec-websocket-key"].encode() + _GUID).digest()).decode()  # noqa: S324
        lines = ["HTTP/1.1 101 Switching Protocols", "upgrade: websocket", "connection: upgrade"]
        head = "\r\n".join([*lines, f"sec-websocket-accept: {accept}", "", ""])
        connection.transport.write(head.encode())

    def feed(self, data: bytes) -> None:
        """Take what the client sent."""
        received_ns = monotonic_ns()
        self._frames.receive_data(data)
        for event in self._frames.events():
            if isinstance(event, Ping):
                self._connection.transport.write(frame(_PONG, bytes(event.payload)))
            elif isinstance(event, CloseConnection):
                self._connection.transport.write(frame(_CLOSE, struct.pack("!H", 1000)))
                self._connection.transport.close()
            elif isinstance(event, TextMessage):
                self._hear(event.data, received_ns)

    def leave(self) -> None:
        """The client is gone."""
        answer = self._answer
        if self._task is not None and answer is not None and not (answer.ended or answer.deaf):
            self._task.cancel()

    def _hear(self, text: str, received_ns: int) -> None:
        try:
            said = json.loads(text)
            kind = said.pop("type")
        except (ValueError, AttributeError, KeyError):
            kind, said = "", {}
        if kind == "session.config":
            self._config.update(said)
        elif kind == "input.text":
            self._text += str(said.get("text", ""))
        elif kind == "input.done":
            self._begin(received_ns)
        else:
            self._connection.transport.write(message(type="error", message="Invalid message"))

    def _begin(self, received_ns: int) -> None:
        config, text = dict(self._config), self._text
        self._text = ""
        streamed = config.pop("stream_audio", False)
        base64 = config.pop("word_timestamps", False)
        order = config | {"input": text} | ({"stream": True, "stream_format": "audio"} if streamed else {})
        body, asked = json.dumps(order).encode(), self._request
        request = Request("POST", asked.path, asked.headers, body, received_ns, asked.address)
        self._answer = Said(self._connection, str(config.get("response_format", "wav")), base64=base64)
        self._task = asyncio.get_running_loop().create_task(self._speak(request, self._answer))
