"""What the events and messages of a speech service mean, where it is said in YAML."""

from __future__ import annotations

from typing import Any

from genload.artifacts.answer.paths import found
from genload.described.or_text import OrText
from genload.described.path import JsonPath
from genload.described.template import TemplateTree
from genload.settings.model import Settings


class Audio(OrText):
    """Where audio is, as base64; a text alone is a path."""

    path: JsonPath
    """In the JSON of an event or message."""
    of: JsonPath | None = None
    """Which of them must have it: ``type == 'audio.chunk'``; unless given, any that has something there."""

    def is_in(self, said: Any) -> bool:
        """Whether an event or message has audio, or should."""
        return bool(found(self.of, said)) if self.of is not None else bool(found(self.path, said))


class Events(Settings):
    """What server-sent events mean that are no events of OpenAI's."""

    audio: Audio
    done: JsonPath
    """True, or there at all, in the last event; ``[DONE]`` is one in any case."""
    failed: JsonPath = "error"
    """True, or there at all, in an event that tells of a failure."""


class Messages(Settings):
    """What is said over a WebSocket, and what the answers mean; unless given, as vLLM-Omni has it. Texts are
    templates; audio is a binary message, or base64 in JSON.
    """

    open: TemplateTree = {
        "type": "session.config",
        "model": "{model}",
        "voice": "{voice}",
        "response_format": "{format}",
        # Other formats come as one file a sentence, and it refuses to be told another speed.
        "stream_audio": "{is_pcm}",
        "speed": "{speed}",
    }
    """The first message: how it is to speak. ``{}``: none."""
    say: TemplateTree = {"type": "input.text", "text": "{sentence}"}
    """Sent for each sentence; with {text} in the place of {sentence} once, for all of it."""
    end: TemplateTree = {"type": "input.done"}
    """The last message. ``{}``: none."""
    start: JsonPath = "type == 'audio.start'"
    """Which message says of the audio behind it its `format`, `sample_rate` and `channels`."""
    audio: Audio = Audio(path="audio_b64", of="type == 'audio.chunk'")
    done: JsonPath = "type == 'session.done'"
    """The last message."""
    failed: JsonPath = "type == 'error' || error"
    """A message that tells of a failure."""
