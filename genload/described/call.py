"""One HTTP call as it is described, and the request that it makes of a job's values."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import quote, urlencode

import msgspec
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from genload.client import Answer
from genload.client.multipart import FormPart, form_data
from genload.client.service_calls import ServiceCalls
from genload.described.pointer import JsonPointer, put
from genload.described.template import (
    Scalar,
    Template,
    TemplateFields,
    TemplateScalars,
    TemplateText,
    TemplateTree,
    templates,
)
from genload.described.values import NOTHING, Named
from genload.errors import ConfigError
from genload.human import human
from genload.service import JobInput, ServiceError, Step
from genload.settings.model import Settings
from genload.settings.secrets import Headers

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]

_BODIES = ("json", "json_file", "form", "multipart", "raw")
_IN_A_PATH = "/:@!$&'()*+,;=~"  # what a captured value may hold that is put into a path
_LONGEST_IN_HEAD = 2000
_MOST_GRAPH_BYTES = 16 * 2**20


class Call(Settings):
    """What is sent. Texts are templates: ``{image}``, ``{seed}``, what answers gave before (`capture`)."""

    method: Method | None = None
    """POST where there is a body, else GET."""
    path: TemplateText
    """Below the service's host; or an absolute URL that an answer gave: ``{status_url}``."""
    query: TemplateScalars = {}
    headers: Headers = {}
    """Besides those of the service. Secrets as ${env:NAME}, ${file:PATH} or ${command:WORDS}."""
    json_body: TemplateTree = Field(default=None, alias="json")
    """A body of JSON, nested as it needs to be."""
    json_file: str | None = None
    """A file of JSON that is sent as it is but for `set`; looked for from where genload was started."""
    json_below: str = ""
    """The key of the body under which the file's JSON is sent; none: it is the body."""
    set: dict[JsonPointer, TemplateTree] = {}
    """What is put in which places of that body (JSON Pointer): ``/10/inputs/image: "{stored}"``."""
    form: TemplateScalars | None = None
    """A body of fields, as a form in a page sends them."""
    multipart: TemplateFields | None = None
    """A body of fields and files: ``image: "{image}"`` is a file. A list is a field that comes again."""
    raw: TemplateText | None = None
    """A body as it is: "{image}" for the file's own bytes."""

    @model_validator(mode="after")
    def _one_body(self) -> Self:
        given = self.bodies
        if len(given) > 1:
            remedy = "leave one of them"
            reason = f"{' and '.join(given)} are each a body"
            raise PydanticCustomError("body", "{reason}", {"reason": reason, "remedy": remedy})
        if self.set and self.json_file is None:
            remedy = "name the file: json_file: workflow.json"
            raise PydanticCustomError(
                "body", "'set' changes a json_file, and there is none", {"remedy": remedy}
            )
        return self

    @property
    def bodies(self) -> list[str]:
        """Which kinds of body are given."""
        return [name for name in _BODIES if self._body(name) is not None]

    def _body(self, name: str) -> Any:
        return self.json_body if name == "json" else getattr(self, name)

    def named(self) -> list[tuple[tuple[str | int, ...], Template]]:
        """Every template of it with its place."""
        parts = {name: self._body(name) for name in ("json", "set", "form", "multipart", "raw")}
        parts |= {"path": self.path, "query": self.query, "headers": self.headers}
        return [(place, Template(text)) for place, text in templates(parts)]


