"""How a job's state is asked for, and what the answers mean."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from genload.artifacts.answer.paths import there_is
from genload.client.service_calls import retry_after_s
from genload.described.call import Call
from genload.described.capture import Captures
from genload.described.errors import FailureClass, Status
from genload.described.heard import Heard
from genload.described.or_text import OrText, exactly_one
from genload.described.path import JsonPath
from genload.service import JobPhase, ServiceError
from genload.settings.units import Seconds, TransportSeconds

Told = Literal["pending", "running", "unknown", "completed", "failed"]
"""What a state means; ``unknown``: accepted, and whether it waits or runs is not told."""

_ORDER = ("failed", "running", "unknown", "pending", "completed")
"""Of several jobs that are one: the first of these that any is in is the state of them all."""


class State(OrText):
    """Where the state is; a text alone is a path to a word, which `values` explains."""

    path: JsonPath | None = None
    """To a word in the answer."""
    all_of: JsonPath | None = None
    """To a list of words: completed when all are, failed when any is."""
    present: JsonPath | None = None
    """Completed as soon as something is there."""
    status: dict[Status, Told] | None = None
    """By the answer's HTTP status: ``{202: running, 200: completed}``."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        exactly_one(self, "path", "all_of", "present", "status")
        return self

    @property
    def in_words(self) -> bool:
        """Whether `values` explains it."""
        return self.path is not None or self.all_of is not None


class Pace(OrText):
    """Where the service says when to ask again; a text alone is a path. No longer than `retry.max_wait`."""

    path: JsonPath | None = None
    """To a number of seconds in the answer."""
    header: Literal["Retry-After"] | None = None
    """The Retry-After header."""

    def read_s(self, heard: Heard) -> float | None:
        """None where it does not say."""
        if self.header is not None:
            return retry_after_s(heard.answer)
        value = heard.find(self.path or "")
        return float(value) if isinstance(value, int | float) and value >= 0 else None


class Polling(Call):
    """The call that asks for a job's state, and its meaning. How often is `service.poll`."""

    state: State
    values: dict[str, Told] = {}
    """What each word means: ``{queued: pending, working: running, done: completed, error: failed}``."""
    failed_as: dict[str, FailureClass] = {}
    """States that are failures of a class of their own: ``{cancelled: cancelled, nsfw: refused}``."""
    words: JsonPath | None = None
    """Where a failed job's words are; unless given, where `errors` says."""
    capture: Captures = {}
    """What the answer that says "completed" gives to `result`."""
    missing_for_s: TransportSeconds = 0.0
    """For how long after its acceptance a job may be unknown: answered with 404, or without a state."""
    pace: Pace | None = None
    stuck_after_s: Seconds | None = None
    """A job whose state has not changed for so long has failed: for services that never say so."""

    @model_validator(mode="before")
    @classmethod
    def _no_interval(cls, value: Any) -> Any:
        if isinstance(value, dict) and "interval" in value:
            remedy = "how often is said under service.poll: {interval: 2s}"
            raise PydanticCustomError("poll", "'interval' is no key of request.poll", {"remedy": remedy})
        return value

    @model_validator(mode="after")
    def _words_explained(self) -> Self:
        if self.state.in_words and "completed" not in self.values.values():
            remedy = "say what each word means: values: {queued: pending, done: completed, error: failed}"
            raise PydanticCustomError("poll", "no word of 'values' means completed", {"remedy": remedy})
        return self

    @property
    def statuses(self) -> frozenset[int]:
        """HTTP statuses that tell a state."""
        return frozenset(self.state.status or ())

    @property
    def tells_queue(self) -> bool:
        """Whether waiting and work are told apart."""
        if self.state.in_words:
            return "unknown" not in self.values.values()
        return self.state.status is not None and "unknown" not in self.state.status.values()

    def told(self, heard: Heard) -> tuple[str, str]:
        """The state in the service's own word, and what it means: `Told` or an error class; "" for none.

        Raises:
            ServiceError: ``bad_answer`` for a word that nobody explained.
        """
        state = self.state
        if state.status is not None:
            status = heard.answer.status
            return str(status), state.status.get(status, "")
        if state.present is not None:
            return ("there", "completed") if heard.has(state.present) else ("not there", "unknown")
        if state.all_of is not None:
            words = heard.find(state.all_of)
            return self._of_all(words, heard) if isinstance(words, list) and words else ("", "")
        word = heard.find(state.path or "")
        return (str(word), self._meaning(word, heard)) if word is not None else ("", "")

    def _of_all(self, words: list[Any], heard: Heard) -> tuple[str, str]:
        meanings = [self._meaning(word, heard) for word in words]
        own = next((meaning for meaning in meanings if meaning not in _ORDER), "")
        return ", ".join(map(str, words))[:200], own or next(m for m in _ORDER if m in meanings)

    def _meaning(self, word: Any, heard: Heard) -> str:
        text = str(word).lower() if isinstance(word, bool) else str(word)
        meaning = self.failed_as.get(text) or self.values.get(text)
        if meaning is None:
            known = ", ".join([*self.values, *self.failed_as])
            what = f"'{text:.80}'" if isinstance(word, str | int | bool) else f"no word ({there_is(word)})"
            text = f"{heard.key}.values: the state is {what}; explained are {known}"
            raise ServiceError("bad_answer", text, status=heard.answer.status)
        return meaning


PHASES = {phase.value: phase for phase in JobPhase} | {"unknown": JobPhase.RUNNING}
