"""`special` of scipy, without what scipy would import for it besides.

Scipy copies every public name of numpy's, and with that imports numpy.f2py, testing, ma, polynomial and
random, of which judging uses nothing: 0.25 s and 20 MB. While scipy is imported, numpy names only what is
there. A version in which that is otherwise imports them as before.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

_SUBMODULES = "__numpy_submodules__"


@contextmanager
def _naming_only_what_is_there() -> Iterator[None]:
    numpy: Any = np
    before = {name: getattr(numpy, name) for name in ("__all__", _SUBMODULES) if hasattr(numpy, name)}
    submodules = before.get(_SUBMODULES, set())
    numpy.__all__ = [name for name in numpy.__all__ if name not in submodules]
    setattr(numpy, _SUBMODULES, set[str]())
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(numpy, name, value)


with _naming_only_what_is_there():
    from scipy import special

__all__ = ["special"]