class Sendable(msgspec.Struct, frozen=True):  # made in C: every speech request has one
    """A request as `ServiceCalls.call` takes it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes | None
    content_type: str

    def sent(
        self, calls: ServiceCalls, step: Step | None = None, *, waits: bool = False, spools: bool = False
    ) -> Answer:
        """Its answer.

        Args:
            step, waits, spools: as `ServiceCalls.call` has them.

        Raises:
            ServiceError: as there; ``bad_answer`` for what cannot be asked for.
        """
        try:
            return calls.call(
                self.method,
                self.path,
                step,
                self.body,
                self.content_type,
                headers=self.headers,
                waits=waits,
                spools=spools,
            )
        except ValueError as error:
            raise ServiceError("bad_answer", f"{self.path[:200]!r} cannot be asked for: {error}") from error


_Body = Callable[[Named], tuple[str, bytes]]


class PreparedCall:
    """A call made ready, once for all jobs of a process.

    Raises:
        ConfigError: a `json_file` that cannot be used.
    """

    def __init__(self, call: Call, key: str) -> None:
        self._key = key
        self.has_secrets = any(template.has_secret for _, template in call.named())
        self.method = call.method or ("POST" if call.bodies else "GET")
        self._path = Template(call.path)
        self._always = self._path.fixed if not call.query else None  # the target, where it never changes
        self._query = {name: _scalar(value) for name, value in call.query.items()}
        self._headers = {name: Template(value) for name, value in call.headers.items()}
        makers: Mapping[str, Callable[[], _Body]] = {
            "json": lambda: _json_of(filled_tree(call.json_body)),
            "json_file": lambda: _json_of(_graph(call, key)),
            "form": lambda: _form_of(call.form or {}),
            "multipart": lambda: _multipart_of(call.multipart or {}),
            "raw": lambda: _raw_of(Template(call.raw or "")),
        }
        self._body: _Body | None = next((makers[name]() for name in call.bodies), None)

    def filled(self, values: Named = NOTHING) -> Sendable:
        """The request of one job.

        Raises:
            ServiceError: ``bad_answer``, a captured value that cannot stand where it is to stand.
        """
        content_type, body = self._body(values) if self._body is not None else ("", None)
        headers: dict[str, str] = {}
        for name, template in self._headers.items():
            text = self._in_head(template, values)
            if name.lower() == "content-type":
                content_type = text
            else:
                headers[name] = text
        target = self._target(values) if self._always is None else self._always
        return Sendable(self.method, target, headers, body, content_type)

    def _target(self, values: Named) -> str:
        # What begins with a name is a URL of the service's own making, and what stands in a path is a part.
        path = self._in_head(self._path, values if self._path.begins_with_a_name else _Quoted(values))
        if not self._query:
            return path
        pairs = urlencode({name: template.text(values) for name, template in self._query.items()})
        return f"{path}{'&' if '?' in path else '?'}{pairs}"

    def _in_head(self, template: Template, values: Named) -> str:
        text = template.text(values)
        if len(text) > _LONGEST_IN_HEAD or not text.isprintable():
            what = f"{len(text):,} characters" if text.isprintable() else "line breaks"
            raise ServiceError(
                "bad_answer", f"{self._key}: what an answer gave makes a path or header of {what}"
            )
        return text


class _Quoted(Named):
    """The same values, percent-encoded as parts of a path."""

    __slots__ = ("_values",)

    def __init__(self, values: Named) -> None:
        self._values = values

    def text(self, name: str) -> str:
        return quote(self._values.text(name), safe=_IN_A_PATH)


def _scalar(value: Scalar) -> Template:
    if isinstance(value, str):
        return Template(value)
    return Template(str(value).lower() if isinstance(value, bool) else str(value))


_Tree = Callable[[Named], Any]


def filled_tree(tree: Any) -> _Tree:
    """What makes JSON-like data of a job's values; texts without a name are made once."""
    if isinstance(tree, str):
        template = Template(tree)
        return template.value if template.fixed is None else _constant(template.fixed)
    if isinstance(tree, Mapping):
        return _filled_mapping(tree)
    if isinstance(tree, list | tuple):
        items = [filled_tree(value) for value in tree]
        return lambda values: [make(values) for make in items]
    return _constant(tree)


def _filled_mapping(tree: Mapping[str, Any]) -> _Tree:
    """As `filled_tree`: a copy of what is the same each time, with the rest put into it."""
    same: dict[str, Any] = {}
    makers: dict[str, _Tree] = {}
    for key, value in tree.items():
        fixed = Template(value).fixed if isinstance(value, str) else value
        if fixed is None or isinstance(value, Mapping | list | tuple):
            makers[key] = filled_tree(value)
        same[key] = fixed

    def make(values: Named) -> dict[str, Any]:
        filled = same.copy()
        for key, of in makers.items():
            filled[key] = of(values)
        return filled

    return make


def _constant(value: Any) -> _Tree:
    return lambda values: value


def _json_of(make: _Tree) -> _Body:
    return lambda values: ("application/json", msgspec.json.encode(make(values)))


def _graph(call: Call, key: str) -> _Tree:
    """A file of JSON with values put into it."""
    path = Path(call.json_file or "")
    try:
        if path.stat().st_size > _MOST_GRAPH_BYTES:
            raise ValueError(f"it is larger than {human(_MOST_GRAPH_BYTES, 'bytes')}")
        graph = json.loads(path.read_bytes())
        graph = {call.json_below: graph} if call.json_below else graph
        for pointer in call.set:
            put(graph, pointer, None)
    except (OSError, ValueError, RecursionError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or str(error)
        remedy = "correct the path, which is from where genload was started, or the places in `set`"
        raise ConfigError(f"{path}: {reason}", key=f"{key}.json_file", remedy=remedy) from error
    places = {pointer: filled_tree(value) for pointer, value in call.set.items()}

    def make(values: Named) -> Any:
        filled = deepcopy(graph)
        for pointer, value in places.items():
            put(filled, pointer, value(values))
        return filled

    return make


def _form_of(fields: Mapping[str, Scalar]) -> _Body:
    made = {name: _scalar(value) for name, value in fields.items()}
    kind = "application/x-www-form-urlencoded"
    return lambda values: (kind, urlencode({name: t.text(values) for name, t in made.items()}).encode())


def _multipart_of(fields: Mapping[str, Scalar | tuple[Scalar, ...]]) -> _Body:
    made = [
        (name, _scalar(value))
        for name, given in fields.items()
        for value in (given if isinstance(given, tuple) else (given,))
    ]

    def make(values: Named) -> tuple[str, bytes]:
        return form_data([_part(name, template.value(values), template, values) for name, template in made])

    return make


def _part(name: str, value: Any, template: Template, values: Named) -> FormPart:
    if isinstance(value, JobInput):
        return FormPart(name, value.content, value.name, value.media_type)
    return FormPart(name, template.text(values).encode())


def _raw_of(template: Template) -> _Body:
    def make(values: Named) -> tuple[str, bytes]:
        value = template.value(values)
        if isinstance(value, JobInput):
            return value.media_type, value.content
        return "text/plain; charset=utf-8", template.text(values).encode()

    return make
