"""When the kernel received what a read of a socket returns, however late the read was.

Linux tells it on the wall clock (SO_TIMESTAMPNS). Its age on that clock is taken at the read, and taken off
the monotonic one. A clock that is set in between falsifies this one stamp at most: the caller bounds it by
the order of things. Where several segments wait together, the kernel has joined them and tells when the last
one came; to read less at a time does not part them again.
"""

from __future__ import annotations

import socket
import struct
import sys
from functools import cache
from time import monotonic, time
from typing import Any, Literal

from gevent import monkey

Stamps = Literal["process", "kernel"]
"""Who says when something arrived: this process, once it runs and looks; or the kernel, at once."""

ANCILLARY_BYTES = socket.CMSG_SPACE(struct.calcsize("ll")) if sys.platform == "linux" else 0

_SO_TIMESTAMPNS = 35  # <asm-generic/socket.h>; the socket module has no name for it
_unpack_timespec = struct.Struct("ll").unpack
_new_socket = monkey.get_original("socket", "socket")


def ask_for_stamps(sock: Any) -> bool:
    """Have the kernel stamp what this TCP socket receives from now on; False where it cannot."""
    if sys.platform != "linux":
        return False
    try:
        _keep_stamping()
        sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    except OSError:
        return False
    return True


def arrived_s(ancillary: list[tuple[int, int, bytes]]) -> float:
    """When what `recvmsg` has just returned came, on the monotonic clock; 0.0 for a read without a stamp."""
    if not ancillary:
        return 0.0
    seconds, nanoseconds = _unpack_timespec(ancillary[0][2])
    age_s: float = time() - (seconds + nanoseconds * 1e-9)
    return (
        monotonic() - age_s
    )  # the later reading is the monotonic one: a pause in between makes no stamp early


@cache
def _keep_stamping() -> Any:
    """A socket that keeps the kernel stamping while this process lives: it begins some milliseconds after the
    first socket has asked, and ends with the last one."""
    keeper = _new_socket(socket.AF_INET, socket.SOCK_DGRAM)
    keeper.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    return keeper
