"""Streams that nobody can read, as events and over a WebSocket, in one run of both: each request's error
class against what befell it, and none of them a success.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from ..busy_machine import LIMITS

pytestmark = [pytest.mark.processes, pytest.mark.faults]

CLASSES = {
    "": "",
    "truncated": "truncated",
    "no-end": "truncated",
    "error-event": "error_event",
    "bad-base64": "bad_base64",
    "bad-event": "bad_event",
    "bad-frame": "protocol",
    "other-format": "format_changed",
    "endless": "too_large",
}
RATES = [f"{name}=9%" for name in CLASSES if name]
REQUESTS = 60


def test_each_stream_that_cannot_be_read_has_its_class(
    testbed: Callable[..., Any], run_genload: Callable[..., Any], tmp_path: Path
) -> None:
    server = testbed(api="vllm", engine="tone", pace="0s", chunk="100ms", audio="1s", fault=RATES, seed=3)
    scenario = {
        "shape": {"kind": "baseline", "users": 6, "iterations": REQUESTS},
        "warmup": {"jobs": 0},
        "failure_pause": "0s",
        "criteria": {"none_failed": "speech.failed == 0"},
    }
    request = {"dialect": "vllm", "voices": ["alloy"], "format": "pcm"}
    ways = {"events": {**request, "stream": "sse"}, "websocket": {**request, "stream": "websocket"}}
    suite = {
        "service": {
            "api": "speech",
            "max_answer": "1MiB",
            "retry": {"max_retries": 0},
            "request": ways["events"],
        },
        "locustfile": "speech",
        "reports": ["results_json"],
        "settle": {"pause": "0s"},
        "validity": LIMITS,
        "scenarios": {name: {**scenario, "request": way} for name, way in ways.items()},
    }
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump(suite), encoding="utf-8")
    outcome = run_genload(str(path), "--host", server.url, "--seed", "5")
    assert outcome.code == 1, outcome.output
    server.end()

    truth = {row["request_id"]: row["fault"] for row in server.truth_records()}
    for name in ways:
        records = outcome.jobs(name)
        assert len(records) == REQUESTS
        told = [(truth[record.request_id], record.error_class, record.outcome) for record in records]
        assert [one for one in told if one[1] != CLASSES[one[0]]] == []
        assert [one for one in told if (one[2] == "ok") == bool(one[0])] == []
        # Which faults these draw is the seed's doing alone.
        assert {fault for fault, _, _ in told} == set(CLASSES)
        result = outcome.result(name)
        assert result["errors"] == dict(Counter(error for _, error, _ in told if error))
        assert result["successful_requests"] == sum(not fault for fault, _, _ in told)
