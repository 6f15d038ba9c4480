"""What the tracing process says at its end."""

from __future__ import annotations

import msgspec


class Sent(msgspec.Struct, kw_only=True):
    """How many spans were sent, how many were not, and why."""

    sent: int = 0
    lost: int = 0
    reason: str = ""
