"""A name server (RFC 1035) that knows one address, which a test changes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address

_A = 1
_HEAD_BYTES, _TYPE_AND_CLASS_BYTES, _MOST_BYTES = 12, 4, 512
_END = b""


class NameServer:
    """Answers whatever name is asked for with `address`, to be asked again each time (a TTL of 0).

    Attributes:
        asked: how many addresses it was asked for.
    """

    def __init__(self, address: str) -> None:
        self.address, self.asked = address, 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._answer)
        self._thread.start()

    @property
    def variables(self) -> dict[str, str]:
        """For the environment of a process whose gevent is to ask this one."""
        return {
            "GEVENT_RESOLVER": "ares",
            "GEVENTARES_SERVERS": "127.0.0.1",
            "GEVENTARES_UDP_PORT": str(self._socket.getsockname()[1]),
        }

    def end(self) -> None:
        self._socket.sendto(_END, self._socket.getsockname())
        self._thread.join()
        self._socket.close()

    def _answer(self) -> None:
        while True:
            question, whose = self._socket.recvfrom(_MOST_BYTES)
            if question == _END:
                return
            self._socket.sendto(self._answer_to(question), whose)

    def _answer_to(self, question: bytes) -> bytes:
        end = question.index(b"\0", _HEAD_BYTES) + 1 + _TYPE_AND_CLASS_BYTES
        asked = question[_HEAD_BYTES:end]
        answers = b""
        if int.from_bytes(asked[-4:-2], "big") == _A:
            self.asked += 1
            # The name of the question, of the same type and class, TTL 0, four bytes.
            answers = b"\xc0\x0c" + asked[-4:] + bytes(4) + b"\0\x04" + IPv4Address(self.address).packed
        # An answer, recursion wanted and available; one question, and one answer or none.
        head = question[:2] + b"\x81\x80" + b"\0\1" + (b"\0\1" if answers else b"\0\0") + bytes(4)
        return head + asked + answers


@contextmanager
def name_server(address: str) -> Iterator[NameServer]:
    """One that answers for as long as the block lasts."""
    there = NameServer(address)
    try:
        yield there
    finally:
        there.end()
