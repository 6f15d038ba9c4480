"""What in a description does not fit together, before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING

from genload.described.call import Call
from genload.described.output import FORMATS
from genload.described.problem import Place, Problem
from genload.described.values import IMAGE, OWN_NAMES, TEXT, names_of
from genload.service import JOB_STAGES
from genload.settings.metrics.outputs import OUTPUT_METRICS
from genload.settings.metrics.requests import request_metrics
from genload.settings.suggestion import suggest

if TYPE_CHECKING:
    from genload.described.description import Description

_METRICS = (*request_metrics("generate", JOB_STAGES), *chain(*OUTPUT_METRICS.values()))
OF_THE_DRIVER = (
    "attempts",
    "rejections",
    "polls",
    "lost_polls",
    "begin_bound_s",
    "poll_bound_s",
    "start_delay_s",
)
_TAKEN = {name for metric in _METRICS for name in (metric.short, metric.key)}.union(OF_THE_DRIVER)
_HOLD_FILES = ("multipart", "raw")


def problems_of(description: Description) -> Iterator[Problem]:
    """Every mistake that can be seen without the service."""
    yield from _mode_problems(description)
    yield from _name_problems(description)
    for name in {*description.views} & {*_captured(description), *OWN_NAMES, TEXT}:
        yield Problem(("views",), f"the view '{name}' has the name of something else", "rename one of them")
    for name in description.output.numbers:
        if name in _TAKEN or name in description.numbers:
            yield Problem(("output", "numbers", name), f"there is a number '{name}' already", "rename it")
    if description.output.kind == "none" and description.output.check:
        yield Problem(("output",), "of kind none, which nobody looks at", "take kind: bytes")
    formats = FORMATS.get(description.output.kind, ())
    if description.format and description.format not in formats:
        reason = f"'{description.format}' is no format that is looked for in {description.output.kind}"
        remedy = f"write one of {', '.join(formats)}, or" if formats else "leave it out, or"
        yield Problem(("format",), reason, f"{remedy} say what is made: output: …")
    for name in description.numbers:
        if name in _TAKEN:
            yield Problem(("numbers", name), f"'{name}' is a number that genload has already", "rename it")
    if "phase" in description.labels:
        yield Problem(("labels", "phase"), "'phase' is a label that genload has already", "rename it")


def _mode_problems(description: Description) -> Iterator[Problem]:
    mode, poll, result = description.mode, description.poll, description.result
    if mode == "sync" and poll is not None:
        yield Problem(
            ("mode",), "one call that waits for its end is not polled", "take poll out, or mode: job"
        )
    if mode in ("job", "sync_or_job") and poll is None:
        yield Problem(("mode",), f"mode {mode} needs 'poll'", "say how a job's state is asked for: poll: …")
    if poll is not None and poll.state.status is None and not result.is_given:
        yield Problem(
            ("poll",),
            "nothing says where a finished job's output is",
            "write result: {path: …}, {url: …} or {base64: …}",
        )


def _name_problems(description: Description) -> Iterator[Problem]:
    """Names that nobody knows, or that are used before they are captured; files where none can stand."""
    views = {name for view in description.views for name in names_of(view)}
    known = set(OWN_NAMES) | views | ({TEXT} if description.texts is not None else set())
    behind = _captured(description)
    used: set[str] = set()
    for place, call, captures in _in_order(description):
        for at, template in call.named():
            for name in template.names:
                used.add(name)
                if name not in known:
                    yield _unknown(name, (*place, *at), known, behind)
                elif name in (IMAGE, *description.views) and at[0] not in _HOLD_FILES:
                    reason = f"'{{{name}}}' is a file, which '{at[0]}' cannot hold"
                    remedy = f"write {{{name}.base64}} or {{{name}.data_uri}}, or send multipart or raw"
                    yield Problem((*place, *at), reason, remedy)
        known |= set(captures)
    for place, call in _outside(description):
        for at, template in call.named():
            for name in template.names:
                reason = f"'{{{name}}}' belongs to a job, and this is asked outside of one"
                yield Problem((*place, *at), reason, "take it out")
    if not used & (set(OWN_NAMES) - {"number"} | views | {TEXT}):
        yield Problem(
            ("path",),
            "no call sends anything of a job's own",
            "name the input: {image}, {image.base64}, or at least {seed} or {uuid}",
        )


def _in_order(description: Description) -> Iterator[tuple[Place, Call, Iterable[str]]]:
    for name, step in description.before.items():
        yield ("before", name), step, step.capture
    yield (), description, description.capture
    if description.cancel is not None:
        yield ("cancel",), description.cancel, ()
    if description.poll is not None:
        yield ("poll",), description.poll, description.poll.capture
    yield ("result",), description.result, ()


def _outside(description: Description) -> Iterator[tuple[Place, Call]]:
    yield ("ready",), description.ready
    if description.in_flight is not None:
        yield ("in_flight",), description.in_flight


def _captured(description: Description) -> dict[str, Place]:
    """Where each name is captured."""
    return {name: place for place, _, captures in _in_order(description) for name in captures}


def _unknown(name: str, place: Place, known: set[str], behind: dict[str, Place]) -> Problem:
    if name == TEXT:
        remedy = "say which: texts: {file: prompts.jsonl}, or texts: {template: 'a chair of kind {i}'}"
        return Problem(place, "the description says nothing of texts", remedy)
    if name in behind:
        where = ".".join(map(str, ("service.request", *behind[name], "capture")))
        reason = f"'{{{name}}}' is used before it is captured, by {where}"
        return Problem(place, reason, "use it in a later call, or capture it in an earlier one")
    return Problem(place, f"nobody captures '{{{name}}}'", suggest(name, known | set(behind)))
