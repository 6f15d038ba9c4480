"""LiteTTS's cache of answers."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

_ENTRIES = 50
_AGE_S = 3600.0


class Cache:
    """The 50 answers that were used last, for an hour each."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, tuple[float, bytes]] = OrderedDict()

    def get(self, key: Hashable, now_s: float) -> bytes | None:
        """The answer, if there is one; it counts as used."""
        made_s, content = self._kept.get(key, (-_AGE_S, b""))
        if now_s - made_s >= _AGE_S:
            self._kept.pop(key, None)
            return None
        self._kept.move_to_end(key)
        return content

    def put(self, key: Hashable, content: bytes, now_s: float) -> None:
        """Keep an answer; the one that was not used for longest makes room."""
        self._kept[key] = now_s, content
        self._kept.move_to_end(key)
        while len(self._kept) > _ENTRIES:
            self._kept.popitem(last=False)
