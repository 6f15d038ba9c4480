"""One TCP or TLS connection: tries that never wait, waits that never outlast their limit.

The sockets are in non-blocking mode and every wait is ours, through gevent's loop: so a wait serves TCP and
TLS alike, has exactly the limit it is given, and never stands between a stamp and a send. TCP sockets are
the standard library's innermost, in a patched process too: the classes around it would only add their waits
and calls.
"""

from __future__ import annotations

import errno
import os
import select
from collections.abc import Callable
from functools import cache
from typing import Any

from gevent import get_hub, monkey, socket, ssl

from genload.client.stamps import ANCILLARY_BYTES, arrived_s, ask_for_stamps
from genload.client.waiting import ExpiredError, Readable, wait_readable, wait_writable

RECEIVE_BYTES = 64 * 1024
FIRST_PARTS = 4
"""Headers, and what a service says before there is audio: a WAV's header, a first event, ``audio.start``."""
_FAIR_BYTES = 8 * 1024 * 1024
_CONNECTING = (errno.EINPROGRESS, errno.EALREADY)
_CONNECTED = (0, errno.EISCONN)
_WANT_READ = (BlockingIOError, ssl.SSLWantReadError)
_new_socket = monkey.get_original("socket", "SocketType")  # in C, as the class around it wraps it
_new_poll = monkey.get_original("select", "poll")

Take = Callable[[memoryview], float]
"""Takes the next bytes, none at the end of the stream; they are there until it returns. Called in the event
loop, where nothing may wait. Says until when to wait for more, on the monotonic clock; 0.0: it has all."""


class Connection:
    """A connected socket that one greenlet uses at a time.

    Args:
        sock: connected, in non-blocking mode, TLS handshake done.
        kernel_stamps: ask the kernel when things arrive; not for TLS, whose records it does not know. And
            look before others do for the first parts of an answer, see `genload.client.fast_lane`.

    Attributes:
        sent_bytes: taken by the kernel since `send` was last called.
        arrived_s: when the kernel received the last of what `receive` handed over, on the monotonic clock,
            as far as the wall clock can be trusted; 0.0 where it is not known.
    """

    __slots__ = (
        "_buffer",
        "_buffers",
        "_has_all",
        "_hurries",
        "_parts",
        "_probe",
        "_readable",
        "_send",
        "_sock",
        "_stamped",
        "_take",
        "_tls",
        "_wants_to_write",
        "arrived_s",
        "sent_bytes",
    )

    def __init__(self, sock: Any, *, tls: bool, kernel_stamps: bool = False) -> None:
        self._sock = sock
        self._send = sock.write if tls else sock.send
        self._tls = tls
        self._stamped = kernel_stamps and not tls and ask_for_stamps(sock)
        self._hurries = kernel_stamps
        self._parts = 0  # that came since the last send
        self.arrived_s = 0.0
        self._buffers = _buffers(get_hub())
        (self._buffer,) = self._buffers
        self._readable = Readable(sock.fileno())
        self._probe: Any = None
        self._take: Any = None
        self._has_all = self._wants_to_write = False
        self.sent_bytes = 0

    def is_alive(self) -> bool:
        """Whether a kept connection can still carry a request. Never waits.

        An end of stream, and equally bytes that nobody asked for (a 408 before closing), mean that it cannot.
        """
        if self._tls:
            try:
                self._sock.recv(1)  # session tickets are no bytes of the peer's, hence a read through TLS
            except _WANT_READ:
                return True
            except OSError:
                return False
            return False
        if self._probe is None:
            self._probe = _new_poll()
            self._probe.register(self._sock.fileno(), select.POLLIN)
        return not self._probe.poll(0)  # a read would cost an exception each time

    def send(self, data: bytes, until_s: Callable[[], float]) -> None:
        """Hand all of `data` to the kernel; the first try is made at once.

        Args:
            until_s: asked before each wait when to give it up, on the monotonic clock.

        Raises:
            ExpiredError, OSError: `sent_bytes` tells how far it got.
        """
        self.sent_bytes = 0
        if self._hurries:
            self._parts = 0
            self._readable.hurry()
        rest: memoryview | bytes = data
        while True:
            try:
                sent, wait = self._send(rest), wait_writable
            except (BlockingIOError, ssl.SSLWantWriteError):
                sent, wait = 0, wait_writable
            except ssl.SSLWantReadError:
                sent, wait = 0, wait_readable
            self.sent_bytes += sent
            if sent == len(rest):
                return
            if sent:
                rest = memoryview(data)[self.sent_bytes :]
            elif not wait(self._sock.fileno(), until_s()):
                raise ExpiredError

    def receive(self, take: Take, until_s: float) -> None:
        """Hand over what comes, as it comes, until `take` wants no more.

        Args:
            until_s: when to give up the first wait, on the monotonic clock. What has come by then counts even
                if this process was too busy to look earlier.

        Raises:
            ExpiredError, OSError; and what `take` raises.
        """
        readable = self._readable
        self._take, self._has_all, readable.until_s = take, False, until_s
        try:
            while not self._has_all:
                until_s = readable.until_s
                if self._wants_to_write:
                    self._wants_to_write = False
                    in_time = wait_writable(self._sock.fileno(), until_s)
                elif readable.wait(until_s, self._read):  # nothing can be there yet: a try would raise
                    continue
                else:
                    in_time = False
                if not self._read() and not in_time and readable.until_s == until_s:
                    raise ExpiredError
        finally:
            self._take = None

    def _read(self) -> bool:
        """Hand over what is there; True where there is nothing to be read, for now or for ever."""
        unwaited_bytes = 0
        while True:
            try:
                if self._stamped:
                    size, ancillary, _, _ = self._sock.recvmsg_into(self._buffers, ANCILLARY_BYTES)
                    self.arrived_s = arrived_s(ancillary)
                else:
                    size = self._sock.recv_into(self._buffer)
            except _WANT_READ:
                return False
            except ssl.SSLWantWriteError:
                self._wants_to_write = True
                return True
            until_s = self._take(self._buffer[:size])
            if not until_s:
                self._has_all = True
                return True
            self._readable.until_s = until_s
            self._parts += 1
            if self._parts == FIRST_PARTS:
                self._readable.take_turns()
            # More may be there: TLS hands out a record at a time. But a server faster than this loop must not
            # keep it from everyone else.
            unwaited_bytes += size
            if (size < RECEIVE_BYTES and not self._tls) or unwaited_bytes > _FAIR_BYTES:
                return False

    def close(self) -> None:
        self._readable.close()
        self._sock.close()

    def __del__(self) -> None:
        self._readable.close()  # of a client that nobody closed: what watches a socket must not outlive it


