"""What `genload show` prints. Texts of a service are made harmless, and read as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from genload.commands.show.selection import Chosen, Found
from genload.human import count_of, human
from genload.plain import plain
from genload.runlog.layout import FAILURES, safe_name
from genload.runlog.records import RequestRecord, RunHeader
from genload.settings.criteria.ast import Dimension

_STYLES = {"ok": "green", "failed": "red", "unfinished": "yellow"}
_SHOWN_OF_ID = 13  # of a UUID enough to name it again
_BAR = 40  # characters for the longest stage


def list_view(chosen: Chosen, header: RunHeader) -> RenderableType:
    """A line a request."""
    title = f"{header.suite.get('name', '')}/{header.scenario}: {count_of(chosen.total, 'request')}"
    heading = Text.assemble((plain(title), "bold"), f", {chosen.failed} failed; {chosen.words}:")
    if not chosen.requests:
        return Group(heading, Text("  none"))
    labels = _telling(chosen.requests)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1))
    for name in ("request", "began", "took", "outcome", "phase", *labels):
        right = name in ("began", "took")
        table.add_column(name, justify="right" if right else "left", no_wrap=True, overflow="ellipsis")
    for request in chosen.requests:
        table.add_row(
            Text(plain(request.request_id)[:_SHOWN_OF_ID]),
            human(request.start_s, "s"),
            human(request.latency_s, "s"),
            _outcome(request),
            Text(plain(request.phase)),
            *(Text(plain(request.labels.get(name, ""))) for name in labels),
        )
    return Group(heading, table)


def _telling(requests: Sequence[RequestRecord]) -> list[str]:
    """The labels by which some of them differ."""
    names = sorted({name for request in requests for name in request.labels})
    return [name for name in names if len({request.labels.get(name) for request in requests}) > 1]


def request_view(found: Found, header: RunHeader, folder: Path) -> RenderableType:
    """Everything that was recorded of one request."""
    return Group(*_request(found, header, folder))


def _request(found: Found, header: RunHeader, folder: Path) -> Iterator[RenderableType]:
    request = found.request
    yield Text.assemble(
        (f"{plain(request.name)} {plain(request.request_id)}", "bold"), "  ", _outcome(request)
    )
    yield _facts(_about(request))
    for words in (request.error, request.remark):
        if words:
            yield Padding(Text(plain(words)), (0, 0, 0, 2))
    if request.stages:
        yield Text("stages", "bold")
        yield _stages(request.stages)
    if found.calls:
        yield Text("calls", "bold")
        yield _calls(found)
    if request.numbers:
        yield Text("numbers", "bold")
        units = _units(header)
        yield _facts({name: human(value, _unit(name, units)) for name, value in request.numbers.items()})
    for path in kept_outputs(folder, request):
        yield Text.assemble(("output ", "bold"), str(path))


def kept_outputs(folder: Path, request: RequestRecord) -> list[Path]:
    """Where its output lies; failed ones alone are kept, and only the first of each class."""
    kept = folder / FAILURES / safe_name(request.error_class)
    name = safe_name(request.request_id)
    return (
        sorted(path for path in kept.glob("*") if path.stem.partition("-")[2] == name) if name != "_" else []
    )


def _about(request: RequestRecord) -> dict[str, str]:
    facts = {
        "began": f"{human(request.start_s, 's')} after the run did",
        "took": human(request.duration_s, "s"),
        "phase": request.phase
        + (", warm-up" if request.warmup else "")
        + (", drained" if request.drained else ""),
        "user": f"{request.user} of {request.source}",
        "status": str(request.status) if request.status else "no answer",
        "sent": human(request.bytes_sent, "bytes"),
        "received": human(request.bytes_received, "bytes"),
        "service's id": request.job_id,
        "code said": request.said,
        "code heard": "" if request.heard is None else request.heard or "nothing",
        **request.labels,
    }
    if request.intended_s is not None:
        facts["was to begin"] = human(request.intended_s, "s")
    return {name: text for name, text in facts.items() if text}


def _outcome(request: RequestRecord) -> Text:
    words = plain(request.error_class or request.outcome)
    return Text(words, _STYLES.get(request.outcome, "yellow"))


def _facts(facts: Mapping[str, str]) -> Table:
    table = Table.grid(padding=(0, 2))
    for name, text in facts.items():
        table.add_row(Text(f"  {plain(name)}", "dim"), Text(plain(text)))
    return table


def _stages(stages: Mapping[str, float]) -> Table:
    """Each from where the one before ended."""
    table = Table.grid(padding=(0, 2))
    total_s, began_s = sum(stages.values()) or 1.0, 0.0
    for name, took_s in stages.items():
        left, width = round(began_s / total_s * _BAR), max(1, round(took_s / total_s * _BAR))
        began_s += took_s
        table.add_row(
            Text(f"  {plain(name)}", "dim"), human(took_s, "s"), Text(" " * left + "━" * width, "blue")
        )
    return table


def _calls(found: Found) -> Table:
    table = Table.grid(padding=(0, 2))
    for call in found.calls:
        began = human(call.start_s - found.request.start_s, "s")
        table.add_row(
            Text(f"  {plain(call.type)} {plain(call.name)}", "dim"),
            f"after {began}",
            human(call.duration_s, "s"),
            str(call.status or "–"),
            _outcome(call),
            Text(plain(call.error, 100)),
        )
    return table


def _units(header: RunHeader) -> dict[str, str]:
    """The units of the numbers that the run's metrics are made of, by their key in a record."""
    return {metric.get("key", ""): metric.get("dimension", "") for metric in header.metrics}


def _unit(name: str, units: Mapping[str, str]) -> str:
    by_name = Dimension.TIME if name.endswith("_s") else Dimension.PLAIN
    return units.get(name) or by_name.value
