"""What genload changes about the web UI's own answers."""

from __future__ import annotations

import pytest
from flask import Flask, Response, jsonify

from genload.harness.web import show_users_at_work


@pytest.mark.parametrize(("at_work", "shown"), [(4, 4), (0, 0), (None, 20)])
def test_the_page_counts_users_at_work_while_a_run_is_under_way(at_work: int | None, shown: int) -> None:
    app = Flask(__name__)

    @app.route("/stats/requests")
    def stats() -> Response:
        return jsonify({"user_count": 20, "state": "running"})

    @app.route("/elsewhere")
    def elsewhere() -> Response:
        return jsonify({"user_count": 20})

    show_users_at_work(app, lambda: at_work)
    page = app.test_client()
    assert page.get("/stats/requests").get_json() == {"user_count": shown, "state": "running"}
    assert page.get("/elsewhere").get_json() == {"user_count": 20}
