"""The events of a Gradio call: when the work ended, whatever came before."""

from __future__ import annotations

import pytest

from genload import extensions
from genload.client import Answer
from genload.client.answer import Headers, Times
from genload.service import Artifact, ServiceError
from genload.settings.service import Service


def answer_of(*chunks: tuple[float, bytes]) -> Answer:
    """An event stream that came in these pieces."""
    body = b"".join(piece for _, piece in chunks)
    arrivals = tuple((at_s, len(piece)) for at_s, piece in chunks)
    return Answer(200, "OK", Headers([]), body, arrivals, Times(end_s=99.0), 1, len(body), False)


def test_the_work_ends_with_the_event_that_brings_what_it_made_and_not_with_a_heartbeat() -> None:
    ended = extensions.load("services", "gradio")._ended
    pieces = [
        (1.0, b"event: heartbeat\ndata: null\n\n"),
        (2.0, b"event: generating\r\ndata: [1]\r\n\r\nevent: hea"),
        (3.0, b"rtbeat\ndata: null\n\n"),
        (4.0, b'event: complete\ndata: [{"path": "/cache/a.glb"'),
        (5.0, b"}]\n\n"),
    ]

    assert ended(answer_of(*pieces), "fn") == ([{"path": "/cache/a.glb"}], 4.0)


@pytest.mark.parametrize(
    ("stream", "error_class"),
    [
        (b"", "bad_answer"),
        (b"event: heartbeat\ndata: null\n\n", "bad_answer"),
        (b"event: error\ndata: null\n\n", "job_failed"),
        (b"event: complete\ndata: [1\n\n", "bad_answer"),
        (b"<html>", "bad_answer"),
    ],
)
def test_a_stream_without_a_right_end_is_a_failure(stream: bytes, error_class: str) -> None:
    ended = extensions.load("services", "gradio")._ended
    with pytest.raises(ServiceError) as raised:
        ended(answer_of((1.0, stream)), "fn")
    assert raised.value.error_class == error_class


def test_what_an_app_makes_is_said_as_of_a_described_service() -> None:
    request = {"calls": [{"fn": "generate"}], "result": "[0]", "output": {"kind": "bytes", "at_least": "3B"}}
    service = {"api": "gradio", "request": {**request, "placeholder": "allow"}}
    model = Service.model_validate(service, context={"wings": extensions.Wings()})
    client = extensions.attribute("services", "gradio", "Client")(model)

    assert client.inspect(Artifact(b"abc", "a.bin", "")) == {} and not client.distinct_outputs
    assert (client.measures(model.request), client.inspection_of(model.request)) == ((), "bytes")
    with pytest.raises(ServiceError, match="too_small"):
        client.inspect(Artifact(b"ab", "a.bin", ""))
