"""Routes of the page. Behind Locust's login and path prefix where it has them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from flask import Blueprint, Response, request, send_file

from genload.harness.options import known_scenarios
from genload.harness.run import Run
from genload.harness.scenario_page.history import History
from genload.harness.scenario_page.state import Finished, State, run_shown

if TYPE_CHECKING:
    from genload.analysis.judged import JudgedRun

_HERE = Path(__file__).parent
_FILES = {"scenario.css": "text/css", "scenario.js": "text/javascript", "tab.js": "text/javascript"}
_POLICY = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'"
_TAB = '<script src="./scenario/tab.js" defer></script></body>'


class ScenarioPage:
    """Shows one run after another.

    Args:
        web_ui: Locust's.
        options: its parsed options.
        is_running: whether a run is under way, from the form's start on.
    """

    def __init__(self, web_ui: Any, options: Any, is_running: Callable[[], bool]) -> None:
        self._is_running, self._options = is_running, options
        self._run: Run | None = None
        self._history: History | None = None
        self._number = 0
        self._finished: list[tuple[Finished, Path]] = []
        pages = Blueprint("genload", __name__, url_prefix=options.web_base_path or None)
        protected = web_ui.auth_required_if_enabled
        pages.add_url_rule("/scenario", "scenario", protected(self._page))
        pages.add_url_rule("/scenario/state", "state", protected(self._state))
        pages.add_url_rule("/scenario/report/<int:number>", "report", protected(self._report))
        pages.add_url_rule("/scenario/<name>", "part", protected(self._part))
        web_ui.app.register_blueprint(pages)
        self._index = f"{options.web_base_path or ''}/"
        web_ui.app.after_request(self._with_tab)

    def began(self, run: Run) -> None:
        """From now on this run is shown."""
        self._run, self._history = run, History(run)
        self._number += 1

    def ended(self) -> None:
        """The run that is shown has ended; it stays."""
        if self._history is not None:
            self._history.stop()

    def judged(self, run: JudgedRun, page: Path) -> None:
        """A run has its verdict.

        Args:
            page: its report.html, if there is one.
        """
        # Here, not above: judging has imported it, and the page is there before.
        from genload.reporting.wording import verdict_word

        finished = Finished(
            name=f"{run.suite}/{run.name}",
            word=verdict_word(run),
            exit_code=run.verdict.exit_code,
            text=_in_a_line(run),
            report=f"report/{len(self._finished)}" if page.is_file() else "",
        )
        self._finished.append((finished, page))

    def _page(self) -> Response:
        return self._own("scenario.html", "text/html")

    def _part(self, name: str) -> Response:
        return self._own(name, _FILES[name]) if name in _FILES else _nothing()

    def _own(self, name: str, media_type: str) -> Response:
        answer = Response((_HERE / name).read_bytes(), content_type=f"{media_type}; charset=utf-8")
        answer.headers["Content-Security-Policy"] = _POLICY
        return answer

    def _state(self) -> Response:
        run, history = self._run, self._history
        shown = None
        if run is not None and history is not None:
            shown = run_shown(run, self._number, history, request.args.get("after", 0, type=int))
        state = State(running=self._is_running(), run=shown, finished=[each for each, _ in self._finished])
        form = {
            "scenarios": known_scenarios(),
            "scenario": self._options.scenario or "",
            "host": self._options.host or "",
        }
        document = {**msgspec.to_builtins(state), "form": form}
        return Response(msgspec.json.encode(document), content_type="application/json")

    def _report(self, number: int) -> Response:
        if number >= len(self._finished) or not self._finished[number][1].is_file():
            return _nothing()
        return send_file(self._finished[number][1].absolute())

    def _with_tab(self, answer: Response) -> Response:
        """Locust's own page gets a tab that leads here; its tabs are made by its script, in the browser."""
        if request.path == self._index and answer.mimetype == "text/html" and not answer.direct_passthrough:
            answer.set_data(answer.get_data().replace(b"</body>", _TAB.encode(), 1))
        return answer


def _nothing() -> Response:
    """Not `abort`: what protects a page takes every exception for one of the login, and answers 200."""
    return Response("there is no such page", status=404, content_type="text/plain")


def _in_a_line(judged: JudgedRun) -> str:
    """Why it is what it is: how much it holds, the reason that it is not valid, or the criterion that readers
    see first.
    """
    from genload.reporting.page.worst import worst
    from genload.reporting.request_wording import limit, observed

    if judged.capacity is not None:
        return judged.capacity.sentence
    if judged.verdict.reasons:
        return judged.verdict.reasons[0].text
    first = worst(judged)
    if first is None:
        return ""
    return f"{first.name}: {observed(first)}, must be {limit(first)}"
