"""Suites with a described service, written as a user writes them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genload import extensions
from genload.settings.loader import LoadedSuite, load_suite

GOOD = """\
service:
  api: job
  request:
    path: /v1/jobs
    json: {image: "{image.base64}"}
    capture: {id: id}
    poll:
      path: /v1/jobs/{id}
      state: status
      values: {queued: pending, completed: completed}
    result: {path: "/v1/jobs/{id}/result"}
locustfile: generation3d
scenarios:
  steady:
    shape: {kind: normal, users: 3, duration: 10min}
    criteria:
      no_errors: generate.failed == 0
"""


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., LoadedSuite]:
    """Load the suite above, each of the texts given replaced by the one behind it."""

    def loaded(*replaced: tuple[str, str]) -> LoadedSuite:
        text = GOOD
        for old, new in replaced:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        path = tmp_path / "mine.yaml"
        path.write_text(text, encoding="utf-8")
        return load_suite(str(path), folders=[], wings=extensions.Wings())

    return loaded


def line_of(text: str) -> int:
    """Where a text stands in the suite above."""
    return GOOD[: GOOD.index(text)].count("\n") + 1


Loads = Callable[..., Any]
