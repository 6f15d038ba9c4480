"""Where a job's output is, and how it is taken out of what comes."""

from __future__ import annotations

from typing import Self
from urllib.parse import urlsplit

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from genload.artifacts.inspector import shared
from genload.described.call import Call
from genload.described.heard import Heard, looking_into
from genload.described.path import JsonPath
from genload.described.template import Template, TemplateText
from genload.service import Artifact
from genload.spool import Spool, Spooled


class Result(Call):
    """Where the output is. With a `path` it is asked for by a call of its own; without, it is in the answer
    that told the end (of one call: in its answer). There it is the body itself, or what `url` or `base64`
    lead to.
    """

    path: TemplateText = ""
    url: JsonPath | None = None
    """To a URL in the JSON, absolute or not; of another origin only where `service.allow_origins` says so,
    and then without the service's credentials."""
    base64: JsonPath | None = None
    """To the output as base64, or as a data URI."""
    zip: str | None = None
    """What comes is a zip: which of its members it is, ``*.glb`` or a name."""
    name: TemplateText = ""
    """What the output is called where no URL says it; its ending tells the format."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.url is not None and self.base64 is not None:
            remedy = "leave one of them"
            raise PydanticCustomError("result", "url and base64 exclude each other", {"remedy": remedy})
        return self

    def named(self) -> list[tuple[tuple[str | int, ...], Template]]:
        return [*super().named(), (("name",), Template(self.name))]

    @property
    def is_given(self) -> bool:
        """Whether anything is said of where it is."""
        return bool(self.path or self.url or self.base64)

    def decoded(self, heard: Heard, name: str) -> Artifact:
        """The output at `base64` of an answer. Raises ServiceError as `decoded` does."""
        return decoded(heard, self.base64 or "", name)

    def body(self, heard: Heard, name: str) -> Artifact:
        """The output that is an answer's body.

        Raises:
            ServiceError: ``bad_answer``, a page of HTML.
        """
        media_type = heard.answer.headers.get("content-type", "")
        if media_type.lower().startswith("text/html"):
            raise heard.no_json()
        return Artifact(heard.answer.content, name, media_type)

    def unpacked(self, artifact: Artifact, key: str, max_bytes: int, spool: Spool) -> Artifact:
        """The member of the zip, where it is one; unpacked by the inspector: a small zip may hold much.

        Raises:
            ServiceError: ``bad_zip``, ``too_large``, as `looking_into`.
        """
        if self.zip is None:
            return artifact
        with looking_into(f"{key}.zip"):
            content = Spooled(spool)
            member = shared().member(artifact.content, self.zip, max_bytes, content)
        return Artifact(content, member.name, "")


def decoded(heard: Heard, path: str, name: str) -> Artifact:
    """What an answer's JSON has at a path as base64, or as a data URI.

    Raises:
        ServiceError: ``missing_value``, ``bad_base64``.
    """
    content, media_type = heard.need_base64(path, "base64")
    return Artifact(content, name, media_type)


def name_in(url: str) -> str:
    """The last part of a URL's path."""
    return urlsplit(url).path.rpartition("/")[2]
