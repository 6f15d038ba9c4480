"""Identifiers of requests: UUIDs of version 4 (RFC 9562), as `uuid.uuid4` makes them in four times the time
and with a call of the system.
"""

from __future__ import annotations

import os
from random import Random

_random = Random()
_bits = _random.getrandbits
os.register_at_fork(after_in_child=_random.seed)  # from the system: forked workers must not agree


def new_identifier() -> str:
    """A random one, as text."""
    version, variant = 4 << 12 | _bits(12), 2 << 14 | _bits(14)
    # In two thirds of the time that an f-string takes.
    return "%08x-%04x-%04x-%04x-%012x" % (_bits(32), _bits(16), version, variant, _bits(48))  # noqa: UP031