@cache
def _buffers(hub: Any) -> tuple[memoryview]:
    """What all connections of a thread receive into: memory that is in a cache already, as 64 KiB for each
    answer would not be."""
    return (memoryview(bytearray(RECEIVE_BYTES)),)


def connect_tcp(family: int, address: tuple[Any, ...], until_s: float) -> Any:
    """A connected socket in non-blocking mode.

    Raises:
        ExpiredError, OSError.
    """
    sock = _new_socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        number = sock.connect_ex(address)
        if number == errno.EINPROGRESS:
            # Within one machine it is through by now: the second call saves a turn of the loop, and its lag.
            number = sock.connect_ex(address)
        if number in _CONNECTING:
            if not wait_writable(sock.fileno(), until_s):
                raise ExpiredError
            number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number not in _CONNECTED:
            raise OSError(number, os.strerror(number))
    except BaseException:
        sock.close()
        raise
    return sock


def wrap_tls(sock: Any, context: Any, server_name: str, until_s: float) -> Any:
    """The TLS side of a connected socket, handshake done; the socket is closed if that fails.

    Raises:
        ExpiredError, OSError (of it ssl.SSLError).
    """
    wrapped = sock
    try:
        wrapped = context.wrap_socket(sock, server_hostname=server_name, do_handshake_on_connect=False)
        wrapped.setblocking(False)
        while True:
            wait = wait_readable
            try:
                wrapped.do_handshake()
                return wrapped
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLWantWriteError:
                wait = wait_writable
            if not wait(wrapped.fileno(), until_s):
                raise ExpiredError
    except BaseException:
        wrapped.close()
        raise
