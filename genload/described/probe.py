"""A call that is no part of a job or a request."""

from __future__ import annotations

from genload.described.call import Call
from genload.described.errors import Status
from genload.described.template import TemplateText


class Probe(Call):
    """A call outside any job."""

    path: TemplateText = "/"
    expect: Status | None = None
    """The status that means ready; unless given, any success."""
