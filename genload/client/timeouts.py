"""How long a request may take, and each of its parts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Limits of one request, in seconds.

    Args:
        connect_s: name lookup, TCP connect and TLS handshake together.
        receive_s: the longest silence between two receives; `inf` for a call that waits for its work.
        total_s: connect, send and receive together; None: unlimited.
        send_s: the longest time in which the server takes none of what is sent; None: as `receive_s`.

    Raises:
        ValueError: a limit that is not above zero.
    """

    connect_s: float
    receive_s: float
    total_s: float | None = None
    send_s: float | None = None

    def __post_init__(self) -> None:
        for name in ("connect_s", "receive_s", "total_s", "send_s"):
            limit = getattr(self, name)
            if limit is not None and not limit > 0:
                raise ValueError(f"{name} must be above zero, not {limit}")
