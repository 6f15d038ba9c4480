"""Where a job's output is, and how it is taken out of what comes."""

from __future__ import annotations

import base64
import binascii
import fnmatch
import io
import re
import zipfile
import zlib
from typing import Self
from urllib.parse import urlsplit

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from genload.described.call import Call
from genload.described.heard import Heard
from genload.described.path import JsonPath
from genload.described.template import Template, TemplateText
from genload.service import Artifact, ServiceError

_DATA_URI = re.compile(r"data:([^;,]*)(?:;[^,]*)?,", re.IGNORECASE)
_BLANKS = re.compile(r"[\s]+")
_DAMAGED = (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, zlib.error, OSError)


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
            heard.tree  # noqa: B018  raises: it is not what was asked for
        return Artifact(heard.answer.body, name, media_type)

    def unpacked(self, artifact: Artifact, key: str, max_bytes: int) -> Artifact:
        """The member of the zip, where it is one.

        Raises:
            ServiceError: ``bad_zip``, ``too_large``.
        """
        if self.zip is None:
            return artifact
        try:
            with zipfile.ZipFile(io.BytesIO(artifact.content)) as archive:
                names = archive.namelist()
                chosen = next((name for name in names if fnmatch.fnmatchcase(name, self.zip)), None)
                if chosen is None:
                    there = ", ".join(names[:10]) or "nothing"
                    raise ServiceError("bad_zip", f"{key}.zip: no member is '{self.zip}'; there are {there}")
                with archive.open(chosen) as member:
                    content = member.read(max_bytes + 1)
        except _DAMAGED as error:
            raise ServiceError("bad_zip", f"{key}.zip: the zip is damaged: {error}") from error
        if len(content) > max_bytes:
            words = f"{key}.zip: '{chosen}' unpacks to more than {max_bytes:,} bytes"
            raise ServiceError("too_large", words)
        return Artifact(content, chosen.rpartition("/")[2], "")


def decoded(heard: Heard, path: str, name: str) -> Artifact:
    """What an answer's JSON has at a path as base64, or as a data URI.

    Raises:
        ServiceError: ``missing_value``, ``bad_base64``.
    """
    text = heard.need_text(path, "base64")
    media_type = ""
    if uri := _DATA_URI.match(text, 0, 200):
        media_type, text = uri.group(1), text[uri.end() :]
    if "\n" in text or "\r" in text:
        text = _BLANKS.sub("", text)
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        where = f"{heard.key}.base64: what '{path}' finds is no base64"
        raise ServiceError("bad_base64", f"{where}: {error}", status=heard.answer.status) from error
    return Artifact(content, name, media_type)


def name_in(url: str) -> str:
    """The last part of a URL's path."""
    return urlsplit(url).path.rpartition("/")[2]
