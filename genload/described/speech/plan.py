"""The calls of a speech service made ready, once for all users of a process."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from genload.described.call import Call, PreparedCall, Sendable, filled_tree
from genload.described.speech.dialect import Socket
from genload.described.speech.laid import literal, settled
from genload.described.speech.request import Request
from genload.described.speech.values import SENTENCE, Spoken
from genload.described.template import Template, templates
from genload.service import Utterance
from genload.streamed.messages import sentences

KEY = "service.request.dialect"


class _Prepared(NamedTuple):
    """What is sent where certain names have no value.

    Attributes:
        opening, sentence, end: what makes the messages of a WebSocket; None: there is none.
    """

    call: PreparedCall
    opening: Any = None
    sentence: Any = None
    end: Any = None


class Plan:
    """A request made ready.

    Raises:
        ConfigError: a file that its description names and that cannot be used.
    """

    def __init__(self, request: Request) -> None:
        self.request = request
        self.key = request.key
        self._values = request.values()
        self._is_said = isinstance(request.way, Socket)
        self._prepared: dict[frozenset[str], _Prepared] = {}
        self._of_voice: dict[str, _Prepared] = {}
        ready = request.dialect.ready
        if request.ready_path is not None:
            ready = ready.model_copy(update={"path": literal(request.ready_path)})
        self.ready = PreparedCall(ready, f"{KEY}.ready")
        for voice in request.voices:
            self._for(voice)

    def values(self, utterance: Utterance, request_id: str) -> Spoken:
        """What its templates may name."""
        return Spoken(utterance, self._values, request_id, utterance.text)

    def call(self, values: Spoken) -> Sendable:
        """The call that asks for an utterance, or opens the WebSocket for it."""
        return self._for(values.utterance.voice).call.filled(values)

    def call_ahead(self, utterance: Utterance, request_id: str) -> Sendable | None:
        """The same before its moment; None where something of it has to wait for that: a secret may change,
        and who says it over a WebSocket says it when that is open."""
        call = self._for(utterance.voice).call
        if call.has_secrets or self._is_said:
            return None
        return call.filled(self.values(utterance, request_id))

    def messages(self, values: Spoken) -> list[str]:
        """What is said over a WebSocket to have it spoken."""
        made = self._for(values.utterance.voice)
        said = [] if made.opening is None else [made.opening(values)]
        for sentence in self._parts(values.utterance.text):
            values.sentence = sentence
            said.append(made.sentence(values))
        said += [] if made.end is None else [made.end(values)]
        return [msgspec.json.encode(each).decode() for each in said]

    def _parts(self, text: str) -> list[str]:
        way = self.request.way
        assert isinstance(way, Socket)  # noqa: S101  nothing else has messages
        by_sentence = any(SENTENCE in Template(said).names for _, said in templates(way.say))
        return sentences(text) if by_sentence else [text]

    def _for(self, voice: str) -> _Prepared:
        made = self._of_voice.get(voice)
        if made is None:
            lacking = self.request.lacks(voice)
            if lacking not in self._prepared:
                self._prepared[lacking] = self._made(lacking)
            made = self._of_voice[voice] = self._prepared[lacking]
        return made

    def _made(self, lacking: frozenset[str]) -> _Prepared:
        request, way = self.request, self.request.way
        # A header is a text whatever stands in it.
        parts = {
            part: settled(said, lacking, {} if part == "headers" else self._values)
            for part, said in request.call.items()
            if isinstance(said, dict)
        }
        call = PreparedCall(Call.model_validate(request.call | parts), self.key)
        if not isinstance(way, Socket):
            return _Prepared(call)
        opening = {**way.open, **literal(request.extra)}
        messages = (settled(said, lacking, self._values) for said in (opening, way.say, way.end))
        return _Prepared(call, *(filled_tree(said) if said else None for said in messages))


@lru_cache(maxsize=16)
def plan_of(request: str) -> Plan:
    """The plan of a request, from its JSON: what thousands of users carry out is one object."""
    return Plan(Request.model_validate_json(request))
