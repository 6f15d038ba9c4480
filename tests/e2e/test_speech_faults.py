"""Every fault of the speaking testbed in whole runs: each request's error class against what befell it, one
by one, and nothing broken among the successes.
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

# Silence costs seconds, so it is rarer than the rest.
OFTEN = {
    "reject": "rejected",
    "reject-bare": "rejected",
    "limit": "rejected",
    "limit-bare": "rejected",
    "error": "server",
    "html": "wrong_content",
    "json": "wrong_content",
    "empty-audio": "empty_audio",
    "reset": "reset",
    "truncated": "truncated",
    "endless": "too_large",
    "error-event": "truncated",  # neither API has a way to tell of it once an answer has begun
    "garbage": "bad_audio",
    "silence": "silent_audio",
    "clipped": "clipped_audio",
    "nan": "nan_audio",
    "wrong-rate": "wrong_rate",
    "duplicate": "duplicate_output",
}
RARE = {"hang": "receive_timeout", "stall": "receive_timeout", "slow-loris": "timeout"}
CLASSES = {"": "", **OFTEN, **RARE}
RATES = [f"{name}=4.5%" for name in OFTEN] + [f"{name}=2%" for name in RARE]
REQUESTS = 100
INSPECTED = {"bad_audio", "silent_audio", "clipped_audio", "nan_audio", "wrong_rate", "duplicate_output"}


@pytest.mark.parametrize("api", ["litetts", "kokoro"])
def test_each_request_has_the_class_of_the_fault_that_befell_it(
    api: str,
    testbed: Callable[..., Any],
    run_genload: Callable[..., Any],
    tmp_path: Path,
) -> None:
    server = testbed(api=api, engine="tone", pace="0s", chunk="500ms", fault=RATES, seed=17)
    suite = {
        "service": {
            "api": "speech",
            "timeout": "4s",
            "receive_timeout": "2s",
            "max_answer": "1MiB",
            "retry": {"max_retries": 0},
            "request": {"dialect": api, "validate": {"rate_hz": 24_000}},
        },
        "locustfile": "speech",
        "reports": ["results_json"],
        "validity": LIMITS,
        "scenarios": {
            "faults": {
                "shape": {"kind": "baseline", "users": 8, "iterations": REQUESTS},
                "warmup": {"jobs": 0},
                "failure_pause": "0s",
                "criteria": {"few_errors": "speech.error_rate < 1%"},
            }
        },
    }
    path = tmp_path / "faults.yaml"
    path.write_text(yaml.safe_dump(suite), encoding="utf-8")
    outcome = run_genload(str(path), "--host", server.url, "--seed", "5")
    assert outcome.code == 1, outcome.output
    server.end()

    records, truth = outcome.jobs("faults"), {row["request_id"]: row for row in server.truth_records()}
    assert len(records) == REQUESTS
    assert sorted(truth) == sorted(record.request_id for record in records)
    told = [(truth[record.request_id]["fault"], record.error_class, record.error) for record in records]
    wrong = [one for one in told if one[1] != CLASSES[one[0]]]
    first_of_many = [one for one in wrong if one[:2] == ("duplicate", "")]
    assert [one for one in wrong if one not in first_of_many] == []
    assert len(first_of_many) == 1  # nothing to compare the first one with

    for record in records:
        assert record.outcome == ("failed" if record.error_class else "ok")
        if record.error_class in INSPECTED:
            assert record.numbers["valid"] == 0
        assert ("rtf" in record.numbers) == (not record.error_class)
    met = Counter(fault for fault, _, _ in told)
    # Which faults the first hundred draw is the seed's doing alone.
    assert {name for name in CLASSES if met[name] == 0} == set()
    assert outcome.result("faults")["errors"] == dict(Counter(error for _, error, _ in told if error))


USERS, ANSWER_S, LOAD_S = 10, 0.040, 6.0


def test_a_service_that_fails_has_the_load_of_one_that_does_not(
    testbed: Callable[..., Any], run_genload: Callable[..., Any], tmp_path: Path
) -> None:
    # One answer at a time, 40 ms each: by Little's law ten users wait 400 ms for theirs, and get 25 a second.
    one_by_one = {"slots": 1, "first_chunk": f"{ANSWER_S}s", "chunk": "1s", "pace": "0s"}
    server = testbed(api="litetts", engine="tone", fault=["error=10%"], seed=4, **one_by_one)
    load = {
        "shape": {"kind": "normal", "users": USERS, "duration": f"{LOAD_S}s"},
        "criteria": {"some_fail": "speech.failed >= 2"},
    }
    suite = {
        "service": {
            "api": "speech",
            "request": {"dialect": "litetts", "texts": {"lengths": ["short"]}},
        },
        "locustfile": "speech",
        "reports": ["results_json"],
        "settle": {"pause": "100ms"},
        "validity": LIMITS,
        "scenarios": {"as_it_is": load, "asked": {**load, "failure_pause": "10s"}},
    }
    path = tmp_path / "failing.yaml"
    path.write_text(yaml.safe_dump(suite), encoding="utf-8")
    outcome = run_genload(str(path), "--host", server.url, "--seed", "5")
    assert outcome.code == 0, outcome.output

    awake, pausing = outcome.result("as_it_is"), outcome.result("asked")
    assert awake["avg_duration"] > 0.5 * USERS * ANSWER_S
    assert awake["successful_requests"] <= LOAD_S / ANSWER_S + USERS
    assert awake["client"]["user_seconds_asleep"] == 0
    in_all = pytest.approx(USERS * LOAD_S, rel=0.5)  # on a busy machine the last of them come late
    assert awake["client"]["user_seconds_worked"] == in_all

    # Who asks for that pause has less load, is told so, and has a faster service to show for it.
    client = pausing["client"]
    assert client["user_seconds_asleep"] > 0.05 * USERS * LOAD_S
    assert client["user_seconds_worked"] + client["user_seconds_asleep"] == in_all
    assert pausing["avg_duration"] < awake["avg_duration"]
    assert "of their time after failures" in outcome.output
