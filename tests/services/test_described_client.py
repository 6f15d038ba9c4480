"""Described services against exact answers: what is sent, what is read, which failure is which."""

from __future__ import annotations

import base64
import io
import json
import time
import zipfile
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest
from PIL import Image

from genload import extensions
from genload.artifacts.inspector import shared
from genload.drivers.job_driver import JobDriver, JobResult
from genload.service import Artifact, JobInput, NotInspectedError, ServiceError
from genload.settings.service import Poll, Retry, Service

FILE = b"a file"
FILE_BASE64 = base64.b64encode(FILE).decode()
IMAGE = JobInput("a.png", b"\x89PNG", "image/png")
IMAGE_BASE64 = base64.b64encode(IMAGE.content).decode()
VALUES = {"queued": "pending", "working": "running", "done": "completed", "error": "failed"}
ORDER = {"path": "/jobs", "json": {"image": "{image.base64}"}, "capture": {"id": "id"}}
POLL = {"path": "/jobs/{id}", "state": "status", "values": VALUES}
POLLED = {**ORDER, "poll": POLL, "result": {"path": "/jobs/{id}/file"}}
ONE_CALL = {"path": "/generate", "json": {"image": "{image.base64}"}}
OCTETS = {"Content-Type": "application/octet-stream"}


class Everywhere(dict[str, Any]):
    """A script that has the file for every path."""

    def get(self, path: str, default: Any = None) -> list[Any]:
        return [(200, FILE, OCTETS)]


ANY = Everywhere()


@pytest.fixture
def run(scripted: Any) -> Iterator[Callable[..., Any]]:
    """A factory: one job of a description against a script; its result, its output and what was asked for."""
    clients: list[Any] = []

    def start(request: dict[str, Any], script: dict[str, list[Any]], **settings: Any) -> Any:
        service = scripted(script)
        data = {"api": "job", "host": service.url, "request": request, "timeout": "3s", **settings}
        model = Service.model_validate(data, context={"wings": extensions.Wings()})
        quick = {"poll": Poll(interval_s=0.01), "retry": Retry(default_wait_s=0.01, max_wait_s=0.02)}
        client = extensions.attribute("services", "job", "Client")(model)
        clients.append(client)
        outputs: list[Artifact] = []
        result = JobDriver(
            client,
            IMAGE,
            service=model.model_copy(update=quick),
            inspect=lambda artifact: outputs.append(artifact) or {},  # type: ignore[func-returns-value]
            rng=Random(1),
            request_id="5f0c2a6e-0000-4000-8000-000000000001",
        ).run()
        return result, outputs[0] if outputs else None, service.received

    yield start
    for client in clients:
        client.close()


def failed(result: JobResult) -> tuple[str, str]:
    assert result.outcome == "failed"
    return result.error_class, result.error


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


# --- results


def result_of(run: Any, result: dict[str, Any], answer: Any, **script: Any) -> Any:
    return run({**ONE_CALL, "result": result}, {"/generate": [answer], **script})


def test_a_result_is_found_where_the_description_says(run: Any) -> None:
    _, output, _ = result_of(run, {"base64": "data[0].b64"}, {"data": [{"b64": FILE_BASE64}]})
    assert output.content == FILE
    uri = f"data:model/gltf-binary;base64,{FILE_BASE64}"
    _, output, _ = result_of(run, {"base64": "mesh"}, {"mesh": uri})
    assert (output.content, output.media_type) == (FILE, "model/gltf-binary")
    files = {"files": [{"name": "a.png", "url": "/no"}, {"name": "a.glb", "url": "/out/a.glb"}]}
    chosen = {"url": "files[?ends_with(name, '.glb')] | [0].url"}
    _, output, received = result_of(run, chosen, files, **{"/out/a.glb": [(200, FILE, OCTETS)]})
    assert (output.content, output.name) == (FILE, "a.glb")
    assert [asked.path for asked in received] == ["/generate", "/out/a.glb"]


