"""Criteria, step two: tokens to a tree, by recursive descent.

The grammar, without spaces (which may stand between any two words)::

    expression  = [ "each" "(" label ")" ":" ] condition { "and" condition }
    condition   = subject operator right | subject "in" quantity ".." quantity
    operator    = "<" | "<=" | ">" | ">=" | "==" | "!="
    right       = quantity [ "of" subject ]            ; with "of": a share, 120% or 1/3
    subject     = [ "ok." ] metric [ "." stat ] [ "{" item { "," item } "}" ]
    metric      = name { "." name }
    stat        = "mean" | "min" | "max" | "rate" | "count" | "last" | "growth" | "slope"
                | "p" digits | "p" "(" number ")"      ; 0 to 100
    item        = label "=" value | window
    window      = ( "first" | "last" ) "(" quantity ")"
    quantity    = number [ "/" number ] [ unit ] [ "/" unit ]   ; 90s, 5%, 1/3, 22GiB, 30/min
    value       = letters, digits and _ . : @ + -  |  '"' any text '"'

A last name that is a statistic's is the statistic; whether metric, statistic, label and unit fit
together is `validate`'s matter. `each` does not nest, so nothing here recurses without bound.
"""

from __future__ import annotations

import re
from typing import Literal, NoReturn, cast

from genload.settings.criteria.ast import (
    Comparison,
    Conjunction,
    Dimension,
    Each,
    Expression,
    Interval,
    Operator,
    Quantity,
    Relative,
    Subject,
    Window,
)
from genload.settings.criteria.error import CriterionError
from genload.settings.criteria.scan import Kind, Token, scan
from genload.settings.units import parse_quantity

PLAIN_STATS = frozenset({"mean", "min", "max", "rate", "count", "last", "growth", "slope"})
KEYWORDS = frozenset({"and", "in", "of", "each"})
_PERCENTILE = re.compile(r"p([0-9]+)")


