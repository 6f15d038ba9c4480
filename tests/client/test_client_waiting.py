"""The wait whose timer outlives it: never early, never for ever, never for somebody else's wait."""

from __future__ import annotations

import time
from collections.abc import Iterator

import gevent
import gevent.socket
import pytest

from genload.client.connection import Connection
from genload.client.waiting import ExpiredError, Readable, wait_readable, wait_writable


class Pair:
    """Two ends of a connection; we wait at `here`."""

    def __init__(self) -> None:
        self.here, self.there = gevent.socket.socketpair()
        self.here.setblocking(False)
        self.readable = Readable(self.here.fileno())

    def write_after(self, delay_s: float) -> None:
        gevent.spawn_later(delay_s, self.there.send, b"x")


def something() -> bool:
    """What whoever waits for anything says of whatever comes."""
    return True


@pytest.fixture
def pair() -> Iterator[Pair]:
    pair = Pair()
    yield pair
    pair.readable.close()
    pair.here.close()
    pair.there.close()


def received(connection: Connection) -> bytes:
    """The next bytes."""
    pieces: list[bytes] = []

    def take(data: memoryview) -> float:
        pieces.append(bytes(data))
        return 0.0

    connection.receive(take, time.monotonic() + 30)
    return b"".join(pieces)


def timed(pair: Pair, limit_s: float) -> tuple[bool, float]:
    start_s = time.monotonic()
    result = pair.readable.wait(start_s + limit_s, something)
    return result, time.monotonic() - start_s


def test_something_to_read(pair: Pair) -> None:
    pair.write_after(0.02)
    assert timed(pair, 30)[0]


def test_time_is_up_never_early(pair: Pair) -> None:
    for limit_s in (0.05, 0.0, -1.0, 0.02):
        result, took_s = timed(pair, limit_s)
        assert not result
        assert limit_s <= took_s < limit_s + 10


def test_a_shorter_limit_than_the_timer_was_set_for(pair: Pair) -> None:
    pair.write_after(0.01)
    assert timed(pair, 30)[0]
    pair.here.recv(1)
    result, took_s = timed(pair, 0.05)
    assert not result
    assert 0.05 <= took_s < 10


def test_the_timer_of_an_earlier_wait_does_not_end_a_later_one(pair: Pair) -> None:
    pair.write_after(0.01)
    assert timed(pair, 0.1)[0]
    pair.here.recv(1)
    pair.write_after(0.3)  # the first wait's limit passes meanwhile
    assert timed(pair, 30)[0]


def test_a_later_wait_still_ends_after_the_earlier_ones_timer_rang(pair: Pair) -> None:
    pair.write_after(0.01)
    assert timed(pair, 0.05)[0]
    pair.here.recv(1)
    result, took_s = timed(pair, 0.2)
    assert not result
    assert took_s >= 0.2


def test_a_timer_that_rings_while_nobody_waits(pair: Pair) -> None:
    pair.write_after(0.01)
    assert timed(pair, 0.05)[0]
    pair.here.recv(1)
    gevent.sleep(0.1)
    result, took_s = timed(pair, 0.05)
    assert not result
    assert took_s >= 0.05


def test_a_busy_loop_does_not_make_it_early(pair: Pair) -> None:
    time.sleep(0.2)  # the loop's own clock now lags behind
    result, took_s = timed(pair, 0.1)
    assert not result
    assert took_s >= 0.1


def test_who_is_switched_to_for_no_reason_goes_on_waiting(pair: Pair) -> None:
    connection = Connection(pair.here, tls=False)
    reader = gevent.spawn(received, connection)
    gevent.sleep(0.01)
    gevent.get_hub().loop.run_callback(reader.switch)
    pair.write_after(0.05)
    assert reader.get(timeout=30) == b"x"
    connection.close()


def test_a_killed_wait_leaves_nothing_behind(pair: Pair) -> None:
    reader = gevent.spawn(pair.readable.wait, time.monotonic() + 30, something)
    gevent.sleep(0.01)
    reader.kill()
    pair.there.send(b"x")
    gevent.sleep(0.01)  # nobody may be switched to who no longer waits
    assert timed(pair, 30)[0]


