"""Bodies and messages as `genload try` shows them: in short, on one line, without what lets others in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from genload.client.frames import Closed, Ping
from genload.client.watching import Passed
from genload.human import human
from genload.plain import plain
from genload.settings.secrets import hide, hide_queries
from genload.spool import Content, beginning

BODY_CHARACTERS = 300
_READ_BODY_BYTES = 4096
_ENCODED = re.compile(r"[A-Za-z0-9+/=_-]{120,}")  # a file as base64, or the part of one that was read
_SHOWN_ENCODED = 24
_BYTES, _AGAIN, _WORDS = "bytes", "again", "words"
_TEXT_TYPES = (
    "text/",
    "application/json",
    "application/problem+json",
    "application/x-www-form-urlencoded",
    "application/xml",
)


def told(text: str) -> str:
    """What was sent or answered, without what lets others in."""
    return hide_queries(hide(text))


def body_in_short(body: Content, kind: str) -> str:
    """The beginning of a body that people can read."""
    if not body:
        return ""
    if not kind.lower().startswith(_TEXT_TYPES):
        return f"({human(len(body), 'bytes')}{f' of {plain(kind, 40)}' if kind else ''}, not shown)"
    return _in_short(beginning(body, _READ_BODY_BYTES).decode("utf-8", "replace"))


def messages_in_short(messages: Sequence[Passed], began_s: float) -> Iterator[str]:
    """A line a message that passed over a WebSocket, one for all the bytes between two others, and one for
    all texts that have passed in the same direction before.

    Args:
        began_s: what times count from.
    """
    known: set[tuple[bool, str]] = set()
    for (sent, kind), group in groupby(messages, lambda each: _kind(each, known)):
        run, mark = list(group), ">" if sent else "<"
        times = " … ".join(dict.fromkeys(human(each.when_s - began_s, "s") for each in (run[0], run[-1])))
        what = f"{len(run)} messages" if len(run) > 1 else "a message"
        if kind == _BYTES:
            size = sum(len(each.message) for each in run if isinstance(each.message, bytes))
            yield f"{mark} {times}: {what} of bytes, {human(size, 'bytes')}"
        elif kind == _AGAIN:
            yield f"  {times}: {what} as before"
        else:
            yield from (f"{mark} {human(each.when_s - began_s, 's')}: {_words(each)}" for each in run)


def _kind(passed: Passed, known: set[tuple[bool, str]]) -> tuple[bool | None, str]:
    """What it is shown together with, whichever way it went or not; `known`: the texts before it."""
    if isinstance(passed.message, bytes):
        return passed.sent, _BYTES
    if isinstance(passed.message, str):
        if (passed.sent, passed.message) in known:
            return None, _AGAIN
        known.add((passed.sent, passed.message))
    return passed.sent, _WORDS


def _words(passed: Passed) -> str:
    message = passed.message
    if isinstance(message, Closed):
        return f"closed with {message.code}" + (
            f": {plain(told(message.reason), 200)}" if message.reason else ""
        )
    return "a ping" if isinstance(message, Ping) else _in_short(str(message)[:_READ_BODY_BYTES])


def _in_short(text: str) -> str:
    return plain(_ENCODED.sub(lambda found: f"{found[0][:_SHOWN_ENCODED]}…", told(text)), BODY_CHARACTERS)
