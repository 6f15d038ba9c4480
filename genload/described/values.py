"""What the templates of one job may name: its input, what tells it from others, what answers have given."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

from genload.service import JobInput, ServiceError

_numbers = count(1)
_LONGEST_SEED = 2**31 - 1

IMAGE = "image"
"""The name of a job's image, or of the first of its views, as a file: only multipart and raw can hold one."""


class Named:
    """What templates may name, by name."""

    __slots__ = ()

    def __getitem__(self, name: str) -> Any:
        raise NotImplementedError

    def text(self, name: str) -> str:
        """A value as it stands in a text.

        Raises:
            ServiceError: ``bad_answer`` for a captured object or list.
        """
        value = self[name]
        if isinstance(value, str):
            return value
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int | float):
            return str(value)
        kind = "an object" if isinstance(value, Mapping) else "a list"
        raise ServiceError("bad_answer", f"{{{name}}} is {kind}, and cannot stand in a text")


class Values(Named):
    """The names of one job and their values.

    Args:
        request_id: of the job.

    Attributes:
        captured: values by name, taken from the answers so far.
    """

    __slots__ = ("captured", "job", "number", "request_id")

    def __init__(self, job: JobInput, request_id: str) -> None:
        self.job = job
        self.request_id = request_id
        self.number = next(_numbers)
        self.captured: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        own = OWN_NAMES.get(name)
        if own is not None:
            return own(self)
        if name in self.captured:
            return self.captured[name]
        view, _, of = name.partition(".")
        return _OF_IMAGE[of](self.job.views[view])


NOTHING = Values(JobInput("", b"", ""), "")
"""For calls outside a job, whose templates name nothing."""


def _base64(image: JobInput) -> str:
    return base64.b64encode(image.content).decode("ascii")


def _seed(values: Values) -> int:
    # Of the input's own name: the same run again sends the same seeds.
    return zlib.crc32(values.job.name.encode()) & _LONGEST_SEED


_OF_IMAGE: Mapping[str, Callable[[JobInput], Any]] = {
    "": lambda image: image,
    "base64": _base64,
    "data_uri": lambda image: f"data:{image.media_type};base64,{_base64(image)}",
    "name": lambda image: image.name,
    "media_type": lambda image: image.media_type,
}


def names_of(image: str) -> tuple[str, ...]:
    """What templates may name of an image, or of a view: the file itself and what is known of it."""
    return tuple(f"{image}.{of}" if of else image for of in _OF_IMAGE)


def _of_the_image(of: Callable[[JobInput], Any]) -> Callable[[Values], Any]:
    return lambda values: of(values.job)


OWN_NAMES: Mapping[str, Callable[[Values], Any]] = {
    **{name: _of_the_image(of) for name, of in zip(names_of(IMAGE), _OF_IMAGE.values(), strict=True)},
    "seed": _seed,
    "uuid": lambda values: values.request_id,
    "number": lambda values: values.number,
}
"""What every job has: its input, a seed that follows from it, its request id, and a count of the process."""

TEXT = "text"
"""The name of a job's prompt, where the description says what texts there are."""