def test_what_comes_while_nobody_waits_wakes_nobody_and_is_there_later(pair: Pair) -> None:
    pair.write_after(0.01)
    assert timed(pair, 30)[0]
    pair.here.recv(1)
    pair.there.send(b"x")
    before_s = time.thread_time()
    gevent.sleep(0.2)
    assert time.thread_time() - before_s < 0.1  # a loop that went on being told of it would use up all
    assert timed(pair, 30)[0]
    assert pair.here.recv(2) == b"x"


def test_another_greenlet_may_wait_next(pair: Pair) -> None:
    for _ in range(3):
        reader = gevent.spawn(timed, pair, 30)
        pair.write_after(0.01)
        assert reader.get(timeout=30)[0]
        pair.here.recv(1)


def test_a_connection_that_nobody_closed_is_no_longer_watched() -> None:
    here, there = gevent.socket.socketpair()
    connection = Connection(here, tls=False)
    there.send(b"x")
    assert received(connection) == b"x"
    descriptor = here.fileno()
    del connection
    here.close()
    other, far = gevent.socket.socketpair()
    assert descriptor in (other.fileno(), far.fileno())  # the number is another socket's now
    far.send(b"y")
    before_s = time.thread_time()
    gevent.sleep(0.2)
    assert time.thread_time() - before_s < 0.1
    for end in (there, other, far):
        end.close()


def test_no_limit_at_all(pair: Pair) -> None:
    pair.write_after(0.02)
    assert pair.readable.wait(float("inf"), something)


def test_single_waits(pair: Pair) -> None:
    descriptor = pair.here.fileno()
    assert wait_writable(descriptor, float("inf"))
    assert not wait_readable(descriptor, time.monotonic() + 0.02)
    assert not wait_readable(descriptor, time.monotonic() - 1)
    pair.write_after(0.01)
    assert wait_readable(descriptor, time.monotonic() + 30)


def test_who_wants_more_is_not_switched_to_for_each_part(pair: Pair) -> None:
    connection, there = Connection(pair.here, tls=False), pair.there
    switches: list[str] = []
    parts: list[bytes] = []

    def take(data: memoryview) -> float:
        assert gevent.getcurrent() is gevent.get_hub()
        parts.append(bytes(data))
        return 0.0 if len(parts) == 3 else time.monotonic() + 30

    def read() -> None:
        connection.receive(take, time.monotonic() + 30)
        switches.append("back")

    reader = gevent.spawn(read)
    for part in (b"a", b"b", b"c"):
        gevent.sleep(0.01)
        assert not switches
        there.send(part)
    reader.join(30)
    assert (parts, switches) == ([b"a", b"b", b"c"], ["back"])
    connection.close()


def test_what_goes_wrong_with_a_part_is_raised_to_who_waits_for_it(pair: Pair) -> None:
    connection = Connection(pair.here, tls=False)

    def refuse(data: memoryview) -> float:
        raise ValueError(bytes(data))

    reader = gevent.spawn(connection.receive, refuse, time.monotonic() + 30)
    pair.write_after(0.01)
    with pytest.raises(ValueError, match="x"):
        reader.get(timeout=30)
    pair.write_after(0.01)
    assert received(connection) == b"x"  # and the connection waits as before
    connection.close()


@pytest.mark.parametrize(("each_s", "all_s"), [(0.1, 30.0), (30.0, 0.1)])
def test_the_limit_moves_with_what_comes_and_ends_all_the_same(
    pair: Pair, each_s: float, all_s: float
) -> None:
    connection = Connection(pair.here, tls=False)
    start_s = time.monotonic()
    parts: list[float] = []

    def take(data: memoryview) -> float:
        parts.append(time.monotonic())
        if len(parts) < 3:
            pair.there.send(b"x")
        return min(parts[-1] + each_s, start_s + all_s)

    pair.there.send(b"x")
    with pytest.raises(ExpiredError):
        connection.receive(take, start_s + min(each_s, all_s))
    assert len(parts) == 3
    assert time.monotonic() >= min(parts[-1] + each_s, start_s + all_s)
    connection.close()
