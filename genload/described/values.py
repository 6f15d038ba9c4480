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


class Values:
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
        return self.captured[name] if own is None else own(self)

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


NOTHING = Values(JobInput("", b"", ""), "")
"""For calls outside a job, whose templates name nothing."""


def _base64(values: Values) -> str:
    return base64.b64encode(values.job.content).decode("ascii")


def _seed(values: Values) -> int:
    # Of the input's own name: the same run again sends the same seeds.
    return zlib.crc32(values.job.name.encode()) & _LONGEST_SEED


OWN_NAMES: Mapping[str, Callable[[Values], Any]] = {
    "image": lambda values: values.job,
    "image.base64": _base64,
    "image.data_uri": lambda values: f"data:{values.job.media_type};base64,{_base64(values)}",
    "image.name": lambda values: values.job.name,
    "image.media_type": lambda values: values.job.media_type,
    "seed": _seed,
    "uuid": lambda values: values.request_id,
    "number": lambda values: values.number,
}
"""What every job has: its input, a seed that follows from it, its request id, and a count of the process."""

TEXT = "text"
"""The name of a job's prompt, where the description says what texts there are."""

FILE_NAMES = frozenset({"image"})
"""Those that are a file, which only multipart and raw can hold."""
