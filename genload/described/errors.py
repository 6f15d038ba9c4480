"""Which answers are failures, of which class, and in whose words."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from genload.client import Answer
from genload.client.service_calls import page_text, redirect_words, retry_after_s
from genload.described.heard import Heard
from genload.described.path import JsonPath
from genload.plain import plain
from genload.service import ServiceError
from genload.settings.model import Settings

BUSY = "busy"
"""What a status is called that means "not now": tried again as `service.retry` says."""

FailureClass = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
Status = Annotated[int, Field(ge=200, le=599)]

_SUCCESS = range(200, 203)
_BUSY = {429: BUSY, 503: BUSY}
_USUAL_WORDS = ("error", "error.message", "message", "detail", "details", "msg")
_LONGEST_WORDS = 400


class Errors(Settings):
    """How failures are told from successes."""

    status: dict[Status, FailureClass] = {}
    """Error classes by HTTP status: ``{404: job_failed, 503: busy, 499: cancelled}``. ``busy`` is tried
    again, as 429 and 503 are unless said otherwise; other failures are ``http_<status>``."""
    words: JsonPath | None = None
    """Where a failure's words are; unless given, the usual places."""
    failed_if: JsonPath | None = None
    """True, or there at all, in an answer 200 that is a failure: ``error``, or ``status == 'error'``."""

    def check(self, answer: Answer, key: str, known: frozenset[int] = frozenset()) -> Heard:
        """The answer, if it is a success.

        Args:
            known: statuses that mean something else than a failure here.

        Raises:
            ServiceError: with the class that its status, or what stands in it, has.
        """
        heard = Heard(answer, key)
        status = answer.status
        if status in known:
            return heard
        told = self.status.get(status)
        if told is None and status in _SUCCESS:
            if self.failed_if is not None and heard.find(self.failed_if):
                raise ServiceError("service_failed", self.words_of(heard), status=status)
            return heard
        told = told or _BUSY.get(status) or f"http_{status}"
        words = redirect_words(answer) if 300 <= status < 400 else self.words_of(heard)
        if told == BUSY:
            raise ServiceError(
                "rejected", words, rejected=True, retry_after_s=retry_after_s(answer), status=status
            )
        raise ServiceError(told, words, status=status)

    def words_of(self, heard: Heard, path: str | None = None) -> str:
        """What an answer says for people: at the path, at `words`, or where it usually stands."""
        for place in (path, self.words):
            if place is not None and (words := heard.find(place)):
                return plain(str(words), _LONGEST_WORDS)
        for place in _USUAL_WORDS:
            if isinstance(words := heard.find(place), str) and words:
                return plain(words, _LONGEST_WORDS)
        return page_text(heard.answer) or heard.answer.reason or "no reason given"
