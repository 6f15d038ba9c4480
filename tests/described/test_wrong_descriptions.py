"""Every wrong description is one line with file, line, key and remedy, before anything is sent."""

from __future__ import annotations

import re
from typing import Any

import pytest

from genload.errors import ConfigError

from .conftest import GOOD, Loads, line_of

CAPTURE = "capture: {id: id}"
BODY = 'json: {image: "{image.base64}"}'

# What is written instead of what, the line's text, the key, what the message and the remedy say.
WRONG = {
    "a name that nobody knows": (
        ("path: /v1/jobs/{id}\n", "path: /v1/jobs/{job}\n"),
        "path: /v1/jobs/{id}", "poll.path", "nobody captures '{job}'", "image.base64",
    ),
    "a name before it is captured": (
        (BODY, 'json: {image: "{image.base64}", ref: "{id}"}'),
        BODY, "json.ref", "used before it is captured, by service.request.capture", "later call",
    ),
    "a capture of a step behind": (
        (CAPTURE, CAPTURE + '\n    before: {a: {path: "/{b}"}, b: {path: /b, capture: {b: x}}}'),
        "poll:", "before.a.path", "before it is captured, by service.request.before.b.capture", "later call",
    ),
    "a path that cannot be read": (
        ("state: status", "state: data[.status"), "state: status", "poll.state", "no JSON path",
        "files[0].url",
    ),
    "a capture that cannot be read": (
        (CAPTURE, "capture: {id: a..b}"), CAPTURE, "capture.id", "from '.b' on", "JMESPath",
    ),
    "a capture from two places": (
        (CAPTURE, "capture: {id: {path: id, header: Location}}"),
        CAPTURE, "capture.id", "path and header exclude each other", "leave one",
    ),
    "a name of genload's own": (
        (CAPTURE, "capture: {seed: id}"), CAPTURE, "capture", "'seed' is genload's own", "otherwise",
    ),
    "a text that nothing is said of": (
        (BODY, 'json: {prompt: "{text}"}'), BODY, "json.prompt", "nothing of texts", "texts: {file",
    ),
    "a format of another kind of output": (
        (CAPTURE, CAPTURE + "\n    format: glb\n    output: image"),
        "poll:", "format", "'glb' is no format that is looked for in image", "png, jpeg",
    ),
    "a format that nobody looks for": (
        (CAPTURE, CAPTURE + "\n    format: ply\n    output: bytes"),
        "poll:", "format", "bytes", "leave it out",
    ),
    "a view by the name of something else": (
        (CAPTURE, CAPTURE + "\n    views: [front, seed]"),
        "poll:", "views", "'seed' has the name of", "rename",
    ),
    "a view that there is none of": (
        (BODY, 'json: {image: "{front.base64}", other: "{left.base64}"}\n    views: [front]'),
        BODY, "json.other", "nobody captures '{left.base64}'", "front",
    ),
    "a view that is a file in JSON": (
        (BODY, 'json: {image: "{front}"}\n    views: [front]'),
        BODY, "json.image", "is a file", "{front.base64}",
    ),
    "a brace that ends nothing": (
        ("path: /v1/jobs/{id}\n", "path: /v1/jobs/{id\n"),
        "path: /v1/jobs/{id}", "poll.path", "is no name", "{{ }}",
    ),
    "a brace inside JSON": (
        (BODY, 'json: {image: "{image.base64}", list: ["{ x }"]}'), BODY, "json.list.0", "is no name",
        "{{ }}",
    ),
    "one call that is polled": (
        ("path: /v1/jobs\n", "path: /v1/jobs\n    mode: sync\n"),
        BODY, "mode", "is not polled", "take poll out",
    ),
    "a mode that there is not": (
        ("path: /v1/jobs\n", "path: /v1/jobs\n    mode: async\n"), BODY, "mode", "'sync_or_job'", "choose",
    ),
    "no result": (
        ('    result: {path: "/v1/jobs/{id}/result"}\n', ""),
        "poll:", "poll", "where a finished job's output is", "result: {path",
    ),
    "no words of the state": (
        ("      values: {queued: pending, completed: completed}\n", ""),
        "poll:", "poll", "no word of 'values' means completed", "values: {queued",
    ),
    "a meaning that there is not": (
        ("queued: pending", "queued: waiting"), "values:", "poll.values.queued", "'unknown'", "choose",
    ),
    "two places of the state": (
        ("state: status", "state: {path: a, present: b}"), "state: status", "poll.state", "exclude", "leave",
    ),
    "a file in JSON": (
        ("{image.base64}", "{image}"), BODY, "json.image", "a file, which 'json' cannot hold",
        "{image.base64}",
    ),
    "two bodies": ((BODY, f"form: {{a: b}}\n    {BODY}"), "request:", "", "are each a body", "leave one"),
    "nothing of a job's own": (
        ("{image.base64}", "always.png"), "path: /v1/jobs\n", "path", "nothing of a job's own|anything",
        "{image}",
    ),
    "a key that there is not": (
        ("capture: {id", "captures: {id"), CAPTURE, "captures", "unknown key", "did you mean 'capture'",
    ),
    "the interval of polls": (
        ("state: status", "interval: 2s\n      state: status"), "poll:", "poll", "'interval'", "service.poll",
    ),
    "a job's name outside of a job": (
        (CAPTURE, f"{CAPTURE}\n    ready: {{path: '/{{id}}'}}"),
        "poll:", "ready.path", "outside of one", "take it out",
    ),
    "a unit that there is not": (
        (CAPTURE, f"{CAPTURE}\n    numbers: {{t: {{path: x, unit: sec}}}}"),
        "poll:", "numbers.t.unit", "unknown unit 'sec'", "leave it out",
    ),
    "a number that there is already": (
        (CAPTURE, f"{CAPTURE}\n    numbers: {{polls: x}}"), "poll:", "numbers.polls", "already", "rename",
    ),
    "a secret in clear": (
        (CAPTURE, f"{CAPTURE}\n    headers: {{Authorization: abc}}"), "poll:", "headers",
        "secret in clear", "env",
    ),
    "places without a file": (
        (CAPTURE, f"{CAPTURE}\n    set: {{/1/a: b}}"), "request:", "", "there is none", "json_file",
    ),
    "a place that is none": (
        (BODY, 'json_file: x.json\n    set: {a/b: "{image.base64}"}'), CAPTURE, "set.a/b",
        "no JSON Pointer", "/10",
    ),
    "a class that cannot be one": (
        (CAPTURE, f"{CAPTURE}\n    errors: {{status: {{404: Not Found}}}}"),
        "poll:", "errors.status.404", "cannot be a name", "letters",
    ),
    "a status that there is not": (
        (CAPTURE, f"{CAPTURE}\n    errors: {{status: {{99: busy}}}}"), "poll:", "errors.status.99",
        "200", "larger",
    ),
}  # fmt: skip


