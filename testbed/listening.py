"""The one socket that listens: on loopback, and on nothing else."""

from __future__ import annotations

import socket

HOST = "127.0.0.1"
_SEND_BUFFER_BYTES = 64 * 1024


def listen(port: int) -> socket.socket:
    """Listen on a port, or on any free one for 0.

    Raises:
        OSError: it is taken; the message says which.
    """
    # With its protocol named asyncio sends small writes at once (TCP_NODELAY); else they would wait for up to
    # 40 ms until the client's kernel has acknowledged the one before, long after their stamp in the truth
    # log.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Inherited by every connection: the kernel must not swallow a whole file, or the truth log would
        # call a download ended that its client has yet to read.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
        listening.bind((HOST, port))
        listening.listen(2048)
    except OSError as error:
        listening.close()
        raise OSError(f"cannot listen on {HOST}:{port}: {error.strerror}") from error
    return listening
