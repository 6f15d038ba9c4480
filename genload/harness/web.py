"""Locust's web UI with genload in it: what its form may ask for, and what it may not."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from flask import Response, jsonify, request

from genload.errors import GenloadError
from genload.harness.options import WEB_FORM_FIELDS, known_scenarios

_LOCUSTS_OWN_FIELDS = {
    "user_count",
    "spawn_rate",
    "run_time",
    "host",
    "user_classes",
    "shape_class",
    "profile",
}


def guard_form(
    app: Any, started_with: str, is_running: Callable[[], bool], check: Callable[[dict[str, str]], None]
) -> None:
    """Check every POST to /swarm before Locust sees it.

    Locust takes any option's name from the form (``html_file=…`` writes a file), and a second POST during a
    run changes the running test's options though it is refused.

    Args:
        app: the web UI's Flask application.
        started_with: the scenario of the command line; the form may name it too, even when it is a path.
        check: raises GenloadError when the form's fields ask for what cannot be run.
    """

    def look() -> Response | None:
        if request.method != "POST" or not request.path.endswith("/swarm"):
            return None
        fields = dict(request.form.items())
        try:
            if is_running():
                return _refuse("a run is under way: stop it first")
            unknown = sorted(set(fields) - _LOCUSTS_OWN_FIELDS - set(WEB_FORM_FIELDS))
            if unknown:
                return _refuse(f"the form has no field {unknown[0]!r}")
            scenario = fields.get("scenario", started_with)
            if not scenario:
                return _refuse("choose a scenario first, under 'Custom parameters'")
            if scenario != started_with and scenario not in known_scenarios():
                return _refuse(f"there is no scenario {scenario!r}")
            check(fields)
        except GenloadError as error:
            return _refuse(" → ".join(filter(None, (error.message, error.remedy))))
        return None

    app.before_request(look)


def show_run(app: Any, is_running: Callable[[], bool], at_work: Callable[[], int]) -> None:
    """Let the page show a run as it is.

    The users that work, not those that wait at the gate: Locust is never asked to take users away, so that
    its own number does not fall after a spike. And that a run has begun: Locust says "ready" until there are
    users, upon which its page goes back to the form and asks no more, whatever comes after a slow beginning.

    Args:
        is_running: whether a run is under way, from the form's start on.
        at_work: users that may start work or still have some in flight.
    """

    def correct(response: Response) -> Response:
        if request.path.endswith("/stats/requests") and response.is_json and is_running():
            shown = {**response.get_json(), "user_count": at_work()}
            if shown["state"] == "ready":
                shown["state"] = "spawning"
            response.set_data(json.dumps(shown))
        return response

    app.after_request(correct)


def _refuse(reason: str) -> Response:
    return jsonify({"success": False, "message": reason})
