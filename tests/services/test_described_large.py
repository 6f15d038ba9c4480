"""Answers of more than 1 MB: read in the inspector's process, and the same to the description."""

from __future__ import annotations

import base64
import gc
import json
from typing import Any

import pytest

from genload.artifacts.duplicates import OutputRegistry
from genload.service import ServiceError
from genload.spool import Spool, Spooled

from .scripted_description import OCTETS, ONE_CALL, POLLED, failed, zipped

pytestmark = pytest.mark.processes

FILE = bytes(range(256)) * 12_000  # 3 MB, as base64 4 MB
ENCODED = base64.b64encode(FILE).decode()
INSIDE = {**POLLED, "result": {"base64": "out.mesh"}}


def jobs(*states: Any) -> dict[str, list[Any]]:
    return {"/jobs": [{"id": "7"}], "/jobs/7": list(states)}


def test_a_large_output_inside_a_poll_is_found_with_what_stands_beside_it(run: Any) -> None:
    done = {"status": "done", "t": 1.5, "out": {"mesh": f"data:model/stl;base64,{ENCODED}"}}
    numbers = {"inference_s": {"path": "t", "unit": "s"}}
    script = jobs({"status": "working"}, done)
    result, output, _ = run({**INSIDE, "numbers": numbers}, script)

    assert result.outcome == "ok" and result.numbers["inference_s"] == 1.5
    assert (bytes(output.content), output.media_type) == (FILE, "model/stl")
    assert result.stages["download"] > 0


def test_a_state_may_be_that_a_large_output_is_there(run: Any) -> None:
    poll = {"path": "/jobs/{id}", "state": {"present": "out.mesh"}}
    result, output, _ = run({**INSIDE, "poll": poll}, jobs({}, {"out": {"mesh": ENCODED}}))

    assert result.outcome == "ok" and bytes(output.content) == FILE


def test_a_large_body_and_a_member_of_a_large_zip_are_outputs(run: Any) -> None:
    result, output, _ = run(ONE_CALL, {"/generate": [(200, FILE, OCTETS)]})
    assert result.outcome == "ok" and bytes(output.content) == FILE
    packed = zipped(**{"a.glb": FILE, "b.bin": bytes(range(256)) * 5000})
    result, output, _ = run({**ONE_CALL, "result": {"zip": "*.glb"}}, {"/generate": [(200, packed, OCTETS)]})
    assert result.outcome == "ok" and (bytes(output.content), output.name) == (FILE, "a.glb")


BAD = {
    "no such path": (
        {"other": ENCODED},
        "missing_value",
        "finds nothing in the answer: it has status",
    ),
    "no base64": ({"out": {"mesh": "%" + ENCODED}}, "bad_base64", "'out.mesh' finds is no base64"),
    "no text": (
        {"out": {"mesh": [1]}, "other": ENCODED},
        "bad_answer",
        "is no text: it is a list of 1",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_in_a_large_answer_is_told_as_in_a_small_one(run: Any, name: str) -> None:
    answer, error_class, words = BAD[name]
    found, told = failed(run(INSIDE, jobs({"status": "done", **answer}))[0])

    assert found == error_class and words in told


def test_large_answers_that_are_no_json_fail_and_hold_nothing(run: Any) -> None:
    page = b"<p>Welcome</p>" * 200_000
    found, told = failed(run(INSIDE, jobs((200, page)))[0])
    assert found == "bad_answer" and "not JSON but text/html: Welcome" in told
    cut = json.dumps({"status": "done", "out": {"mesh": ENCODED}}).encode()[:-3]
    assert failed(run(INSIDE, jobs((200, cut, OCTETS)))[0])[0] == "bad_answer"
    assert failed(run(ONE_CALL, {"/generate": [(200, page)]})[0])[0] == "bad_answer"
    wrong = {**ONE_CALL, "errors": {"failed_if": "error"}}
    assert failed(run(wrong, {"/generate": [{"error": ENCODED}]})[0])[0] == "service_failed"


def test_a_large_value_is_not_captured(run: Any) -> None:
    step = {"path": "/first", "json": {"a": 1}, "capture": {"token": "token"}}
    found, told = failed(run({**ONE_CALL, "before": {"first": step}}, {"/first": [{"token": ENCODED}]})[0])

    assert found == "too_large" and "capture.token: what the path 'token' finds is larger" in told


def test_more_than_there_is_room_for_is_the_load_generator_s_own_failure(run: Any) -> None:
    room = {"max_large_answers_bytes": "5MB"}  # for the answer, and not for what it holds
    script = jobs({"status": "done", "out": {"mesh": ENCODED}})
    found, told = failed(run(INSIDE, script, **room)[0])

    assert found == "client_limit" and "large answers together have more than 5,000,000 bytes" in told
    assert failed(run(INSIDE, script, max_large_answers_bytes="3MB")[0])[0] == "client_limit"


def test_nothing_is_held_of_a_job_that_is_over(run: Any, scripted: Any) -> None:
    spool = Spool(64 << 20)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("genload.client.service_calls._spool_of", lambda limit_bytes: spool)
        _, output, _ = run(INSIDE, jobs({"status": "done", "out": {"mesh": ENCODED}}))
        assert spool.held_bytes >= len(FILE)
        del output
        assert failed(run(INSIDE, jobs({"status": "done", "out": {"mesh": f"%{ENCODED}"}}))[0])
    gc.collect()  # the fixture's list of outputs is in no cycle, and the failure's traceback may be
    assert spool.held_bytes == 0


def test_a_large_output_that_came_for_another_input_is_told() -> None:
    output, registry = Spooled(Spool(64 << 20)), OutputRegistry()
    output.write(FILE * 2)
    registry.admit("a", output)
    with pytest.raises(ServiceError, match="duplicate_output"):
        registry.admit("b", bytes(output))
