"""Texts with names in braces, which each request fills anew: ``/v1/jobs/{id}``.

``{{`` and ``}}`` are braces, ``${env:NAME}``, ``${file:PATH}`` and ``${command:WORDS}`` are secrets, resolved
when they are sent. A text that is nothing but one name is that name's value: in JSON ``"{seed}"`` is a
number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from operator import itemgetter
from typing import Annotated, Any

from pydantic import AfterValidator, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from genload.described.values import Named
from genload.settings.secrets import has_reference, reveal

_TOKEN = re.compile(r"\{\{|\}\}|\$\{[^{}]*\}|\{([^{}]*)\}|[{}]")
_NAME = re.compile(r"[A-Za-z_]\w*(\.[a-z]\w*)?")


class Template:
    """One such text.

    Attributes:
        names: those that it has, each as often as it has it.
        fixed: the text, if it is the same each time: it has neither a name nor a secret; else None.
        has_secret: whether it refers to one.
        value: as `text`; of a text that is nothing but one name the value itself, of whatever type.

    Raises:
        ValueError: a brace that begins or ends no name; the text says what to write.
    """

    __slots__ = ("_parts", "fixed", "has_secret", "names", "value")

    def __init__(self, text: str) -> None:
        self._parts: list[tuple[str, str]] = []  # a text, and the name behind it ("" for none)
        literal, at = "", 0
        for token in _TOKEN.finditer(text):
            literal += text[at : token.start()]
            at, found = token.end(), token.group()
            if found in ("{{", "}}"):
                literal += found[0]
            elif found.startswith("$"):
                literal += found
            elif found in "{}" or not _NAME.fullmatch(token.group(1)):
                raise ValueError(f"'{found}' in '{text:.80}' is no name")
            else:
                self._parts.append((literal, token.group(1)))
                literal = ""
        if literal + text[at:] or not self._parts:
            self._parts.append((literal + text[at:], ""))
        self.has_secret = has_reference(text)
        self.names = tuple(name for _, name in self._parts if name)
        self.fixed = None if self.names or self.has_secret else self._parts[0][0]
        (before, name), *rest = self._parts
        only = bool(name) and not before and not rest
        self.value: Callable[[Named], Any] = itemgetter(name) if only else self.text

    @property
    def begins_with_a_name(self) -> bool:
        """Whether nothing stands before its first name."""
        return not self._parts[0][0] and bool(self._parts[0][1])

    def text(self, values: Named) -> str:
        """With its names replaced.

        Raises:
            ConfigError: a secret that there is none of.
        """
        if self.has_secret:  # of the template's own text alone: a service must not name what it wants to have
            return "".join([reveal(text) + (values.text(name) if name else "") for text, name in self._parts])
        return "".join([text + (values.text(name) if name else "") for text, name in self._parts])


def templates(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every text in JSON-like data, with its place."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, below in value.items():
            yield from templates(below, (*path, str(key)))
    elif isinstance(value, list | tuple):
        for index, below in enumerate(value):
            yield from templates(below, (*path, index))


def _checked(value: Any) -> Any:
    """Raises ValidationError: each text of it that is no template, at its place."""
    errors: list[InitErrorDetails] = []
    for path, text in templates(value):
        try:
            Template(text)
        except ValueError as error:
            remedy = "write names as {id}, and braces that are meant as such twice: {{ }}"
            problem = PydanticCustomError("template", "{reason}", {"reason": str(error), "remedy": remedy})
            errors.append(InitErrorDetails(type=problem, loc=path, input=None))
    if errors:
        raise ValidationError.from_exception_data("template", errors)
    return value


TemplateText = Annotated[str, AfterValidator(_checked)]
Scalar = str | int | float | bool
TemplateScalars = Annotated[dict[str, Scalar], AfterValidator(_checked)]
"""Texts by name; numbers and truth values are what YAML makes of 7 and true."""
TemplateFields = Annotated[dict[str, Scalar | tuple[Scalar, ...]], AfterValidator(_checked)]
"""As `TemplateScalars`; of a name that comes several times a list."""
TemplateTree = Annotated[Any, AfterValidator(_checked)]
"""JSON of any depth, its texts templates."""
