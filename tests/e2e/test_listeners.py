"""Listeners who leave a real service in the middle of its answers, a few and then all of them: what the
records, the service's own log, its gauge and its CPU say of it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from ..busy_machine import LIMITS

pytestmark = pytest.mark.processes

AUDIO_S = 3.0
HELD_UP_S = 0.5
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
        "exposition": {"interval": "100ms", "series": {"server.in_flight": "vllm:num_requests_running"}},
        "host": {"interval": "100ms", "client": False, "server": {"port": "auto"}},
    },
    "reconcile": {"in_flight": "server.in_flight"},
    "watch_idle": "0s",
    "validity": LIMITS,
    "scenarios": {
        "gone": {
            # An answer is heard to its end, some are left, and a moment into the next ones all are.
            "shape": {
                "kind": "walkout",
                "users": 4,
                "stay": 0,
                "mixed": "4s",
                "until": "800ms",
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
    # Each answer takes a sixteenth of a core for as long as it is spoken.
    speaks = {"engine": "tone", "audio": f"{AUDIO_S}s", "chunk": "80ms", "work": "5ms"}
    server = testbed(api="vllm", **speaks, fault=fault or None)
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
    assert max(by_themselves) < AUDIO_S
    truth = {row["request_id"]: row for row in server.truth_records()}
    assert {truth[record.request_id]["outcome"] for record in left} == {
        "client_gone" if noticed else "completed"
    }
    result = outcome.result("gone")
    assert result["left_requests"] == len(left) and result["total_requests"] == len(records) - len(left)
    assert result["failed_requests"] == 0 and result["errors"] == {}
    (walkout,) = result["listeners"]["walkouts"]
    assert (walkout["answers"], walkout["noticed"]) == (4, noticed)
    # When the service had really ended its last one; to what a busy machine holds a request up on its way.
    together = [record for record in left if record.labels["listener"] == "stays"]
    ended_s = max(record.start_s + _spoken_s(truth[record.request_id]) for record in together)
    after_s = ended_s - walkout["at_s"]
    in_flight, cpu = walkout["falls"]
    assert (in_flight["metric"], in_flight["rest"]) == ("server.in_flight", 0)
    assert in_flight["busy"] >= 1
    assert in_flight["after_low"] - HELD_UP_S <= after_s <= in_flight["after_high"] + HELD_UP_S
    assert cpu["metric"] == "server.cpu" and cpu["busy"] > cpu["rest"] + 0.1
    assert (cpu["after_low"] > 1) == (after_s > 1) == (not noticed)
    if noticed:
        assert "the service noticed (4 answers cut off" in " ".join(outcome.output.split())


def _spoken_s(row: dict[str, Any]) -> float:
    """For how long a service worked on a request."""
    spoken_s: float = row["end_s"] - row["received_s"]
    return spoken_s
