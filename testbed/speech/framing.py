"""What is around the audio of a streamed answer: nothing, or events."""

from __future__ import annotations

import json
from base64 import b64encode

from .faults import SpeechFault

EVENTS = "text/event-stream"

NO_BASE64 = "%% no base64 %%"
NO_JSON = b'{"type": "speech.audio'
OTHER_FILE = b"OggS\0\2" + bytes(22)  # nobody streams that in pieces of their own


class Framing:
    """Audio as it is."""

    def piece(self, audio: bytes, *, last: bool) -> bytes:
        """What is sent for a piece of audio, maybe none; with the end of it all when it is the last."""
        return audio

    def failure(self, words: str) -> bytes:
        """How a failure is told in the middle of an answer; b"" where that cannot be done."""
        return b""

    def spoilt(self, fault: SpeechFault) -> bytes | None:
        """The rest of an answer that nobody can read; None where there is nothing of the kind."""
        return None


class Events(Framing):
    """Server-sent events, as OpenAI and vLLM-Omni send them.

    Args:
        form: the name of the audio's format.
        characters: of the text: what is told as used.
    """

    def __init__(self, form: str, characters: int) -> None:
        self._form, self._characters = form, characters
        self._pieces = 0

    def piece(self, audio: bytes, *, last: bool) -> bytes:
        content = b""
        if audio:
            self._pieces += 1
            content = _event("delta", audio=b64encode(audio).decode(), response_format=self._form)
        if last:
            used = {"input_tokens": self._characters, "output_tokens": self._pieces}
            content += _event("done", usage=used | {"total_tokens": sum(used.values())})
        return content

    def failure(self, words: str) -> bytes:
        return _event("error", error={"message": words, "type": "InternalServerError"})

    def spoilt(self, fault: SpeechFault) -> bytes | None:
        if fault is SpeechFault.NO_END:
            return b""
        if fault is SpeechFault.BAD_EVENT:
            return b"data: " + NO_JSON + b"\n\n"
        if fault is SpeechFault.BAD_BASE64:
            return _event("delta", audio=NO_BASE64) + self.piece(b"", last=True)
        return self.piece(OTHER_FILE, last=True) if fault is SpeechFault.OTHER_FORMAT else None


def _event(kind: str, **fields: object) -> bytes:
    data = json.dumps({"type": f"speech.audio.{kind}", **fields})
    return f"event: speech.audio.{kind}\ndata: {data}\n\n".encode()
