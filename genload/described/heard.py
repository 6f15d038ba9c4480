"""One answer of a described service, and what is read in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import msgspec

from genload.artifacts.answer.encoded import decoded, parted
from genload.artifacts.answer.facts import AnswerError, AnswerFacts
from genload.artifacts.answer.paths import found, there_is
from genload.artifacts.inspector import shared
from genload.client import Answer
from genload.client.service_calls import page_text
from genload.client.words import PLACES
from genload.plain import plain
from genload.service import ServiceError
from genload.spool import Content, Spool, Spooled, SpoolFullError

PLACES_OF_WORDS = tuple(".".join(place) for place in PLACES)
"""Paths to where answers usually say something for people."""
_LONGEST_QUOTE = 120


class Reading(NamedTuple):
    """What a description reads in its answers. A large one is read by the inspector, all at once."""

    paths: Sequence[str]
    encoded: str  # the path to an output as base64; "": there is none
    spool: Spool  # where such an output is kept


class _Small:
    """JSON that is read here. Raises ValueError: it is none."""

    __slots__ = ("_tree",)

    def __init__(self, answer: Answer) -> None:
        self._tree = answer.json()

    def find(self, path: str) -> Any:
        return found(path, self._tree)

    def has(self, path: str) -> bool:
        return bool(self.find(path))

    @property
    def said(self) -> Any:
        return self._tree

    @property
    def there(self) -> str:
        return there_is(self._tree)


class _Large:
    """JSON of which the inspector told what was asked for. Raises ServiceError: as `looking_into`."""

    __slots__ = ("facts", "output")

    def __init__(self, content: Spooled, reading: Reading, key: str) -> None:
        with looking_into(key):
            self.output = Spooled(reading.spool)
            self.facts: AnswerFacts = shared().answer(content, reading.paths, reading.encoded, self.output)

    def find(self, path: str) -> Any:
        return self.facts.values.get(path)

    def has(self, path: str) -> bool:
        return path in self.facts.long or bool(self.find(path))

    @property
    def said(self) -> Any:
        return next(filter(None, map(self.find, PLACES_OF_WORDS)), self.there)

    @property
    def there(self) -> str:
        return self.facts.there


class Heard(msgspec.Struct, eq=False):  # made in C: every call has one
    """An answer; its JSON is read once, when it is first asked for.

    Attributes:
        key: of the description, by which it was asked: ``service.request.poll``.
        reading: for answers that may be spooled.
    """

    answer: Answer
    key: str
    reading: Reading | None = None
    _json: _Small | _Large | None = None

    def _read(self) -> _Small | _Large:
        """Raises ServiceError: ``bad_answer``, it is no JSON; as `looking_into`."""
        if self._json is None:
            content, reading = self.answer.spooled, self.reading
            try:
                if content is None or reading is None:
                    self._json = _Small(self.answer)
                else:
                    self._json = _Large(content, reading, self.key)
            except ValueError:
                raise self.no_json() from None
        return self._json

    def no_json(self) -> ServiceError:
        """``bad_answer``, with what it is instead."""
        kind = self.answer.headers.get("content-type", "no content type")
        text = f"{self.key}: the answer is not JSON but {kind}: {page_text(self.answer)}"
        return ServiceError("bad_answer", text, status=self.answer.status)

    @property
    def said(self) -> Any:
        """Its JSON, or the part of it that says something for people. Raises ServiceError: it is none."""
        return self._read().said

    def find(self, path: str) -> Any:
        """What a path finds in its JSON; None for nothing, and in an answer that is no JSON."""
        try:
            return self._read().find(path)
        except ServiceError:
            return None

    def has(self, path: str) -> bool:
        """Whether a path finds anything but false, "" and the like."""
        try:
            return self._read().has(path)
        except ServiceError:
            return False

    def need(self, path: str, key: str) -> Any:
        """What a path finds.

        Args:
            key: that gives the path, below the answer's own.

        Raises:
            ServiceError: ``missing_value`` with what is there instead; ``bad_answer`` for no JSON;
                ``too_large`` for more than a small answer can have.
        """
        json = self._read()
        value = json.find(path)
        if value is None and json.has(path):
            text = f"{self.key}.{key}: what the path '{path}' finds is larger than 1 MB"
            raise ServiceError("too_large", text, status=self.answer.status)
        if value is None:
            text = f"{self.key}.{key}: the path '{path}' finds nothing in the answer: {json.there}"
            raise ServiceError("missing_value", text, status=self.answer.status)
        return value

    def need_text(self, path: str, key: str) -> str:
        """As `need`, of a value that must be a text."""
        value = self.need(path, key)
        if not isinstance(value, str) or not value:
            text = f"{self.key}.{key}: what '{path}' finds is no text: {there_is(value)}"
            raise ServiceError("bad_answer", text, status=self.answer.status)
        return value

    def need_base64(self, path: str, key: str) -> tuple[Content, str]:
        """As `need_text`, of base64 or a data URI: what it is, and the media type where it says one.

        Raises:
            ServiceError: ``bad_base64``, too.
        """
        try:
            json = self._read()
            if isinstance(json, _Large) and json.facts.decoded_bytes is not None:
                return json.output, json.facts.media_type
            if isinstance(json, _Large) and json.facts.bad_base64:
                raise ValueError(json.facts.bad_base64)
            text = self.need_text(path, key)
            media_type, begin = parted(text)
            return b"".join(decoded(text, begin)), media_type
        except ValueError as error:
            where = f"{self.key}.{key}: what '{path}' finds is no base64"
            raise ServiceError("bad_base64", f"{where}: {error}", status=self.answer.status) from error

    def header(self, name: str, key: str) -> str:
        """The value of a header.

        Raises:
            ServiceError: ``missing_value``, with the headers that there are.
        """
        value = self.answer.headers.get(name)
        if not value:
            there = plain(", ".join(self.answer.headers), _LONGEST_QUOTE * 2)
            text = f"{self.key}.{key}: the answer has no header '{name}', but {there}"
            raise ServiceError("missing_value", text, status=self.answer.status)
        return value


@contextmanager
def looking_into(key: str) -> Iterator[None]:
    """The inspector looks into an answer.

    Raises:
        ValueError: it is no JSON.
        ServiceError: with the class of the AnswerError; ``client_limit``, there is no room for what it holds.
    """
    try:
        yield
    except AnswerError as error:
        if error.error_class == "bad_answer":
            raise ValueError(error.message) from error
        raise ServiceError(error.error_class, f"{key}: {error.message}") from error
    except SpoolFullError as error:
        raise ServiceError("client_limit", str(error)) from error
