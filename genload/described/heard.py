"""One answer of a described service, and what is read in it."""

from __future__ import annotations

from typing import Any

from genload.client import Answer
from genload.client.service_calls import page_text
from genload.described.path import found, there_is
from genload.plain import plain
from genload.service import ServiceError

_UNREAD = object()
_LONGEST_QUOTE = 120


class Heard:
    """An answer; its JSON is decoded once, when it is first asked for.

    Args:
        key: of the description, by which it was asked: ``service.request.poll``.
    """

    __slots__ = ("_tree", "answer", "key")

    def __init__(self, answer: Answer, key: str) -> None:
        self.answer = answer
        self.key = key
        self._tree: Any = _UNREAD

    @property
    def tree(self) -> Any:
        """Its JSON.

        Raises:
            ServiceError: ``bad_answer``, it is none.
        """
        if self._tree is _UNREAD:
            try:
                self._tree = self.answer.json()
            except ValueError:
                kind = self.answer.headers.get("content-type", "no content type")
                text = f"{self.key}: the answer is not JSON but {kind}: {page_text(self.answer)}"
                raise ServiceError("bad_answer", text, status=self.answer.status) from None
        return self._tree

    def find(self, path: str) -> Any:
        """What a path finds in its JSON; None for nothing, and in an answer that is no JSON."""
        try:
            return found(path, self.tree)
        except ServiceError:
            return None

    def need(self, path: str, key: str) -> Any:
        """What a path finds.

        Args:
            key: that gives the path, below the answer's own.

        Raises:
            ServiceError: ``missing_value`` with what is there instead; ``bad_answer`` for no JSON.
        """
        value = found(path, self.tree)
        if value is None:
            text = f"{self.key}.{key}: the path '{path}' finds nothing in the answer: {there_is(self.tree)}"
            raise ServiceError("missing_value", text, status=self.answer.status)
        return value

    def need_text(self, path: str, key: str) -> str:
        """As `need`, of a value that must be a text."""
        value = self.need(path, key)
        if not isinstance(value, str) or not value:
            text = f"{self.key}.{key}: what '{path}' finds is no text: {there_is(value)}"
            raise ServiceError("bad_answer", text, status=self.answer.status)
        return value

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
