"""Identifiers of requests: UUIDs of version 4 (RFC 9562), as `uuid.uuid4` makes them in four times the time
and with a call of the system.
"""

from __future__ import annotations

import os
from random import Random

_VARIANTS = "89ab"
_random = Random()
os.register_at_fork(after_in_child=_random.seed)  # from the system: forked workers must not agree


def new_identifier() -> str:
    """A random one, as text."""
    bits = _random.getrandbits(128)
    digits = f"{bits:032x}"
    variant = _VARIANTS[bits >> 62 & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"
