"""A wire between two processes that can be held, slowed and cut: a TCP proxy on the loopback."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_BLOCK_BYTES = 65_536
_LOOK_S = 0.01


class Link:
    """From a port of its own to `port` of 127.0.0.1.

    Args:
        host: where its own port is; ``::1`` for one that only IPv6 reaches.
        own_port: which one; 0: a free one.

    Attributes:
        held: nothing passes, either way; what was sent waits, as on a cable that is pulled for a while.
        delay_s: how long each block waits before it passes.
    """

    def __init__(self, port: int, host: str = "127.0.0.1", own_port: int = 0) -> None:
        self._to = port
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, own_port), family=family)
        self.port: int = self._listener.getsockname()[1]
        self.held = threading.Event()
        self.delay_s = 0.0
        self._ended = threading.Event()
        self._wires: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def cut(self) -> None:
        """Every connection there is ends at once, by a reset."""
        wires, self._wires = self._wires, []
        for wire in wires:
            with suppress(OSError):
                wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                wire.shutdown(socket.SHUT_RDWR)
            wire.close()

    def end(self) -> None:
        if self._ended.is_set():
            return
        self._ended.set()
        self.held.clear()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._to))
            except OSError:
                continue
            self._wires += [near, far]
            if self._ended.is_set():
                self.cut()
            for source, target in ((near, far), (far, near)):
                thread = threading.Thread(target=self._pass, args=(source, target))
                self._threads.append(thread)
                thread.start()

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while block := source.recv(_BLOCK_BYTES):
                self._ended.wait(self.delay_s)
                while self.held.is_set():
                    self._ended.wait(_LOOK_S)
                target.sendall(block)
            target.shutdown(socket.SHUT_WR)


@contextmanager
def link(port: int, host: str = "127.0.0.1", own_port: int = 0) -> Iterator[Link]:
    """A link for as long as the block lasts."""
    there = Link(port, host, own_port)
    try:
        yield there
    finally:
        there.end()
