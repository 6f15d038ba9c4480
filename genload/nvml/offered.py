"""Telling what is not offered from what is broken."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pynvml

_NOT_OFFERED = {
    pynvml.NVML_ERROR_NOT_SUPPORTED,
    pynvml.NVML_ERROR_INVALID_ARGUMENT,  # a clock or a sensor that this board does not know
    pynvml.NVML_ERROR_NO_PERMISSION,
    pynvml.NVML_ERROR_NOT_FOUND,
    pynvml.NVML_ERROR_FUNCTION_NOT_FOUND,  # of a newer driver
    pynvml.NVML_ERROR_NO_DATA,
    pynvml.NVML_ERROR_INSUFFICIENT_SIZE,  # a list that grew between two calls
    pynvml.NVML_ERROR_ARGUMENT_VERSION_MISMATCH,
    pynvml.NVML_ERROR_DEPRECATED,
}

_Found = TypeVar("_Found")


def offered(*ways: Callable[[], _Found]) -> _Found | None:
    """What the first of `ways` that is offered returns, newest function of the library first; None: none is.

    Raises:
        NVMLError: trouble.
    """
    for ask in ways:
        try:
            return ask()
        except pynvml.NVMLError as error:
            if error.value not in _NOT_OFFERED:
                raise
    return None
