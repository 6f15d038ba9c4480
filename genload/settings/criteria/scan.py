"""Criteria, step one: text to tokens with their positions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from genload.settings.criteria.error import CriterionError

MAX_LENGTH = 4000


class Kind(Enum):
    NUMBER = "a number"
    NAME = "a name"  # dotted: generate.duration.p95
    VALUE = "a value"  # of a filter, after its "=": a bare word or a quoted text
    OPERATOR = "a comparison"
    MARK = "a mark"  # { } ( ) , = % / : ..
    END = "the end"


@dataclass(frozen=True, slots=True)
class Token:
    """`text` as written, except for a quoted VALUE, which is the text inside the quotes."""

    kind: Kind
    text: str
    start: int
    end: int


_NAME = r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*"
_SPACE = re.compile(r"\s+")
_TOKEN = re.compile(
    # A number never takes the first dot of "..": 75..90 is an interval.
    r"(?P<NUMBER>[+-]?(?:[0-9]+(?:\.(?!\.)[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    rf"|(?P<NAME>{_NAME})"
    r"|(?P<OPERATOR><=|>=|==|!=|<|>)"
    r"|(?P<MARK>\.\.|[{}(),=%/:])"
)
BARE_VALUE = re.compile(r"[\w.:@+-]+")
_QUOTED_VALUE = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


def scan(text: str) -> list[Token]:
    """All tokens, an END last.

    Raises:
        CriterionError: a character that belongs to no token, a quote that is not closed, too long a text.
    """
    if len(text) > MAX_LENGTH:
        raise CriterionError(
            f"the criterion is longer than {MAX_LENGTH} characters", remedy="make several criteria of it"
        )
    tokens: list[Token] = []
    position, in_braces = 0, False
    while position < len(text):
        space = _SPACE.match(text, position)
        if space:
            position = space.end()
            continue
        wants_value = in_braces and tokens[-1].kind is Kind.MARK and tokens[-1].text == "="
        token = _value(text, position) if wants_value else _token(text, position)
        position = token.end
        tokens.append(token)
        if token.kind is Kind.MARK and token.text in ("{", "}"):
            in_braces = token.text == "{"
    return [*tokens, Token(Kind.END, "", len(text), len(text))]


def _token(text: str, position: int) -> Token:
    match = _TOKEN.match(text, position)
    if match is None or match.lastgroup is None:
        raise CriterionError(
            f"'{text[position]}' does not belong here",
            remedy="write it as in generate.duration.p95{phase=spike} < 120s",
            text=text,
            position=position,
        )
    return Token(Kind[match.lastgroup], match.group(), match.start(), match.end())


def _value(text: str, position: int) -> Token:
    if text[position] != '"':
        match = BARE_VALUE.match(text, position)
        if match is None:
            raise CriterionError(
                "a filter needs a value",
                remedy='write {phase=spike}, or in quotes {voice="a b"}',
                text=text,
                position=position,
            )
        return Token(Kind.VALUE, match.group(), match.start(), match.end())
    match = _QUOTED_VALUE.match(text, position)
    if match is None:
        raise CriterionError("the quote is not closed", remedy='add a "', text=text, position=position)
    return Token(Kind.VALUE, _ESCAPE.sub(r"\1", match.group(1)), match.start(), match.end())
