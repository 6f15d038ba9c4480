"""Described services against exact answers: where the output is, and what the answers say beside it."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from genload import extensions
from genload.artifacts.inspector import shared
from genload.service import Artifact, NotInspectedError, ServiceError
from genload.settings.service import Service

from .scripted_description import (
    FILE,
    FILE_BASE64,
    OCTETS,
    ONE_CALL,
    POLLED,
    failed,
    zipped,
)


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


@pytest.mark.processes
def test_a_member_of_a_zip_is_the_output(run: Any) -> None:
    packed = zipped(**{"readme.txt": b"x", "out/model.obj": FILE})
    _, output, _ = result_of(run, {"zip": "*.obj"}, (200, packed, OCTETS))

    assert (bytes(output.content), output.name) == (FILE, "model.obj")


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
        picture = Artifact(content.getvalue(), "a.png", "")
        assert client.inspect(picture) == {"width_px": 8, "height_px": 6}
        for ordered, honoured in (("png", 1.0), ("jpeg", 0.0)):
            asked = client_of({"output": "image", "format": ordered})
            assert asked.inspect(picture)["format_honoured"] == honoured
            assert "generate.format_honoured" in {m.name for m in asked.measures(asked.service.request)}
        with pytest.raises(ServiceError, match="not_a_picture"):
            client.inspect(Artifact(FILE, "a.png", ""))
    finally:
        shared().close()