def parse(text: str) -> Expression:
    """Read one criterion.

    Raises:
        CriterionError: it is not one; it shows the place and says what to write. Nothing else is raised.
    """
    return _Parser(text).expression()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = scan(text)
        self._at = 0

    # The tokens.

    @property
    def _now(self) -> Token:
        return self._tokens[self._at]

    def _next(self) -> Token:
        token = self._now
        if token.kind is not Kind.END:
            self._at += 1
        return token

    def _is(self, text: str) -> bool:
        return self._now.text == text and self._now.kind in (Kind.MARK, Kind.NAME)

    def _take(self, text: str) -> bool:
        if not self._is(text):
            return False
        self._next()
        return True

    def _need(self, text: str, remedy: str) -> None:
        if not self._take(text):
            self._fail(f"'{text}' is missing", remedy)

    def _fail(self, reason: str, remedy: str, token: Token | None = None) -> NoReturn:
        position = (token or self._now).start
        raise CriterionError(reason, remedy=remedy, text=self._text, position=position)

    def _followed_by(self, text: str) -> bool:
        return self._now.kind is not Kind.END and self._tokens[self._at + 1].text == text

    # The grammar, top down.

    def expression(self) -> Expression:
        label = None
        if self._is("each") and self._followed_by("("):
            label = self._each()
        parts = [self._condition()]
        while self._take("and"):
            parts.append(self._condition())
        if self._now.kind is not Kind.END:
            self._fail(
                f"'{self._now.text}' is too much", "join conditions with 'and', one comparison in each"
            )
        body = parts[0] if len(parts) == 1 else Conjunction(tuple(parts))
        return body if label is None else Each(label, body)

    def _each(self) -> str:
        self._next()
        self._next()
        label = self._label()
        remedy = "write each(voice): speech.duration.p95 < 2s"
        self._need(")", remedy)
        self._need(":", remedy)
        return label

    def _condition(self) -> Comparison | Interval:
        subject = self._subject()
        if self._take("in"):
            low = self._quantity()
            self._need("..", "write an interval as 75s..90s")
            return Interval(subject, low, self._quantity())
        token = self._now
        if token.kind is not Kind.OPERATOR:
            self._fail("a comparison is missing", "go on with <, <=, >, >=, ==, != or 'in 75s..90s'")
        self._next()
        return Comparison(subject, cast(Operator, token.text), self._right())

    def _right(self) -> Quantity | Relative:
        first = self._now
        quantity = self._quantity()
        if not self._take("of"):
            return quantity
        if quantity.dimension is not Dimension.RATIO:
            self._fail(f"'{quantity.text} of' needs a share", "write 120% of …, or 1/3 of …", first)
        return Relative(quantity.value, self._subject(), quantity.text)

    def _subject(self) -> Subject:
        token = self._now
        if token.kind is not Kind.NAME or token.text in KEYWORDS:
            self._fail(
                "a metric is missing", "name one, such as generate.duration.p95 or generate.error_rate"
            )
        self._next()
        parts = token.text.split(".")
        ok_only = parts[0] == "ok" and len(parts) > 1
        if ok_only:
            parts = parts[1:]
        stat, percentile = self._stat(parts, token)
        filters, window = self._braces() if self._take("{") else ((), None)
        return Subject(".".join(parts), stat, percentile, filters, window, ok_only)

    def _stat(self, parts: list[str], token: Token) -> tuple[str | None, float | None]:
        """The statistic at the end of a dotted name, taken off `parts`."""
        if len(parts) < 2:
            return None, None
        word = parts[-1]
        if word == "p" and self._take("("):
            parts.pop()
            percentile = self._percentile(self._now)
            self._next()
            self._need(")", "write a percentile as p(99.9)")
            return "p", percentile
        match = _PERCENTILE.fullmatch(word)
        if match:
            parts.pop()
            if self._now.kind is Kind.NUMBER and self._now.start == token.end:
                self._fail("a percentile with a fraction stands in parentheses", "write p(99.9)", token)
            return "p", self._percentile(Token(Kind.NUMBER, match.group(1), token.start, token.end))
        return (parts.pop(), None) if word in PLAIN_STATS else (None, None)

    def _percentile(self, token: Token) -> float:
        value = float(token.text) if token.kind is Kind.NUMBER else -1.0
        if not 0 <= value <= 100:
            self._fail("a percentile is a number from 0 to 100", "write p95 or p(99.9)", token)
        return value

    def _braces(self) -> tuple[tuple[tuple[str, str], ...], Window | None]:
        filters: dict[str, str] = {}
        window: Window | None = None
        while True:
            token = self._now
            if token.text in ("first", "last") and self._followed_by("("):
                if window is not None:
                    self._fail("there is a window already", "use one: first(10min) or last(10min)")
                window = self._window()
            else:
                label, value = self._filter()
                if label in filters:
                    self._fail(f"'{label}' stands here twice", "filter by each label once", token)
                filters[label] = value
            if not self._take(","):
                break
        self._need("}", "close the filters: {phase=spike, last(10min)}")
        return tuple(filters.items()), window

    def _filter(self) -> tuple[str, str]:
        label = self._label()
        self._need("=", "write a filter as {phase=spike}, a window as {last(10min)}")
        token = self._next()
        if token.kind is not Kind.VALUE:
            self._fail("a filter needs a value", 'write {phase=spike}, or in quotes {voice="a b"}', token)
        return label, token.text

    def _label(self) -> str:
        token = self._next()
        if token.kind is not Kind.NAME or "." in token.text:
            self._fail("a label is missing", "name one, such as phase", token)
        return token.text

    def _window(self) -> Window:
        side = self._next().text
        self._next()
        first = self._now
        length = self._quantity()
        if length.dimension is not Dimension.TIME:
            self._fail("a window is a time", "write last(10min)", first)
        self._need(")", "write last(10min)")
        return Window(cast(Literal["first", "last"], side), length)

    def _quantity(self) -> Quantity:
        """``90s``, ``1/3``, ``5 %``, ``30/min``: its tokens here, its meaning in `units`."""
        first = last = self._now
        if first.kind is not Kind.NUMBER:
            self._fail("a value is missing", "write a number with its unit: 90s, 5%, 22GiB, 30/min, 1/3")
        self._next()
        if self._is("/") and self._tokens[self._at + 1].kind is Kind.NUMBER:
            self._next()
            last = self._next()
        if self._is("%") or self._at_unit():
            last = self._next()
        if self._take("/"):
            if not self._at_unit():
                self._fail("a unit of time is missing after '/'", "write a rate as 30/min")
            last = self._next()
        try:
            return parse_quantity(self._text[first.start : last.end])
        except ValueError as error:
            self._fail(str(error), "write a number with its unit: 90s, 5%, 22GiB, 30/min, 1/3", first)

    def _at_unit(self) -> bool:
        return self._now.kind is Kind.NAME and self._now.text not in KEYWORDS
