"""A Prometheus whose answers a test makes."""

from __future__ import annotations

import ssl
import time
import urllib.parse
from collections.abc import Callable
from typing import Any

from genload.monitor import MonitorError

from ..scripted_server import Call, Reply, ScriptedServer, answers


class Api:
    """Prometheus's API, its answers made by the test.

    Attributes:
        ahead_s: how far its clock is ahead of the Unix time.
        series: by query: [(labels, value by Unix time)]; a function of time has a value at every step.
        refused: a query that it answers with an error.
        beside: what stands beside the data of a query's answers.
        hidden_s: as a VictoriaMetrics, it answers time() with a vector, what was so long ago is the newest
            that it tells of, and a range repeats that.
        seen: headers and form of each request.
    """

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.ahead_s, self.refused, self.hidden_s = 0.0, "", 0.0
        self.beside: dict[str, dict[str, Any]] = {}
        self.series: dict[str, list[tuple[dict[str, str], Callable[[float], str | None]]]] = {}
        self.seen: list[tuple[dict[str, str], dict[str, str]]] = []

        self._server = ScriptedServer(answers(self._answer), tls=context)
        self.url = self._server.url

    def _answer(self, call: Call) -> Reply:
        path, _, query = call.path.partition("?")
        form = dict(urllib.parse.parse_qsl(query))
        self.seen.append((call.headers, form))
        return Reply(400 if form["query"] == self.refused else 200, self.answer(path, form))

    def answer(self, path: str, form: dict[str, str]) -> dict[str, Any]:
        if form["query"] == self.refused:
            return {"status": "error", "errorType": "bad_data", "error": f"no: {form['query']}"}
        now_s = time.time() + self.ahead_s
        if form["query"] == "time()":
            if self.hidden_s:
                vector = [{"metric": {}, "value": [now_s, str(now_s - self.hidden_s)]}]
                return {"data": {"resultType": "vector", "result": vector}}
            return {"data": {"resultType": "scalar", "result": [now_s, str(now_s)]}}
        times_s = [now_s]
        if path.endswith("query_range"):
            start_s, end_s, step_s = (float(form[name]) for name in ("start", "end", "step"))
            times_s = [start_s + n * step_s for n in range(int((end_s - start_s) / step_s + 1e-6) + 1)]
        result = []
        for labels, value in self.series.get(form["query"], []):
            newest_s = now_s - self.hidden_s
            points = [[at_s, text] for at_s in times_s if (text := value(min(at_s, newest_s))) is not None]
            if points:
                form_of = {"values": points} if path.endswith("query_range") else {"value": points[0]}
                result.append({"metric": labels, **form_of})
        return {"data": {"result": result}} | self.beside.get(form["query"], {})

    def stop(self) -> None:
        self._server.close()


def history(monitor: Any, seconds: float) -> tuple[list[tuple[float, dict[str, float]]], str]:
    """The samples of the last seconds, and what was wrong."""
    now_s, samples = time.monotonic(), []
    try:
        for at_s, values in monitor.history(now_s - seconds, now_s):
            samples.append((at_s - now_s, dict(values)))
    except MonitorError as problem:
        return samples, str(problem)
    return samples, ""
