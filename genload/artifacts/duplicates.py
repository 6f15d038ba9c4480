"""Outputs seen before: a service that answers different inputs with the same bytes did not do the work."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

import gevent
from xxhash import xxh3_128, xxh3_128_digest

from genload.service import ServiceError
from genload.spool import Content, Spooled

_AT_ONCE_BYTES = 4 << 20
"""As long as the event loop can be kept waiting: under a millisecond."""


class OutputRegistry:
    """Digests of the outputs of one process, by the input they were made from.

    Bounded: the oldest are forgotten. Workers do not see each other's outputs. The first of several
    identical outputs has already been judged when the second one comes; it keeps its outcome.

    Args:
        limit: outputs remembered, about 250 bytes each: more jobs than a day of load has, or ten minutes of a
            very fast service, so that memory is flat from then on.
    """

    def __init__(self, limit: int = 10_000) -> None:
        self._limit = limit
        self._inputs: OrderedDict[bytes, tuple[str, str]] = OrderedDict()

    def admit(self, input_name: str, output: Content, shows: str = "") -> None:
        """Remember an output.

        Args:
            input_name: tells the input to people.
            shows: what inputs have in common that may have the same output; "": the input's name.

        Raises:
            ServiceError: ``duplicate_output``, the same bytes came for another input.
        """
        self.admit_digest(input_name, _digest(output), shows)

    def admit_digest(self, input_name: str, digest: bytes, shows: str = "") -> None:
        """`admit` for who has 16 bytes that tell outputs apart; the same kind for all of one registry.

        Raises:
            ServiceError: as `admit`.
        """
        shown = shows or input_name
        first_shown, first = self._inputs.setdefault(digest, (shown, input_name))
        self._inputs.move_to_end(digest)
        if len(self._inputs) > self._limit:
            self._inputs.popitem(last=False)
        if first_shown != shown:
            raise ServiceError(
                "duplicate_output", f"the output for {input_name} is, byte for byte, the one for {first}"
            )


def _digest(output: Content) -> bytes:
    """Not a cryptographic one, which takes a hundred times longer: services err, they do not deceive."""
    if len(output) <= _AT_ONCE_BYTES:
        return xxh3_128_digest(bytes(output))
    digest = xxh3_128()
    for piece in output.pieces() if isinstance(output, Spooled) else _pieces(output):
        digest.update(piece)
        gevent.sleep(0)
    return digest.digest()


def _pieces(output: bytes) -> Iterator[memoryview]:
    view = memoryview(output)
    return (view[start : start + _AT_ONCE_BYTES] for start in range(0, len(output), _AT_ONCE_BYTES))
