"""The audio of one answer, as it is put together from the pieces that came inside of events or messages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from genload.service import ServiceError
from genload.settings.speech import SpeechRequest

USAGE = {
    "input_tokens": ("input_tokens", "prompt_tokens"),
    "output_tokens": ("output_tokens", "completion_tokens"),
    "total_tokens": ("total_tokens",),
}
"""What a service says that an answer used, by our name: the keys under which it may say it."""

# Longer than the marks alone: raw samples are any bytes.
_HEAD = re.compile(
    rb"(?s)(?P<wav>RIFF....WAVE)|(?P<flac>fLaC[\x00\x80]\x00\x00\x22)"
    rb"|(?P<ogg>OggS\x00[\x00-\x07])|(?P<mp3>ID3[\x02-\x04]\x00)"
)
_ALIKE = {"opus": "ogg", "pcm16": "pcm", "pcm_s16le": "pcm", "mpeg": "mp3"}


class Pieces:
    """Pieces in the order in which they came.

    Args:
        request: what was asked for: the format, and what raw samples are.

    Attributes:
        usage: numbers that the service gave of its work, by the names of `USAGE`.
    """

    __slots__ = ("_arrivals", "_asked", "_audio", "_described", "_raw", "_written", "usage")

    def __init__(self, request: SpeechRequest) -> None:
        self._asked = _ALIKE.get(request.format, request.format)
        self._written = request.format
        self._raw = request.pcm
        self._audio: list[bytes] = []
        self._arrivals: list[tuple[float, int]] = []
        self._described: dict[str, Any] = {}
        self.usage: dict[str, float] = {}

    @property
    def content(self) -> bytes:
        """All of it so far."""
        return b"".join(self._audio)

    @property
    def arrivals(self) -> tuple[tuple[float, int], ...]:
        """(when, how many bytes of `content`) for each receive that completed any piece."""
        return tuple(self._arrivals)

    def describe(self, form: Any, rate_hz: Any = None, channels: Any = None) -> None:
        """What the service says of the pieces that follow; None: nothing.

        Raises:
            ServiceError: ``format_changed``; of raw samples ``wrong_rate``, ``wrong_channels``: they would be
                taken for longer or shorter than they are.
        """
        if isinstance(form, str):
            form = form.lower().removeprefix("audio/")
            self._note("format", _ALIKE.get(form, form))
        if rate_hz is not None:
            self._note("sample rate", rate_hz)
        if channels is not None:
            self._note("channels", channels)
        if self._asked == "pcm":
            self._compare("wrong_rate", rate_hz, self._raw.rate_hz, "Hz", "rate_hz")
            self._compare("wrong_channels", channels, self._raw.channels, "channels", "channels")

    def add(self, when_s: float, audio: bytes) -> None:
        """One piece; no bytes are none.

        Args:
            when_s: the stamp of the receive with which all of it was there.

        Raises:
            ServiceError: ``format_changed``: it begins like a file of another format.
        """
        if not audio:
            return
        if self._audio:
            head = _HEAD.match(audio)
            if head is not None and head.lastgroup != self._asked:
                raise _changed(f"a piece of {head.lastgroup} came after pieces of {self._written}")
        self._audio.append(audio)
        if self._arrivals and self._arrivals[-1][0] == when_s:
            self._arrivals[-1] = when_s, self._arrivals[-1][1] + len(audio)
        else:
            self._arrivals.append((when_s, len(audio)))

    def add_base64(self, when_s: float, text: Any) -> None:
        """One piece as JSON carries it.

        Raises:
            ServiceError: as `add`; ``bad_event`` for no text, ``bad_base64`` for text that is no base64.
        """
        if not isinstance(text, str):
            raise ServiceError("bad_event", f"{type(text).__name__} in the place of audio", status=200)
        try:
            audio = msgspec.convert(text, bytes)  # a fifth of the time of binascii, as strict
        except ValueError:
            raise ServiceError("bad_base64", f"the audio is no base64: {text[:60]}", status=200) from None
        self.add(when_s, audio)

    def use(self, said: Any) -> None:
        """Keep the numbers of a ``usage``; what is none is passed over."""
        if not isinstance(said, Mapping):
            return
        for name, keys in USAGE.items():
            for key in keys:
                value = said.get(key)
                if isinstance(value, int | float) and not isinstance(value, bool):
                    self.usage[name] = float(value)

    def _note(self, what: str, value: Any) -> None:
        before = self._described.setdefault(what, value)
        if before != value:
            raise _changed(f"its {what} was {before}, and is {value} in the middle of it")

    def _compare(self, error_class: str, said: Any, known: int, unit: str, key: str) -> None:
        if said is not None and said != known:
            words = f"raw samples of {said} {unit}: write service.request.pcm.{key}: {said}"
            raise ServiceError(error_class, words, status=200)


def _changed(words: str) -> ServiceError:
    return ServiceError("format_changed", words, status=200)
