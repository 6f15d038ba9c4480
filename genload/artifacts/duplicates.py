"""Outputs seen before: a service that answers different inputs with the same bytes did not do the work."""

from __future__ import annotations

import hashlib
from collections import OrderedDict

import gevent

from genload.service import ServiceError

# Hashing 1 MiB takes about 1 ms. Longer outputs go to a thread: hashing is one C call that lets the
# interpreter go, a pure function of bytes, and so safe beside gevent.
_INLINE_BYTES = 256 * 1024


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
        self._inputs: OrderedDict[bytes, str] = OrderedDict()

    def admit(self, input_name: str, output: bytes) -> None:
        """Remember an output.

        Raises:
            ServiceError: ``duplicate_output``, the same bytes came for another input.
        """
        self.admit_digest(input_name, _digest(output))

    def admit_digest(self, input_name: str, digest: bytes) -> None:
        """`admit` for who has 16 bytes that tell outputs apart; the same kind for all of one registry.

        Raises:
            ServiceError: as `admit`.
        """
        first = self._inputs.setdefault(digest, input_name)
        self._inputs.move_to_end(digest)
        if len(self._inputs) > self._limit:
            self._inputs.popitem(last=False)
        if first != input_name:
            raise ServiceError(
                "duplicate_output", f"the output for {input_name} is, byte for byte, the one for {first}"
            )


def _digest(output: bytes) -> bytes:
    if len(output) <= _INLINE_BYTES:
        return _blake2b(output)
    digest: bytes = gevent.get_hub().threadpool.apply(_blake2b, (output,))
    return digest


def _blake2b(output: bytes) -> bytes:
    return hashlib.blake2b(output, digest_size=16).digest()