def test_the_suite_itself_is_right(load: Loads) -> None:
    assert load().suite.service.api == "job"


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_description_says_where_what_and_what_to_do(load: Loads, name: str) -> None:
    replaced, at, key, message, remedy = WRONG[name]
    with pytest.raises(ConfigError) as raised:
        load(replaced)

    error = raised.value
    assert len(getattr(error, "errors", [error])) == 1, error.render()
    assert error.file.endswith("mine.yaml") and error.line == line_of(at)
    assert error.key == f"service.request.{key}".rstrip(".")
    assert re.search(message, error.message) if "|" in message else message in error.message
    assert remedy in error.remedy


def test_a_stage_that_one_call_does_not_have_cannot_be_judged(load: Loads) -> None:
    one_call = GOOD[GOOD.index("    capture:") : GOOD.index("locustfile")]
    criterion = ("generate.failed == 0", "generate.stage.queue.p95 < 3s")

    load(criterion)
    load((one_call, ""), ("generate.failed == 0", "generate.stage.run.p95 < 3s"))
    with pytest.raises(ConfigError, match=r"unknown metric 'generate\.stage\.queue'"):
        load((one_call, ""), criterion)


def test_what_an_output_is_decides_what_may_be_judged_of_it(load: Loads) -> None:
    faces, width = (f"generate.{name}.min >= 12" for name in ("faces", "width_px"))
    image = (CAPTURE, f"{CAPTURE}\n    output: image")

    load(("generate.failed == 0", faces))
    load(image, ("generate.failed == 0", width))
    with pytest.raises(ConfigError, match=r"unknown metric 'generate\.faces'"):
        load(image, ("generate.failed == 0", faces))


@pytest.mark.parametrize(
    ("replaced", "call"),
    [
        ((("path: /v1/jobs/{id}\n", "path: /status\n"), ("/v1/jobs/{id}/result", "/v1/result")), "poll"),
        ((("/v1/jobs/{id}/result", "/download/model"),), "result"),
    ],
)
def test_results_that_are_nobody_s_own_are_for_one_user_alone(load: Loads, replaced: Any, call: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(*replaced)

    words = f"3 users would take each other's results: service.request.{call} asks for no job of its own"
    assert caught.value.message == words
    assert caught.value.key == "scenarios.steady.shape" and caught.value.line == line_of("shape:")
    assert "or take one user" in caught.value.remedy
    assert load(*replaced, ("users: 3", "users: 1"))


def test_labels_of_the_answers_are_filters(load: Loads) -> None:
    labels = (CAPTURE, f"{CAPTURE}\n    labels: {{replica: {{header: x-served-by}}}}")
    criterion = ("generate.failed == 0", '"each(replica): generate.duration.p95 < 3min"')

    load(labels, criterion)
    load(labels, ("generate.failed == 0", "generate.duration.p95{replica=gpu-1} < 3min"))
    with pytest.raises(ConfigError, match="replica"):
        load(criterion)


def test_numbers_of_the_answers_are_metrics_of_their_unit(load: Loads) -> None:
    numbers = (CAPTURE, f"{CAPTURE}\n    numbers: {{inference_s: {{path: t, unit: ms}}, steps: n}}")

    load(numbers, ("generate.failed == 0", "generate.inference_s.p95 < 3s and generate.steps.mean > 10"))
    with pytest.raises(ConfigError, match="inference_s"):
        load(numbers, ("generate.failed == 0", "generate.inference_s.p95 < 3GiB"))
    with pytest.raises(ConfigError, match="inference_s"):
        load(("generate.failed == 0", "generate.inference_s.p95 < 3s"))
