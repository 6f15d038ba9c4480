"""Described services against exact answers: what is sent, and what is read of a job under way."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from .scripted_description import (
    ANY,
    FILE,
    FILE_BASE64,
    IMAGE,
    IMAGE_BASE64,
    OCTETS,
    ORDER,
    POLL,
    POLLED,
    failed,
)

# --- what is sent


def test_a_template_s_names_are_filled_wherever_they_stand(run: Any) -> None:
    request = {
        "path": "/generate/{image.name}",
        "query": {"seed": "{seed}", "debug": False},
        "headers": {"X-Job": "{uuid}"},
        "json": {
            "image": "{image.data_uri}",
            "options": {"seed": "{seed}", "names": ["{image.name}", 7], "literal": "{{x}}"},
        },
    }
    result, _, (asked,) = run(request, ANY)

    body = json.loads(asked.body)
    seed = body["options"]["seed"]
    assert isinstance(seed, int) and asked.path == f"/generate/a.png?seed={seed}&debug=false"
    assert body["image"] == f"data:image/png;base64,{IMAGE_BASE64}"
    assert body["options"]["names"] == ["a.png", 7] and body["options"]["literal"] == "{x}"
    assert asked.headers["x-job"] == asked.headers["x-request-id"] == result.request_id
    assert asked.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("body", "kind", "sent"),
    [
        ({"form": {"a": "{image.name}", "n": 7}}, "application/x-www-form-urlencoded", b"a=a.png&n=7"),
        ({"raw": "{image}"}, "image/png", IMAGE.content),
        ({"raw": "<xml>{image.name}</xml>"}, "text/plain; charset=utf-8", b"<xml>a.png</xml>"),
        ({"raw": "{image}", "headers": {"Content-Type": "image/x"}}, "image/x", IMAGE.content),
    ],
)
def test_bodies_that_are_no_json(run: Any, body: dict[str, Any], kind: str, sent: bytes) -> None:
    result, _, (asked,) = run({"path": "/generate", **body}, ANY)

    assert result.outcome == "ok", result.error
    assert (asked.method, asked.headers["content-type"], asked.body) == ("POST", kind, sent)


def test_a_form_with_files_has_each_with_its_name_and_type(run: Any) -> None:
    fields = {"front": "{image}", "seed": "{seed}", "format": "glb", "again": "{image}"}
    _, _, (asked,) = run({"path": "/generate", "multipart": fields}, ANY)

    assert asked.body.count(b'filename="a.png"\r\nContent-Type: image/png\r\n\r\n' + IMAGE.content) == 2
    assert b'name="format"\r\n\r\nglb\r\n' in asked.body


def test_a_graph_of_a_file_is_sent_with_values_in_their_places(run: Any, tmp_path: Any) -> None:
    graph = {"10": {"inputs": {"image": "x.png", "text": "a {cat|dog}"}}, "11": {"inputs": {"seed": [1, 2]}}}
    (tmp_path / "graph.json").write_text(json.dumps({"prompt": graph}))
    places = {"/prompt/10/inputs/image": "{stored}", "/prompt/11/inputs/seed/1": "{seed}"}
    before = {"store": {"path": "/upload", "raw": "{image}", "capture": {"stored": "name"}}}
    request = {"path": "/prompt", "before": before, "json_file": str(tmp_path / "graph.json"), "set": places}
    result, _, received = run(request, {"/upload": [{"name": "in.png"}], "/prompt": [(200, FILE, OCTETS)]})

    assert result.outcome == "ok", result.error
    sent = json.loads(received[1].body)["prompt"]
    assert sent["10"]["inputs"] == {"image": "in.png", "text": "a {cat|dog}"}
    assert isinstance(sent["11"]["inputs"]["seed"][1], int)


def test_a_job_may_be_made_from_a_text_of_its_own(run: Any) -> None:
    request = {
        "path": "/generate",
        "json": {"prompt": "{text}"},
        "texts": {"template": "A chair, number {i}."},
    }
    _, _, (asked,) = run(request, ANY)
    _, _, (again,) = run(request, ANY)

    prompt = json.loads(asked.body)["prompt"]
    assert prompt.startswith("A chair, number ") and "{" not in prompt
    assert json.loads(again.body)["prompt"] == prompt  # of the same input


def test_what_answers_give_is_never_taken_for_a_reference_to_a_secret(run: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("OTHER_SECRET", "swordfish")
    monkeypatch.setenv("OWN_TOKEN", "abc123")
    request = {**POLLED, "headers": {"X-Token": "${env:OWN_TOKEN}"}}
    poll = {**POLL, "headers": {"X-Id": "{id}"}}
    script = {"/jobs": [{"id": "${env:OTHER_SECRET}"}]}
    _, _, received = run({**request, "poll": poll}, script)

    assert received[0].headers["x-token"] == "abc123"
    assert received[1].headers["x-id"] == "${env:OTHER_SECRET}"


def test_a_token_that_changes_while_a_job_is_polled_is_sent_as_it_is_then(run: Any, tmp_path: Any) -> None:
    (tmp_path / "token").write_text("swordfish")
    poll = {**POLL, "headers": {"X-Token": f"${{file:{tmp_path}/token}}"}}

    class Turning(list[Any]):
        """Answers to polls; with the first, another token is there."""

        def pop(self, index: Any = -1) -> Any:
            (tmp_path / "token").write_text("marlin-77")
            return super().pop(index)

    states = Turning([{"status": "working"}, {"status": "done"}])
    script = {"/jobs": [{"id": "7"}], "/jobs/7": states, "/jobs/7/file": [(200, FILE, OCTETS)]}
    result, _, received = run({**POLLED, "poll": poll}, script)

    assert result.outcome == "ok", result.error
    tokens = [asked.headers["x-token"] for asked in received if asked.path == "/jobs/7"]
    assert tokens == ["swordfish", "marlin-77"]


# --- steps before the order, and what answers give


def test_steps_before_the_order_give_what_later_calls_name(run: Any) -> None:
    before = {
        "token": {"path": "/token", "capture": {"token": "data.token", "server": {"header": "X-Node"}}},
        "store": {
            "path": "/store",
            "multipart": {"image": "{image}"},
            "capture": {"at": {"header": "Location"}},
        },
    }
    request = {
        "before": before,
        "path": "/generate",
        "json": {"image_url": "{at}", "node": "{server}"},
        "headers": {"X-Session": "{token}"},
    }
    script = {
        "/token": [(200, {"data": {"token": "t1"}}, {"X-Node": "n7"})],
        "/store": [(201, {}, {"Location": "/files/9"})],
        "/generate": [(200, FILE, OCTETS)],
    }
    result, output, received = run(request, script)

    assert (result.outcome, output.content) == ("ok", FILE)
    assert json.loads(received[2].body) == {"image_url": "/files/9", "node": "n7"}
    assert received[2].headers["x-session"] == "t1"


def test_a_job_goes_from_its_order_over_its_states_to_its_file(run: Any) -> None:
    states = [{"status": "queued"}, {"status": "working"}, {"status": "done"}]
    script = {"/jobs": [{"id": 7}], "/jobs/7": states, "/jobs/7/file": [(200, FILE, OCTETS)]}
    result, output, received = run(POLLED, script)

    assert (result.outcome, result.job_id, output.content) == ("ok", "7", FILE)
    assert result.numbers["polls"] == 3
    assert [asked.method for asked in received] == ["POST", "GET", "GET", "GET", "GET"]


def test_urls_that_answers_give_are_followed_and_ids_in_paths_are_encoded(run: Any) -> None:
    request = {
        **ORDER,
        "capture": {"id": "id", "status_url": "status_url"},
        "poll": {**POLL, "path": "{status_url}", "capture": {"file": "output"}},
        "result": {"path": "/files/{file}"},
    }
    script = {
        "/jobs": [{"id": "a", "status_url": "/q/a?x=1"}],
        "/q/a?x=1": [{"status": "done", "output": "a b?.stl"}],
        "/files/a%20b%3F.stl": [(200, FILE, OCTETS)],
    }
    result, output, _ = run(request, script)

    assert (result.outcome, output.content) == ("ok", FILE)


@pytest.mark.parametrize(("status", "polls"), [(200, 0), (202, 1)])
def test_an_order_may_be_answered_with_the_end_or_with_a_job(run: Any, status: int, polls: int) -> None:
    request = {
        "mode": "sync_or_job",
        "path": "/infer",
        "json": {"image": "{image.data_uri}"},
        "capture": {"id": {"header": "nvcf-reqid"}},
        "poll": {"path": "/status/{id}", "state": {"status": {202: "unknown", 200: "completed"}}},
        "result": {"base64": "artifacts[0].base64"},
    }
    end = {"artifacts": [{"base64": FILE_BASE64}]}
    order = (200, end) if status == 200 else (202, {}, {"NVCF-REQID": "r1"})
    result, output, _ = run(request, {"/infer": [order], "/status/r1": [(200, end)]})

    assert (result.outcome, output.content, result.numbers["polls"]) == ("ok", FILE, polls)


# --- states


@pytest.mark.parametrize(
    ("state", "answers"),
    [
        ({"all_of": "jobs[].status"}, [{"jobs": [{"status": "done"}, {"status": "working"}]},
                                       {"jobs": [{"status": "done"}, {"status": "done"}]}]),
        ({"present": "output.url"}, [{"output": None}, {"output": {"url": "/x"}}]),
        ({"status": {"202": "running", "200": "completed"}}, [(202, {}), (200, {})]),
        ("data[0].state", [{"data": [{"state": "queued"}]}, {"data": [{"state": "done"}]}]),
    ],
)  # fmt: skip
def test_a_state_is_told_in_many_ways(run: Any, state: Any, answers: list[Any]) -> None:
    poll = {**POLL, "state": state}
    script = {"/jobs": [{"id": "7"}], "/jobs/7": answers, "/jobs/7/file": [(200, FILE, OCTETS)]}
    result, _, _ = run({**POLLED, "poll": poll}, script)

    assert (result.outcome, result.error) == ("ok", "")
    assert result.numbers["polls"] == 2


def polled(run: Any, answers: list[Any], poll: dict[str, Any] | None = None, **more: Any) -> Any:
    script = {"/jobs": [{"id": "7"}], "/jobs/7": answers, "/jobs/7/file": [(200, FILE, OCTETS)]}
    return run({**POLLED, "poll": {**POLL, **(poll or {})}, **more}, script)


def test_failed_jobs_have_the_service_s_words_and_a_class(run: Any) -> None:
    answer = {"status": "error", "error": {"message": "CUDA out of memory"}}
    assert failed(polled(run, [answer])[0]) == ("job_failed", "CUDA out of memory")

    cancelled = {"status": "cancelled", "reason": "by an admin"}
    poll = {"failed_as": {"cancelled": "cancelled"}, "words": "reason"}
    assert failed(polled(run, [cancelled], poll)[0]) == ("cancelled", "by an admin")

    one_of_two = {"jobs": [{"status": "done"}, {"status": "error"}]}
    assert failed(polled(run, [one_of_two], {"state": {"all_of": "jobs[].status"}})[0])[0] == "job_failed"


def test_a_job_may_be_unknown_for_a_while_and_no_longer(run: Any) -> None:
    early = [(404, {"error": "no"}), {}, {"status": "done"}]
    assert polled(run, early, {"missing_for": "1s"})[0].outcome == "ok"

    assert failed(polled(run, [(404, {"error": "no"})])[0])[0] == "http_404"
    lost = failed(polled(run, [{}], {"missing_for": "50ms"})[0])
    assert lost == ("job_lost", "the accepted job has no state after 50 ms")
    seen_and_gone = [{"status": "working"}, (404, {})]
    assert failed(polled(run, seen_and_gone, {"missing_for": "1s"})[0])[0] == "http_404"


def test_a_state_that_never_ends_is_stuck_or_runs_out_of_time(run: Any) -> None:
    error_class, words = failed(polled(run, [{"status": "working"}], {"stuck_after": "100ms"})[0])
    assert error_class == "stuck" and "'working' for more than 100 ms" in words

    script = {"/jobs": [{"id": "7"}], "/jobs/7": [{"status": "working"}], "/stop/7": [{}]}
    request = {**POLLED, "cancel": {"method": "DELETE", "path": "/stop/{id}"}}
    result, _, received = run(request, script, timeout="200ms")
    assert failed(result)[0] == "timeout"
    assert (received[-1].method, received[-1].path) == ("DELETE", "/stop/7")


def test_a_service_says_when_it_wants_to_be_asked(run: Any) -> None:
    answers = [(200, {"status": "working", "left": 0.2}, {"Retry-After": "0.2"}), {"status": "done"}]
    for pace in ({"header": "Retry-After"}, "left"):
        began_s = time.monotonic()
        request = {**POLLED, "poll": {**POLL, "pace": pace}}
        script = {"/jobs": [{"id": "7"}], "/jobs/7": list(answers), "/jobs/7/file": [(200, FILE, OCTETS)]}
        result, _, _ = run(request, script)
        assert result.outcome == "ok"
        assert time.monotonic() - began_s >= 0.02  # as long as `retry.max_wait` lets it


def test_a_state_that_nobody_explained_is_told_with_those_that_are(run: Any) -> None:
    error_class, words = failed(polled(run, [{"status": "warming"}])[0])

    assert error_class == "bad_answer"
    assert words.startswith("service.request.poll.values: the state is 'warming'; explained are queued,")
