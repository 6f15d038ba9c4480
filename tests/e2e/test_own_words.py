"""Whose words the answers of a real engine spoke, in runs of two load processes: the verdict against the log
of what the service had really been made to say.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from genload.artifacts.inputs.codes import DIGITS
from genload.runlog.records import RequestRecord

pytestmark = pytest.mark.processes

CARRIER = "Heavy load test number {code}."
RATES = ["swap=30%", "drop-word=8%", "repeat-sentence=8%", "bleed=8%"]
SEED = 3
"""Of faults that spare the warm-up, in which the recogniser proves itself."""
OWN, ANOTHERS, BROKEN, DOUBTFUL = "own", "another's", "no code that was asked for", "own or broken"
USERS, REQUESTS, WARM_UP = 6, 48, 5


def suite() -> dict[str, Any]:
    """The same load twice: every request spared, and as the service likes."""
    dialect = {"extends": "kokoro", "name": "Mine"}
    request: dict[str, Any] = {"voices": ["af_heart"], "format": "wav"}
    request["texts"] = {"template": CARRIER, "code": {"digits": 6}, "salt": False}
    load = {
        "shape": {"kind": "baseline", "users": USERS, "iterations": REQUESTS},
        "warmup": {"jobs": WARM_UP},
    }
    spared = {**request, "dialect": {**dialect, "headers": {"X-Testbed-Fault": "none"}}}
    return {
        "service": {"api": "speech", "request": {**request, "dialect": dialect}},
        "locustfile": "speech",
        "reports": ["results_json"],
        "settle": {"pause": "0s"},
        "validity": {"lag_floor": "5s", "min_user_seconds": "10%"},  # a busy machine decides nothing here
        "scenarios": {
            "clean": {**load, "request": spared, "criteria": {"own": "speech.own_words == 100%"}},
            "mixed_up": {**load, "criteria": {"none_swapped": "speech.swapped == 0"}},
        },
    }


def test_every_swap_is_found_across_workers_and_none_where_there_is_none(
    testbed: Callable[..., Any], run_genload: Callable[..., Any], tmp_path: Path
) -> None:
    server = testbed(api="kokoro", slots=USERS, fault=RATES, seed=SEED)
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump(suite()), encoding="utf-8")
    outcome = run_genload(str(path), "--host", server.url, "--seed", "5", "--workers", "2")
    assert outcome.code == 1, outcome.output
    server.end()
    truth = {row["request_id"]: row for row in server.truth_records()}

    clean = outcome.result("clean")
    assert clean["validation"]["own"] is True
    assert words(clean) == {"own": REQUESTS}

    result = outcome.result("mixed_up")
    records = [record for record in outcome.jobs("mixed_up") if not record.warmup]
    expected = Counter(whose(record, truth[record.request_id]) for record in records)
    found = words(result)
    assert found["anothers"] == expected[ANOTHERS]
    assert 0 <= found["own"] - expected[OWN] <= expected[DOUBTFUL]
    swapped = [record for record in records if truth[record.request_id]["fault"] == "swap"]
    assert len(swapped) == expected[ANOTHERS] >= 2 and expected[BROKEN] >= 2
    (criterion,) = (row for row in result["verdict"]["criteria"] if row["name"] == "none_swapped")
    assert (criterion["result"], criterion["value"]) == ("fail", len(swapped))
    # Whom they heard: another of them, of whom a load process alone often knows nothing.
    of_code = {record.said: record for record in records}
    partners = [(record, of_code[(record.heard or "")[-6:]]) for record in swapped]
    assert all(
        truth[other.request_id]["fault"] == "swap" and other is not record for record, other in partners
    )
    assert {record.source for record in records} == {"w0", "w1"}
    assert any(record.source != other.source for record, other in partners)


def words(result: dict[str, Any]) -> dict[str, int]:
    """How many answers spoke whose words, where there were any."""
    found = result["speech"]["words"]
    assert found["heard"] == REQUESTS and found["warmup_understood"] == found["warmup_codes"] == WARM_UP
    kinds = ("own", "anothers", "nobodys", "not_understood")
    return {kind: found[kind] for kind in kinds if found[kind]}


def whose(record: RequestRecord, truth: Mapping[str, Any]) -> str:
    """Whose words an answer must have spoken, by the text that was. Either may be heard where the code's last
    digit is said again, and where its first one, or the word before it, is left out.
    """
    if truth["fault"] in ("", "swap"):
        return ANOTHERS if truth["fault"] else OWN
    words = re.findall(r"\w+", truth["spoken"].lower())
    digits = "".join(str(DIGITS.index(word)) for word in words if word in DIGITS)
    if "number" not in words or digits in (record.said[1:], record.said + record.said[-1]):
        return DOUBTFUL
    return OWN if digits == record.said else BROKEN
