"""What in the description of a speech service does not fit together, before anything is sent."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from pydantic import ValidationError

from genload.described.call import Call
from genload.described.checks import OF_THE_DRIVER
from genload.described.problem import Place, Problem
from genload.described.speech.laid import call_of, opening_of
from genload.described.speech.values import OF_ALL, OWN_NAMES, SENTENCE
from genload.described.template import Template, templates
from genload.settings.metrics.requests import request_metrics
from genload.settings.metrics.spoken import speech_metrics
from genload.settings.suggestion import suggest
from genload.streamed.pieces import USAGE

if TYPE_CHECKING:
    from genload.described.speech.dialect import Dialect, Socket, Way

_KNOWN = frozenset((*OWN_NAMES, *OF_ALL)) - {SENTENCE}
_METRICS = (*request_metrics("speech", ()), *speech_metrics("speech"))
_NUMBERS = {name for metric in _METRICS for name in (metric.short, metric.key)}.union(USAGE, OF_THE_DRIVER)
_LABELS = ("phase", "voice", "length", "text", "cache")
_TEXT = "text"
_HTTP_WAYS = ("whole", "raw", "sse")


def problems_of(dialect: Dialect) -> Iterator[Problem]:
    """Every mistake that can be seen without the service."""
    yield from _unknown_names((), dialect.named()) or _call_problems(dialect, None, ())
    for name in _HTTP_WAYS:
        if (way := getattr(dialect.ways, name)) is not None:
            place = ("ways", name)
            yield from _unknown_names(place, way.named()) or _call_problems(dialect, way, place)
    if dialect.ways.websocket is not None:
        yield from _socket_problems(("ways", "websocket"), dialect.ways.websocket)
    for at, template in dialect.ready.named():
        for name in template.names:
            reason = f"'{{{name}}}' belongs to an utterance, and this is asked outside of one"
            yield Problem(("ready", *at), reason, "take it out")
    yield from _taken_names(dialect)
    if dialect.rate is not None and dialect.rate.path is not None and dialect.base64 is None:
        remedy = "name a header: {header: X-Sample-Rate}"
        yield Problem(("rate",), "an answer that is audio has no JSON", remedy)


def _taken_names(dialect: Dialect) -> Iterator[Problem]:
    for name in dialect.numbers:
        if name in _NUMBERS:
            yield Problem(("numbers", name), f"'{name}' is a number that genload has already", "rename it")
    for name in dialect.labels:
        if name in _LABELS:
            yield Problem(("labels", name), f"'{name}' is a label that genload has already", "rename it")


def _call_problems(dialect: Dialect, way: Way | None, place: Place) -> list[Problem]:
    """What a whole call must hold, wherever its parts are written."""
    try:
        call = Call.model_validate(call_of(dialect, way))
    except ValidationError as error:
        (first, *_) = error.errors(include_url=False, include_input=False)
        return [Problem(place, first["msg"], str(first.get("ctx", {}).get("remedy", "see the call itself")))]
    if way is not None and not way.path:
        return []  # it lacks what the call lacks that it is laid on
    used = {name for _, template in call.named() for name in template.names}
    found = []
    if _TEXT not in used:
        remedy = "put {text} into its body or query"
        found.append(Problem((*place, "path"), "nothing of the call is the text", remedy))
    if len((way and way.formats) or dialect.formats) > 1 and "format" not in used:
        reason = "there are several, and nothing of the call says which is asked for"
        remedy = "put {format} into its body or query, or leave one format"
        found.append(Problem((*place, "formats"), reason, remedy))
    return found


def _socket_problems(place: Place, socket: Socket) -> Iterator[Problem]:
    said = {"open": socket.open, "say": socket.say, "end": socket.end}
    named = [(at, Template(text)) for at, text in templates(said)]
    yield from _unknown_names(place, Call.model_validate(opening_of(socket)).named())
    yield from _unknown_names(place, named, {SENTENCE})
    if not {_TEXT, SENTENCE} & {name for _, template in named for name in template.names}:
        yield Problem((*place, "say"), "no message brings the text", "put {sentence} or {text} into it")


def _unknown_names(
    place: Place, named: list[tuple[Place, Template]], besides: Collection[str] = ()
) -> list[Problem]:
    known = _KNOWN.union(besides)
    return [
        Problem((*place, *at), f"an utterance has no '{{{name}}}'", suggest(name, known))
        for at, template in named
        for name in template.names
        if name not in known
    ]