def zipped(**members: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


def test_a_member_of_a_zip_is_the_output(run: Any) -> None:
    packed = zipped(**{"readme.txt": b"x", "out/model.obj": FILE})
    _, output, _ = result_of(run, {"zip": "*.obj"}, (200, packed, OCTETS))

    assert (output.content, output.name) == (FILE, "model.obj")


def test_a_result_of_another_origin_comes_without_the_service_s_credentials(
    run: Any, scripted: Any, monkeypatch: Any
) -> None:
    monkeypatch.setenv("TOKEN", "swordfish")
    elsewhere = scripted({"/bucket/a.glb?sig=1": [(200, FILE, OCTETS)]})
    answer = {"url": f"{elsewhere.url}/bucket/a.glb?sig=1"}
    request, script = {**ONE_CALL, "result": {"url": "url"}}, {"/generate": [answer]}
    secret = {"headers": {"Authorization": "${env:TOKEN}"}}

    error_class, words = failed(run(request, script, **secret)[0])
    assert error_class == "bad_answer" and f"service.allow_origins: ['{elsewhere.url}']" in words
    assert elsewhere.received == []
    result, output, received = run(request, script, allow_origins=[elsewhere.url], **secret)
    assert (result.outcome, output.content) == ("ok", FILE)
    assert received[0].headers["authorization"] == "swordfish"
    assert "authorization" not in elsewhere.received[0].headers


def test_numbers_of_answers_are_in_the_record_whatever_becomes_of_the_job(run: Any) -> None:
    numbers = {
        "inference_s": {"path": "stats.ms", "unit": "ms"},
        "worked_s": {"path": "ended", "minus": "started", "unit": "ms"},
        "memory": {"path": "memory_mb", "unit": "MB"},
        "node": {"header": "X-Node", "of": "request"},
        "absent": "nowhere",
    }
    answer = {"status": "done", "stats": {"ms": 1500}, "ended": 5400, "started": 5000, "memory_mb": 2}
    script = {"/jobs": [(200, {"id": "7"}, {"X-Node": "3"})], "/jobs/7": [answer]}
    result, _, _ = run({**POLLED, "numbers": numbers}, script)

    assert failed(result)[0] == "http_404"  # of the file
    noted = {name: result.numbers.get(name) for name in numbers}
    assert noted == {"inference_s": 1.5, "worked_s": 0.4, "memory": 2e6, "node": 3.0, "absent": None}


def test_labels_of_answers_are_in_the_record(run: Any) -> None:
    labels = {
        "replica": {"header": "X-Served-By"},
        "node": {"path": "node", "of": "end"},
        "absent": "nowhere",
    }
    script = {
        "/jobs": [(200, {"id": "7"}, {"X-Served-By": "gpu-3" + "x" * 100})],
        "/jobs/7": [{"status": "error", "node": 4}],
    }
    result, _, _ = run({**POLLED, "labels": labels}, script)

    assert failed(result)[0] == "job_failed"
    assert result.labels == {"replica": f"gpu-3{'x' * 54}…", "node": "4"}


def client_of(request: dict[str, Any]) -> Any:
    service = {"api": "job", "request": {**ONE_CALL, **request}}
    model = Service.model_validate(service, context={"wings": extensions.Wings()})
    return extensions.attribute("services", "job", "Client")(model)


def test_an_output_may_be_any_bytes_as_long_as_there_are_enough() -> None:
    client = client_of({"output": {"kind": "bytes", "at_least": "10KB"}})

    assert client.inspect(Artifact(bytes(10_000), "a.bin", "")) == {}
    with pytest.raises(ServiceError, match=r"too_small: a\.bin has 9,999 bytes, and must have 10,000"):
        client.inspect(Artifact(bytes(9_999), "a.bin", ""))
    with pytest.raises(ServiceError, match="too_small"):
        client_of({"output": "bytes"}).inspect(Artifact(b"", "", ""))
    with pytest.raises(NotInspectedError):
        client_of({"output": "none"}).inspect(Artifact(b"", "", ""))


@pytest.mark.processes
def test_an_output_may_be_a_picture() -> None:
    client = client_of({"output": "image"})
    content = io.BytesIO()
    Image.effect_noise((8, 6), 50).save(content, "PNG")
    try:
        assert client.inspect(Artifact(content.getvalue(), "a.png", "")) == {"width_px": 8, "height_px": 6}
        with pytest.raises(ServiceError, match="not_a_picture"):
            client.inspect(Artifact(FILE, "a.png", ""))
    finally:
        shared().close()


# --- answers that are failures


@pytest.mark.parametrize(
    ("errors", "answer", "error_class", "words"),
    [
        ({}, (500, {"detail": "CUDA error"}), "http_500", "CUDA error"),
        ({}, (422, {"error": {"message": "no image"}}), "http_422", "no image"),
        ({"status": {404: "job_failed"}}, (404, {"message": "it broke"}), "job_failed", "it broke"),
        ({"status": {499: "cancelled"}}, (499, b""), "cancelled", "Whatever"),
        ({"words": "why[0]"}, (500, {"why": ["first"]}), "http_500", "first"),
        ({"failed_if": "error"}, {"error": "nsfw"}, "service_failed", "nsfw"),
        ({"failed_if": "status == 'bad'"}, {"status": "bad", "msg": "m"}, "service_failed", "m"),
        ({"status": {200: "job_failed"}}, (200, {"error": "always"}), "job_failed", "always"),
    ],
)
def test_failures_are_told_by_status_and_by_what_is_in_the_answer(
    run: Any, errors: dict[str, Any], answer: Any, error_class: str, words: str
) -> None:
    found, told = failed(run({**ONE_CALL, "errors": errors}, {"/generate": [answer]})[0])

    assert found == error_class and words in told


def test_a_status_that_means_busy_is_tried_again(run: Any) -> None:
    script = {"/generate": [(500, {"error": "busy"}), (200, FILE, OCTETS)]}
    result, output, received = run({**ONE_CALL, "errors": {"status": {500: "busy"}}}, script)

    assert (result.outcome, output.content, len(received)) == ("ok", FILE, 2)
    assert (result.numbers["rejections"], result.numbers["attempts"]) == (1, 2)


# --- bad input: an error class each, bounded memory, never a success, never a crash

MANY = 1 << 20
BAD = {
    "a path to nothing": (
        {"result": {"base64": "data.mesh"}}, [{"id": 1, "output": {"url": "/x"}}],
        "missing_value", "service.request.result.base64: the path 'data.mesh' finds nothing",
    ),
    "html with 200": ({"result": {"base64": "x"}}, [(200, b"<h1>Welcome</h1>")], "bad_answer", "Welcome"),
    "html in the place of the file": (
        {}, [(200, b"<h1>Welcome</h1>")], "bad_answer",
        "not JSON but text/html",
    ),
    "base64 that is none": (
        {"result": {"base64": "x"}}, [{"x": "%%%"}], "bad_base64", "'x' finds is no base64",
    ),
    "a number where base64 should be": ({"result": {"base64": "x"}}, [{"x": 7}], "bad_answer", "is no text"),
    "a damaged zip": ({"result": {"zip": "*"}}, [(200, b"PK\x03\x04...", OCTETS)], "bad_zip", "damaged"),
    "a zip without the member": (
        {"result": {"zip": "*.glb"}}, [(200, zipped(readme=b"x"), OCTETS)], "bad_zip", "there are readme",
    ),
    "a zip bomb": (
        {"result": {"zip": "*"}}, [(200, zipped(bomb=bytes(64 * MANY)), OCTETS)], "too_large", "more than",
    ),
    "a redirect to another origin": (
        {}, [(302, b"", {"Location": "http://elsewhere.example/"})], "http_302", "allow_origins",
    ),
    "a url that cannot be followed": (
        {"result": {"url": "u"}}, [{"u": "http://[broken"}], "bad_answer", "no address",
    ),
    "a url with line breaks": (
        {"result": {"url": "u"}}, [{"u": "/a\r\nX: y"}], "bad_answer",
        "cannot be followed",
    ),
    "json that is cut off": (
        {"result": {"base64": "x"}}, [(200, b'{"x": "', OCTETS)], "bad_answer",
        "not JSON",
    ),
    "json nested too deeply": (
        {"result": {"base64": "x"}}, [(200, b"[" * 100_000, OCTETS)], "bad_answer", "not JSON",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_answers_to_one_call_have_a_class_each(run: Any, name: str) -> None:
    more, answers, error_class, words = BAD[name]
    settings = {"max_answer_bytes": "1MiB", "headers": {"X-Own": "1"}}
    found, told = failed(run({**ONE_CALL, **more}, {"/generate": answers}, **settings)[0])

    assert found == error_class
    assert any(part in told for part in words.split("|"))


def test_a_path_to_nothing_shows_the_keys_that_are_there(run: Any) -> None:
    answer = {"job": {"uuid": "x", "state": "new"}, "ok": True}
    _, told = failed(run(POLLED, {"/jobs": [answer]})[0])

    assert told == (
        "service.request.capture.id: the path 'id' finds nothing in the answer: "
        "it has job.uuid, job.state, ok"
    )


@pytest.mark.parametrize("found", ["x" * MANY, "", {"a": 1}, ["a"]], ids=["1 MB", "empty", "object", "list"])
def test_an_id_that_is_none_goes_into_no_request(run: Any, found: Any) -> None:
    result, _, received = run(POLLED, {"/jobs": [{"id": found}]})

    assert failed(result)[0] == "bad_answer" and len(received) == 1
    assert len(result.job_id) < 300 and len(result.error) <= 500


def test_what_cannot_stand_in_a_header_goes_into_none(run: Any) -> None:
    poll = {**POLL, "headers": {"X-Id": "{id}"}}
    result, _, received = run({**POLLED, "poll": poll}, {"/jobs": [{"id": "a\nX-Other: y"}]})

    assert failed(result)[0] == "bad_answer" and len(received) == 1
