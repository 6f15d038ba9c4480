"""What `genload try` prints, as it happens. Nothing of the service reaches the terminal unescaped."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from time import monotonic
from typing import Protocol

from rich.console import Console
from rich.text import Text

from genload.client import Answer, Seen
from genload.code_errors import CLIENT_ERROR, REMEDY
from genload.commands.try_.expected_metrics import ExpectedMetric, ExpectedMetrics
from genload.commands.try_.shown import body_in_short, messages_in_short, told
from genload.exposition.family_state import FamilyState
from genload.human import human
from genload.plain import plain
from genload.service import Artifact, Step
from genload.settings.secrets import has_reference, hide, is_secret_header
from genload.settings.service import Service

HEADER_CHARACTERS = 120
_INDENT = 9
_STATES = {
    FamilyState.ABSENT: "absent",
    FamilyState.IDLE: "there and not moved",
    FamilyState.LIVE: "live",
}


class Ended(Protocol):
    """What became of a request, whatever its kind."""

    outcome: str
    error_class: str
    error: str
    remark: str

    @property
    def duration_s(self) -> float: ...


class TrialView:
    """Prints to a console; times are seconds since it began."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began_s = monotonic()
        self._hidden: set[str] = set()
        self._shown = ""  # the request line that was printed last …
        self._answered = ""  # … and its answer's body
        self._alike = 0  # how often it was answered so again
        self._known: dict[tuple[str, str], str] = {}  # headers that were printed, by direction and name
        self._exchanges = 0  # printed since the last step
        self._last: Seen | None = None
        self.failed_step = ""  # the last one that failed

    def begin(self, asked_for: str, service: Service) -> None:
        self._began_s = monotonic()
        self._hidden = {name.lower() for name, value in service.headers.items() if has_reference(value)}
        self._line(
            Text.assemble(("genload try ", "bold"), f"{plain(asked_for)} against {plain(service.host)}")
        )
        self._line(Text("one request, nothing is recorded; > is sent, < is answered", "dim"))

    def ready(self, declared: float | None) -> None:
        """The service takes work; `declared`: at which scale it models time."""
        self._at(Text("ready", "bold green"))
        if declared is not None:
            asks = f": a run needs --time-scale {declared:g}" if declared != 1 else ""
            self.detail(f"a testbed, which models time at scale {declared:g}{asks}", "yellow")

    def say(self, what: str, text: str) -> None:
        """A line with its time."""
        self._at(Text.assemble((f"{what} ", "bold"), text))

    def stage(self, name: str) -> None:
        """A stage of the job begins."""
        self._at(Text.assemble(("stage ", "bold"), (plain(name), "bold cyan")))

    def exchange(self, seen: Seen) -> None:
        """An exchange has ended. The same request again (a poll) takes one line; answered as before, one for
        as often again as it was already."""
        self._exchanges += 1
        self._last = seen
        request = plain(told(seen.request.removesuffix(" HTTP/1.1")), 200)
        body, before = _body(seen.answer), self._answered
        self._answered = body
        if request == self._shown and seen.answer is not None:
            self._again(seen, body, body == before)
            return
        self._alike = 0
        self._shown = request
        self._at(Text(request, "bold"))
        self._headers(">", seen.headers)
        self.detail(_sent(seen), "dim")
        self.detail(_outcome(seen))
        if seen.answer is not None:
            self._headers("<", seen.answer.headers.pairs)
            self.detail(body, "dim")
            for line in messages_in_short(seen.messages, seen.answer.times.connected_s):
                self.detail(line, "dim")

    def _again(self, seen: Seen, body: str, alike: bool) -> None:
        self._alike = self._alike + 1 if alike else 0
        if not alike:
            self._at(Text.assemble("again: ", _status(seen)))
            self.detail(body, "dim")
        elif self._alike.bit_count() == 1:  # the 1st, 2nd, 4th, 8th …
            times = f", {self._alike} times now" if self._alike > 1 else ""
            self._at(Text.assemble("again: ", _status(seen), (f"; the same{times}", "dim")))

    def step(self, step: Step) -> None:
        """A named call of the service's client has ended: its exchanges are printed already, if it made any
        with our own HTTP client.
        """
        took = human(step.end_s - step.start_s, "s")
        if not self._exchanges:
            status = f", status {step.status}" if step.status else ""
            self._at(Text(f"{plain(step.name)} {plain(step.method)}: {took}{status}"))
        self._exchanges = 0
        self.failed_step = step.name if step.error_class else ""
        if step.error_class:
            self.detail(f"{plain(step.name)} failed: {step.error_class}: {plain(step.error)}", "red")

    def output(self, artifact: Artifact, described: str) -> None:
        """The request's output came, and is going to be inspected."""
        size, kind = human(len(artifact.content), "bytes"), plain(artifact.media_type) or "no media type"
        self._at(Text.assemble(("output ", "bold"), f"{plain(artifact.name, 100)}, {kind}, {size}"))
        if described:
            self.detail(plain(described))

    def result(self, result: Ended) -> None:
        """The request has ended, and how."""
        took = human(result.duration_s, "s")
        if result.outcome == "ok":
            self._at(Text(f"succeeded in {took}", "bold green"))
            if result.remark:
                self.detail(f"output not inspected: {plain(result.remark)}", "yellow")
        elif result.outcome == "failed":
            self._at(Text(f"failed after {took}: {result.error_class}", "bold red"))
            self.detail(plain(result.error), "red")
            if result.error_class == CLIENT_ERROR:
                self.detail(f"→ {REMEDY}")
        else:
            self._at(Text(f"{result.outcome} after {took}", "bold yellow"))

    def guide(self, what: str, key: str, words: str) -> None:
        """Of a request that failed: what it was that did, the last exchange in short, and what to change."""
        self._line(Text())
        self._line(Text.assemble(("what failed  ", "bold"), plain(what)))
        if (seen := self._last) is not None:
            sent = plain(told(seen.request.removesuffix(" HTTP/1.1")), 200)
            self._line(Text.assemble(("sent         ", "bold"), sent, " ", (_sent(seen), "dim")))
            came = Text.assemble(("came back    ", "bold"), _status(seen), " ", (_body(seen.answer), "dim"))
            self._line(came)
        self._line(
            Text.assemble(("to change    ", "bold"), (plain(key) or "nothing", "bold cyan"), f": {words}")
        )

    def metrics(self, expected: ExpectedMetrics) -> None:
        """Which metrics can be had, and which cannot."""
        self._line(Text())
        if not expected.metrics:
            self._line(Text("the suite names no metric of a machine: it has no monitors"))
            return
        self._line(Text("metrics that the suite counts on, sampled while the request ran", "bold"))
        width = max(map(len, expected.metrics)) + 2
        for metric in sorted(expected.metrics.values(), key=lambda one: bool(one.values)):
            now = _now(metric, reached=expected.reached(metric))
            self._line(Text.assemble(f"  {metric.name:{width}}", now, (_filled_by(metric), "dim")))
            self.detail(plain(metric.origin), "dim")
            self.detail(_judges(metric), "dim")
        for state in FamilyState:
            families = sorted(name for name, found in expected.families.items() if found is state)
            if families:
                style = "" if state is FamilyState.LIVE else "yellow"
                self._line(Text(f"families expected, {_STATES[state]}: {plain(', '.join(families))}", style))
        for plan in expected.plans:
            self._line(Text(f"{plan.name}: {plain(plan.source) or 'this machine'}", "dim"))
            self.detail(plain(plan.nothing_here), "dim")
            if trouble := expected.troubles.get(plan.name):
                self.detail(plain(hide(trouble)), "red")
        self._line(Text(_missing(expected.metrics.values()), "yellow"))

    def next_command(self, words: Sequence[str]) -> None:
        """What to do now. Never folded: it is there to be copied."""
        self._console.print(Text.assemble("next: ", (plain(shlex.join(words)), "bold")), soft_wrap=True)

    def _headers(self, mark: str, pairs: Sequence[tuple[str, str]]) -> None:
        """Those that no exchange had before; of the others, how many."""
        known = 0
        for name, value in pairs:
            place = (mark, name.lower())
            if self._known.get(place) == value:
                known += 1
                continue
            self._known[place] = value
            secret = is_secret_header(name) or name.lower() in self._hidden
            shown = "(hidden)" if secret else plain(told(value), HEADER_CHARACTERS)
            self.detail(f"{mark} {plain(name, HEADER_CHARACTERS)}: {shown}", "dim")
        if known:
            self.detail(f"{mark} and {known} as before", "dim")

    def _at(self, text: Text) -> None:
        """A line with its time."""
        self._fold(Text(f"{monotonic() - self._began_s:7.3f}".ljust(_INDENT), "dim"), text)

    def detail(self, text: str | Text, style: str = "") -> None:
        """A line below one with a time."""
        if text:
            self._fold(Text(" " * _INDENT), text if isinstance(text, Text) else Text(text, style))

    def _fold(self, margin: Text, text: Text) -> None:
        """Print `text` behind `margin`, and what does not fit on lines of its own below it."""
        for line in text.wrap(self._console, max(self._console.width - _INDENT - 2, 20), overflow="fold"):
            line.rstrip()
            self._console.print(Text.assemble(margin, line), soft_wrap=True)
            margin = Text(" " * (_INDENT + 2))

    def _line(self, text: Text) -> None:
        if text.plain or not text.style:
            self._console.print(text)


