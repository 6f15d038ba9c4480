"""Which answers are failures, of which class, and in whose words."""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Annotated, Any, NamedTuple

from pydantic import Field, StringConstraints

from genload.artifacts.answer.paths import found
from genload.client.service_calls import page_text, redirect_words, retry_after_s
from genload.client.words import told
from genload.described.heard import Heard
from genload.described.path import JsonPath
from genload.plain import plain
from genload.service import ServiceError
from genload.settings.model import Settings

BUSY = "busy"
"""What a status is called that means "not now": tried again as `service.retry` says."""

FailureClass = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
Status = Annotated[int, Field(ge=200, le=599)]

_BUSY = {429: BUSY, 503: BUSY}
_REFUSED = {401: "auth", 403: "auth"}
_KINDS = {4: "validation", 5: "server"}
_LONGEST_WORDS = 400


class Classes(NamedTuple):
    """What statuses mean where a description says nothing of them.

    Attributes:
        success: those that are none.
        of: the error class of any other but for 429 and 503, which are `BUSY`.
    """

    success: Container[int]
    of: Callable[[int], str]


JOBS = Classes(range(200, 203), "http_{}".format)
SPEECH = Classes({200}, lambda status: _REFUSED.get(status) or _KINDS.get(status // 100, f"http_{status}"))


class Errors(Settings):
    """How failures are told from successes."""

    status: dict[Status, FailureClass] = {}
    """Error classes by HTTP status: ``{404: job_failed, 503: busy, 499: cancelled}``. ``busy`` is tried
    again, as 429 and 503 are unless said otherwise; other failures are ``http_<status>``."""
    words: JsonPath | None = None
    """Where a failure's words are; unless given, the usual places."""
    failed_if: JsonPath | None = None
    """True, or there at all, in an answer 200 that is a failure: ``error``, or ``status == 'error'``."""

    def check(self, heard: Heard, known: frozenset[int] = frozenset(), classes: Classes = JOBS) -> Heard:
        """The answer, if it is a success.

        Args:
            known: statuses that mean something else than a failure here.

        Raises:
            ServiceError: with the class that its status, or what stands in it, has.
        """
        answer, status = heard.answer, heard.answer.status
        if status in known:
            return heard
        error_class = self.status.get(status)
        if error_class is None and status in classes.success:
            if self.failed_if is not None and heard.has(self.failed_if):
                raise ServiceError("service_failed", self.words_of(heard), status=status)
            return heard
        error_class = error_class or _BUSY.get(status) or classes.of(status)
        words = redirect_words(answer) if 300 <= status < 400 else self.words_of(heard)
        if error_class == BUSY:
            raise ServiceError(
                "rejected", words, rejected=True, retry_after_s=retry_after_s(answer), status=status
            )
        raise ServiceError(error_class, words, status=status)

    def words_of(self, heard: Heard, path: str | None = None) -> str:
        """What an answer says for people: as `words_in` its JSON, or the text of a proxy's page."""
        try:
            words = self._words(heard.said, heard.find, path)
        except ServiceError:  # it is no JSON
            words = page_text(heard.answer)
        return words or heard.answer.reason or "no reason given"

    def words_in(self, said: Any, path: str | None = None) -> str:
        """What JSON says for people: at the path, at `words`, or where it usually stands."""
        return self._words(said, lambda place: found(place, said), path)

    def _words(self, said: Any, find: Callable[[str], Any], path: str | None) -> str:
        for place in (path, self.words):
            if place is not None and (words := find(place)):
                return plain(told(words), _LONGEST_WORDS)
        return plain(told(said), _LONGEST_WORDS)
