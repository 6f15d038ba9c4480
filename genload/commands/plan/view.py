"""Plans on a terminal: what each scenario comes to, its criteria, and one line for each of several."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from genload.analysis.capacity.words import amount_of
from genload.analysis.judged.capacity import Capacity
from genload.analysis.plan import AssumedService, CriterionOutlook, Outlook, ScenarioPlan
from genload.analysis.plan.figures import Figures
from genload.console import capacity_view
from genload.human import count_of, human
from genload.plain import plain
from genload.settings.suite import Suite

_WORDS = {
    Outlook.CANNOT: Text("cannot hold", "bold red"),
    Outlook.UNLIKELY: Text("probably not", "red"),
    Outlook.UNPROVEN: Text("not provable", "yellow"),
    Outlook.LIKELY: Text("will hold", "green"),
}


def told(service: AssumedService, alone: str = "") -> Text:
    """What the plan rests on; `alone` names a population that is not."""
    about = f"assumed of {plain(alone)}, as if alone" if alone else "assumed"
    if not service.observed:
        times = f"{human(service.mean_s, 's')} for each request"
        return Text(f"{about}: {times}, {count_of(service.slots, 'slot')}, first come first served", "bold")
    low, high = (human(float(limit), "s") for limit in (service.times_s.min(), service.times_s.max()))
    words = (
        f"{about}: {human(service.mean_s, 's')} for each request on average ({low} to {high}), "
        f"{count_of(service.slots, 'slot')}, {human(service.failure_rate, 'ratio')} failures, "
        f"{human(service.between_s, 's')} from an answer to its user's next request\n"
        f"  from {plain(service.about)}"
    )
    return Text(words, "bold")


def plan_view(name: str, plan: ScenarioPlan) -> RenderableType:
    """One scenario: its figures, its criteria with what would change them."""
    return Group(*_plan(name, plan))


def plans_view(suite: Suite, plans: Sequence[tuple[str, ScenarioPlan]]) -> RenderableType:
    """One line a scenario, with the criteria that must hold and cannot."""
    table = Table(box=box.HORIZONTALS, show_edge=False, pad_edge=False)
    for title in ("scenario", "takes", "requests", "busy"):
        table.add_column(title, justify="left" if title == "scenario" else "right", no_wrap=True)
    table.add_column("criteria that cannot hold")
    for name, plan in plans:
        figures = plan.figures
        lost = Text(", ".join(each.name for each in plan.lost) or "–", "red" if plan.lost else "")
        table.add_row(
            Text(plain(name)),
            human(figures.duration_s, "s"),
            str(figures.attempted),
            human(figures.utilisation, "ratio"),
            lost,
        )
    longest: dict[str, float] = {}  # the populations of a scenario are at work at the same time
    for _, plan in plans:
        longest[plan.name] = max(longest.get(plan.name, 0.0), plan.figures.duration_s)
    seconds = sum(longest.values()) + suite.settle.pause_s * (len(longest) - 1)
    parts = [f"in all {human(seconds, 's')}"]
    if price := suite.gpu_hour_cost:
        parts.append(f"one GPU for that time {price.amount * seconds / 3600:.2f} {price.currency}")
    return Group(table, _indented(Text(", ".join(parts), "dim")))


def _plan(name: str, plan: ScenarioPlan) -> Iterator[RenderableType]:
    yield Text(plain(name), "bold")
    for line in _figures(plan.figures):
        yield _indented(Text(line))
    if plan.cost is not None and plan.price is not None:
        yield _indented(Text(f"one GPU for this time: {plan.cost:.2f} {plan.price.currency}"))
    if plan.runs > 1:
        yield _indented(Text(f"of {plan.runs} simulated runs, the one in the middle", "dim"))
    if plan.search is not None:
        yield from capacity_view(plan.search)
    if len(plan.searches) > 1:
        yield _indented(Text(_all_found(plan.searches), "dim"))
    table = Table(box=box.HORIZONTALS, show_edge=False, pad_edge=False)
    table.add_column("")
    table.add_column("criterion")
    table.add_column("expected", justify="right")
    for each in plan.criteria:
        if each.outlook is not Outlook.SILENT:
            value = human(each.judgement.value, each.judgement.unit)
            # What a search would need stands beside its levels.
            needs = each.judgement.needs if plan.search is None else None
            table.add_row(_WORDS[each.outlook], Group(*_criterion(each, needs)), value)
    if table.row_count:
        yield _indented(table)
    silent = [each.name for each in plan.criteria if each.outlook is Outlook.SILENT]
    if silent:
        yield _indented(Text(f"a plan says nothing about: {', '.join(silent)}", "dim"))


def _all_found(searches: Sequence[Capacity]) -> str:
    """How much the simulated searches differ."""
    least, most = (
        "no level" if each.highest_observed is None else amount_of(each.highest_observed, each.unit)
        for each in (searches[0], searches[-1])
    )
    if least == most:
        return f"all {len(searches)} simulated searches hold {most}"
    return f"of {len(searches)} simulated searches the smallest holds {least}, the largest {most}"


def _figures(figures: Figures) -> Iterator[str]:
    parts = (("warm-up", figures.warmup_s), ("load", figures.load_s), ("waiting", figures.waited_s))
    yield f"{human(figures.duration_s, 's')}: " + ", ".join(
        f"{name} {human(seconds, 's')}" for name, seconds in parts if seconds
    )
    drained = f" ({figures.drained} of them after the load)" if figures.drained else ""
    words = f"{count_of(figures.attempted, 'request')}: {figures.completed} completed{drained}"
    rest = figures.failed - figures.timed_out - figures.not_started
    failures = (
        (figures.timed_out, "given up after the time limit"),
        (figures.not_started, "never started"),
        (rest, "failed"),
    )
    if figures.left:
        words += f", {figures.left} left by their listeners"
    yield words + "".join(f", {number} {what}" for number, what in failures if number)
    waiting = "nobody waits for a slot"
    if figures.queue_most:
        waiting = f"wait for a slot {human(figures.queue_mean_s, 's')} on average, "
        waiting += f"{human(figures.queue_max_s, 's')} at most; up to {figures.queue_most} wait at once"
    yield f"slots busy {human(figures.utilisation, 'ratio')}; {waiting}"
    disk, memory = human(figures.disk_bytes, "bytes"), human(figures.memory_bytes, "bytes")
    yield f"about {disk} of records, {memory} of memory"


def _criterion(found: CriterionOutlook, needs: str | None) -> Iterator[Text]:
    yield Text(found.name if found.criterion.must else f"{found.name} (reported only)")
    yield Text(found.criterion.holds, "dim")
    if 0 < found.holds_in < found.runs:
        yield Text(f"held in {found.holds_in} of {found.runs} simulated runs")
    if needs and found.outlook is not Outlook.LIKELY and _explains(found):
        yield Text(f"needs {plain(needs)}")
    if found.changes:
        verb = "proven" if found.outlook is Outlook.UNPROVEN else "holds"
        yield Text(f"→ {verb} with {_either(found.changes)}")


def _explains(found: CriterionOutlook) -> bool:
    """Whether what the judge asks for is about the criterion's own result, and not how sure a failure is."""
    return found.outlook is Outlook.UNPROVEN or found.judgement.result == "inconclusive"


def _either(words: Sequence[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last


def _indented(renderable: RenderableType) -> Padding:
    return Padding(renderable, (0, 0, 0, 2), expand=False)
