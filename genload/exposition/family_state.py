"""What is known of a metric family that a suite expects."""

from __future__ import annotations

from enum import IntEnum


class FamilyState(IntEnum):
    """What is known of a family; its number in ``contract.state{family=…}``."""

    ABSENT = 0
    IDLE = 1
    LIVE = 2
