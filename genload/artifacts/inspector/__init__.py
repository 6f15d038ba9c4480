"""Looking into outputs in a process of its own."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genload.artifacts.inspector.inspector import Inspector


@cache
def shared() -> Inspector:
    """The one inspector of this process."""
    # Imported late: the inspector's own process imports this package, too, and loads no gevent.
    from genload.artifacts.inspector.inspector import Inspector

    return Inspector()
