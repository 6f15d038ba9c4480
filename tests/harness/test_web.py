"""What genload changes about the web UI's own answers."""

from __future__ import annotations

import pytest
from flask import Flask, Response, jsonify

from genload.harness.web import show_run


@pytest.mark.parametrize(
    ("told", "is_running", "shown"),
    [
        ({"user_count": 20, "state": "running"}, True, {"user_count": 4, "state": "running"}),
        # Upon "ready" the page would go back to the form, and never ask again.
        ({"user_count": 0, "state": "ready"}, True, {"user_count": 4, "state": "spawning"}),
        ({"user_count": 20, "state": "stopped"}, False, {"user_count": 20, "state": "stopped"}),
        ({"user_count": 0, "state": "ready"}, False, {"user_count": 0, "state": "ready"}),
    ],
)
def test_the_page_shows_a_run_and_its_users_at_work(
    told: dict[str, object], is_running: bool, shown: dict[str, object]
) -> None:
    app = Flask(__name__)

    @app.route("/stats/requests")
    def stats() -> Response:
        return jsonify(told)

    @app.route("/elsewhere")
    def elsewhere() -> Response:
        return jsonify(told)

    show_run(app, lambda: is_running, lambda: 4)
    page = app.test_client()
    assert page.get("/stats/requests").get_json() == shown
    assert page.get("/elsewhere").get_json() == told
