"""Every YAML of docs/described is a description that holds, and carries a job to its end as its page says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from genload import extensions
from genload.settings.loader import load_suite

from .scripted_description import FILE, FILE_BASE64, IMAGE, IMAGE_BASE64, OCTETS, zipped

PAGES = Path(__file__).resolve().parents[2] / "docs" / "described"
BASE: dict[str, Any] = {
    "service": {"api": "job"},
    "locustfile": "generation3d",
    "scenarios": {
        "steady": {
            "shape": {"kind": "normal", "users": 3, "duration": "10min"},
            "criteria": {"no_errors": "generate.failed == 0"},
        }
    },
}
FILE_ANSWER = (200, FILE, OCTETS)
MADE = {"/generate": [FILE_ANSWER]}
DATA_URI = f"data:image/png;base64,{IMAGE_BASE64}"
WORKFLOW = {"10": {"inputs": {"image": "x"}}, "12": {"inputs": {"seed": 0}}}


class Page(NamedTuple):
    """What the service answers, and what is to be seen in (result, what was asked for)."""

    script: dict[str, list[Any]]
    holds: Callable[[Any, list[Any]], bool]


def sent(received: list[Any], place: int = 0) -> Any:
    return json.loads(received[place].body)


def jobs(*states: Any, **more: list[Any]) -> dict[str, list[Any]]:
    return {"/jobs": [{"id": "7"}], "/jobs/7": list(states), "/jobs/7/file": [FILE_ANSWER], **more}


def parts(*states: str) -> dict[str, Any]:
    return {"jobs": [{"status": state} for state in states]}


class AnyQuery(dict[str, Any]):
    """A script by path, whatever the query."""

    def get(self, path: str, default: Any = None) -> Any:
        return super().get(path.partition("?")[0], default)


EXAMPLES: dict[tuple[str, int], Page] = {
    ("requests", 0): Page(
        AnyQuery({"/v1/generate": [FILE_ANSWER]}),
        lambda result, received: (
            sent(received)["input"]["image"] == DATA_URI
            and received[0].headers["authorization"] == "Bearer t0ken-of-pages"
            and f"seed={sent(received)['input']['seed']}&trace={result.request_id}" in received[0].path
        ),
    ),
    ("requests", 1): Page(MADE, lambda result, received: IMAGE.content in received[0].body),
    ("requests", 2): Page(
        AnyQuery(MADE),
        lambda result, received: (
            received[0].body == IMAGE.content
            and received[0].headers["content-type"] == "application/octet-stream"
        ),
    ),
    ("requests", 3): Page(
        {"/prompt": [FILE_ANSWER]},
        lambda result, received: (
            sent(received)["prompt"]["10"]["inputs"]["image"] == IMAGE_BASE64
            and sent(received)["prompt"]["12"]["inputs"]["seed"] > 0
        ),
    ),
    ("steps", 0): Page(
        {
            "/session": [(200, {}, {"X-Session": "s1"})],
            "/files": [{"files": [{"name": "stored.png"}]}],
            **jobs({"status": "queued"}, {"status": "done"}),
            "/jobs": [{"job": {"id": "7"}}],
        },
        lambda result, received: (
            [asked.headers.get("x-session") for asked in received[:3]] == [None, "s1", "s1"]
            and sent(received, 2) == {"image": "stored.png"}
            and result.job_id == "7"
        ),
    ),
    ("steps", 1): Page(
        {
            "/queue/image-to-3d": [{"request_id": "7", "status_url": "/q/7", "response_url": "/r/7"}],
            "/q/7": [{"status": "IN_QUEUE"}, {"status": "COMPLETED"}],
            "/r/7": [{"mesh": {"url": "/m/7.glb"}}],
            "/m/7.glb": [FILE_ANSWER],
        },
        lambda result, received: sent(received)["image_url"] == DATA_URI and result.numbers["polls"] == 2,
    ),
    ("polling", 0): Page(
        jobs((404, {}), {"task": {"phase": "SCULPTING", "left_s": 0}}, {"task": {"phase": "READY"}}),
        lambda result, received: result.numbers["polls"] == 3 and result.stages["run"] > 0,
    ),
    ("polling", 1): Page(
        jobs(
            **{
                "/status": [
                    {"jobs": [{"status": s} for s in ("Done", word)]} for word in ("Generating", "Done")
                ]
            }
        ),
        lambda result, received: sent(received, 1) == {"subscription": "7"} and result.numbers["polls"] == 2,
    ),
    ("polling", 2): Page(
        {
            "/infer": [(202, {}, {"X-Request-Id": "7"})],
            "/status/7": [(202, {}), (200, {"artifacts": [{"base64": FILE_BASE64}]})],
        },
        lambda result, received: result.job_id == "7" and "queue" not in result.stages,
    ),
    ("polling", 3): Page(
        {**jobs({}, {"output": {"url": "/out.glb"}}), "/out.glb": [FILE_ANSWER]},
        lambda result, received: received[-1].path == "/out.glb",
    ),
    ("results", 0): Page(
        {
            "/generate": [{"files": [{"name": "a.png", "url": "/no"}, {"name": "a.glb", "url": "/a.glb"}]}],
            "/a.glb": [FILE_ANSWER],
        },
        lambda result, received: received[-1].path == "/a.glb",
    ),
    ("results", 1): Page(
        {"/generate": [{"output": {"mesh": FILE_BASE64}}]}, lambda result, received: len(received) == 1
    ),
    ("results", 2): Page(
        {
            **jobs({"status": "done", "result": {"file_id": "f1"}}),
            "/files/f1": [(200, zipped(**{"a.txt": b"x", "b.glb": FILE}), OCTETS)],
        },
        lambda result, received: received[-1].path == "/files/f1",
    ),
    ("failures", 0): Page(
        {"/generate": [(500, {}), FILE_ANSWER]}, lambda result, received: result.numbers["rejections"] == 1
    ),
    ("numbers", 0): Page(
        {
            **jobs({"status": "done", "stats": {"ms": 1500}, "ended": 7.5, "started": 5}),
            "/jobs": [(200, {"id": "7"}, {"X-Served-By": "gpu-1"})],
            "/jobs/7/file": [(200, FILE, {**OCTETS, "X-Peak-MB": "2"})],
        },
        lambda result, received: (
            [result.numbers[name] for name in ("inference_s", "worked_s", "gpu_memory")] == [1.5, 2.5, 2e6]
            and result.labels == {"replica": "gpu-1"}
        ),
    ),
    ("inputs", 0): Page(MADE, lambda result, received: sent(received)["prompt"].startswith("a chair with ")),
    ("inputs", 1): Page(
        MADE,
        lambda result, received: all(
            received[0].body.count(b'name="images"; filename="%s.png"' % name) == 1
            for name in (b"f", b"l", b"b")
        ),
    ),
}


def blocks() -> dict[tuple[str, int], Any]:
    found = {}
    for path in sorted(PAGES.glob("*.md")):
        texts = re.findall(r"^```yaml.*?\n(.*?)^```", path.read_text(encoding="utf-8"), re.M | re.S)
        found |= {(path.stem, n): yaml.safe_load(text) for n, text in enumerate(texts)}
    return found


BLOCKS = blocks()


def laid(below: Any, above: Any) -> Any:
    """One mapping over another."""
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return above
    return {**below, **{key: laid(below.get(key), value) for key, value in above.items()}}


def test_every_block_is_run() -> None:
    assert set(BLOCKS) == set(EXAMPLES)


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(
            block, id="-".join(map(str, block)), marks=[pytest.mark.processes] if "zip" in str(text) else []
        )
        for block, text in BLOCKS.items()
    ],
)
def test_a_job_goes_its_way_as_the_page_says(
    block: tuple[str, int], run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GPU_TOKEN", "t0ken-of-pages")
    monkeypatch.chdir(tmp_path)
    Path("workflow.json").write_text(json.dumps(WORKFLOW))
    Path("mine.yaml").write_text(yaml.safe_dump(laid(BASE, BLOCKS[block])))
    load_suite("mine.yaml", folders=[], wings=extensions.Wings())

    script, holds = EXAMPLES[block]
    service = {name: value for name, value in BLOCKS[block]["service"].items() if name != "request"}
    result, output, received = run(BLOCKS[block]["service"]["request"], script, **service)

    assert (result.outcome, result.error) == ("ok", "")
    assert bytes(output.content) == FILE
    assert holds(result, received), [(asked.method, asked.path, asked.body) for asked in received]
