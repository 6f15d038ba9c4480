"""What a Socket.IO server says, as python-socketio writes and reads it."""

from __future__ import annotations

import pytest
from engineio.packet import MESSAGE, PING, PONG
from engineio.packet import Packet as EnginePacket
from hypothesis import example, given
from hypothesis import strategies as st
from socketio.packet import CONNECT, CONNECT_ERROR, DISCONNECT, EVENT, Packet

from genload.client.errors import BadAnswerError
from genload.client.socketio_packets import (
    Joined,
    Left,
    Opened,
    Pinged,
    Refused,
    Told,
    join,
    leave,
    pong,
    read,
)

NAMESPACES = st.sampled_from(["/", "/jobs", "/a/b-1"])
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def told(kind: int, namespace: str, data: object = None, number: int | None = None) -> str:
    """As python-socketio's server sends it."""
    inner = Packet(packet_type=kind, namespace=namespace, data=data, id=number).encode()
    return str(EnginePacket(packet_type=MESSAGE, data=inner).encode())


@given(NAMESPACES, TEXTS, st.lists(VALUES, max_size=3), st.none() | st.integers(0, 10**6))
def test_an_event_is_read_as_it_was_written(
    namespace: str, name: str, arguments: list[object], number: int | None
) -> None:
    assert read(told(EVENT, namespace, [name, *arguments], number)) == Told(namespace, name, arguments)


@given(NAMESPACES, TEXTS)
def test_so_is_everything_else_that_says_something(namespace: str, why: str) -> None:
    assert read(told(CONNECT, namespace, {"sid": "x"})) == Joined(namespace)
    assert read(told(DISCONNECT, namespace)) == Left(namespace)
    for data in (why, {"message": why, "data": 1}):
        assert read(told(CONNECT_ERROR, namespace, data)) == Refused(namespace, why or "no reason given")
    assert read('0{"sid":"lv_V","upgrades":[],"pingInterval":25000,"pingTimeout":20000}') == Opened()
    assert read("1") == Left(None)


@given(TEXTS)
def test_a_ping_is_answered_with_its_own_text(text: str) -> None:
    ping = read(EnginePacket(packet_type=PING, data=text).encode())
    assert isinstance(ping, Pinged)
    assert pong(ping) == EnginePacket(packet_type=PONG, data=text).encode()


@pytest.mark.parametrize(
    ("sent", "kind", "namespace"),
    [
        (join(), CONNECT, "/"),
        (join("/jobs"), CONNECT, "/jobs"),
        (leave("/jobs"), DISCONNECT, "/jobs"),
    ],
)
def test_the_server_understands_what_is_sent(sent: str, kind: int, namespace: str) -> None:
    outer = EnginePacket(encoded_packet=sent)
    inner = Packet(encoded_packet=outer.data)
    assert (outer.packet_type, inner.packet_type, inner.namespace or "/") == (MESSAGE, kind, namespace)


@pytest.mark.parametrize(
    "text", ["3", "3probe", "5", "6", "430[]", '451-["file",{"_placeholder":true,"num":0}]']
)
def test_what_is_not_for_us_says_nothing(text: str) -> None:
    assert read(text) is None


@given(st.text(max_size=40) | st.text('0123456789/,-[]{}"', max_size=20).map(lambda rest: f"4{rest}"))
@example("42")
@example("42{}")
@example('42[1,"name"]')
@example("42" + "[" * 100_000)
@example("4")
@example("")
def test_anything_is_read_or_refused(text: str) -> None:
    try:
        read(text)
    except BadAnswerError as error:
        assert error.error_class == "protocol" and len(error.message) < 200