def _status(seen: Seen) -> Text:
    """``200 OK in 5.1 ms``, or what went wrong after how long."""
    answer, error = seen.answer, seen.error
    if error is not None:
        took = human(error.times.end_s - error.times.start_s, "s")
        return Text(f"{error.error_class} after {took}: {plain(hide(error.message))}", "red")
    assert answer is not None  # noqa: S101  an exchange without an error has an answer
    took = human(answer.times.end_s - answer.times.start_s, "s")
    words = f"{answer.status} {plain(answer.reason, 40)}".rstrip()
    return Text.assemble((words, "green" if answer.status < 400 else "red"), f" in {took}")


def _outcome(seen: Seen) -> Text:
    """``200 OK in 5.1 ms (connect 0.3 ms), 48.3 KiB sent, 211 B received``"""
    answer = seen.answer
    if seen.error is not None or answer is None:
        return _status(seen)
    connect = "connection kept" if answer.reused else f"connect {human(answer.connect_s, 's')}"
    sizes = f"{human(answer.bytes_sent, 'bytes')} sent, {human(answer.bytes_received, 'bytes')} received"
    return Text.assemble(_status(seen), f" ({connect}), {sizes}")


def _sent(seen: Seen) -> str:
    """The beginning of the body that was sent."""
    kind = next((value for name, value in seen.headers if name.lower() == "content-type"), "")
    return body_in_short(seen.body, kind)


def _body(answer: Answer | None) -> str:
    """The beginning of a body that people can read, on one line."""
    return "" if answer is None else body_in_short(answer.content, answer.headers.get("content-type", ""))


def _now(metric: ExpectedMetric, *, reached: bool) -> Text:
    """The value, or the range in which it moved meanwhile; absent is what its source answered without."""
    if not metric.values:
        return Text("absent" if reached else "not known: no answer", "bold red")
    low, high = (human(value, metric.unit) for value in (min(metric.values), max(metric.values)))
    return Text(low if low == high else f"{low} … {high}", "green")


def _filled_by(metric: ExpectedMetric) -> str:
    return f"  {' or '.join(metric.monitors)}" if metric.monitors else "  no monitor of this suite fills it"


def _judges(metric: ExpectedMetric) -> str:
    return f"judged by {', '.join(plain(name) for name in metric.criteria)}" if metric.criteria else ""


def _missing(metrics: Iterable[ExpectedMetric]) -> str:
    """What absent metrics mean for a run."""
    undecided = sorted({name for metric in metrics if not metric.values for name in metric.criteria})
    if not undecided:
        return ""
    return f"a run could not decide (exit code 3 for what must hold): {', '.join(undecided)}"
