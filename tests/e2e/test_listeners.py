"""Listeners who leave a real service in the middle of its answers, a few and then all of them: what the
records, the service's own log and its gauge say of it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.processes

AUDIO_S = 3.0
SUITE: dict[str, Any] = {
    "service": {
        "api": "speech",
        "request": {
            "dialect": "vllm",
            "voices": ["alloy"],
            "format": "pcm",
            "stream": True,
            "validate": "off",
        },
    },
    "locustfile": "speech",
    "reports": ["results_json"],
    "monitors": {
        "exposition": {"interval": "100ms", "series": {"server.in_flight": "vllm:num_requests_running"}}
    },
    "reconcile": {"in_flight": "server.in_flight"},
    "watch_idle": "0s",
    "validity": {"lag_floor": "5s", "min_user_seconds": "10%"},  # a busy machine decides nothing here
    "scenarios": {
        "gone": {
            # An answer is heard to its end, some are left, and 0.7 s into the next ones all are.
            "shape": {
                "kind": "walkout",
                "users": 4,
                "stay": 0,
                "mixed": "3s",
                "until": "700ms",
                "watch": "3s",
            },
            "leave": {"share": "50%", "after": {"min": "200ms", "max": "1s"}},
            "warmup": {"jobs": 0},
            "criteria": {"released": "speech.released < 1s", "none_failed": "speech.failed == 0"},
        }
    },
}


@pytest.mark.parametrize(
    ("fault", "noticed"),
    [("", True), pytest.param("deaf=100%", False, marks=pytest.mark.faults)],
    ids=["noticed", "not noticed"],
)
def test_when_all_leave_the_service_is_seen_to_notice_or_not(
    fault: str,
    noticed: bool,
    testbed: Callable[..., Any],
    run_genload: Callable[..., Any],
    tmp_path: Path,
) -> None:
    server = testbed(api="vllm", engine="tone", audio=f"{AUDIO_S}s", **({"fault": fault} if fault else {}))
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump(SUITE), encoding="utf-8")
    outcome = run_genload(str(path), "--host", server.url, "--seed", "5")
    assert outcome.code == (0 if noticed else 1), outcome.output
    server.end()

    records = {record.request_id: record for record in outcome.requests("gone")}
    left = [record for record in records.values() if record.outcome == "left"]
    # The last may have been cut short by the moment in which all left.
    by_themselves = [record.duration_s for record in left if record.labels["listener"] == "leaves"]
    assert sum(0.2 <= after_s < 1.1 for after_s in by_themselves) >= 2
    assert max(by_themselves) < 1.5
    truth = {row["request_id"]: row["outcome"] for row in server.truth_records()}
    assert {truth[record.request_id] for record in left} == {"client_gone" if noticed else "completed"}
    result = outcome.result("gone")
    assert result["left_requests"] == len(left) and result["total_requests"] == len(records) - len(left)
    assert result["failed_requests"] == 0 and result["errors"] == {}
    (walkout,) = result["listeners"]["walkouts"]
    assert (walkout["answers"], walkout["noticed"]) == (4, noticed)
    if noticed:
        assert "the service noticed (4 answers cut off" in " ".join(outcome.output.split())
