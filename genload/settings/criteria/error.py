"""What is wrong with a criterion, shown under the text itself."""

from __future__ import annotations

_WIDTH = 90


class CriterionError(ValueError):
    """A criterion that cannot be read, or that does not fit the suite.

    Attributes:
        reason: one line, what is wrong.
        remedy: one line, what to write instead.
        text: the criterion, and `position` the offset in it, when the place is known (else -1).
    """

    def __init__(self, reason: str, *, remedy: str, text: str = "", position: int = -1) -> None:
        super().__init__(reason)
        self.reason, self.remedy, self.text, self.position = reason, remedy, text, position

    def __str__(self) -> str:
        """The reason, then the text with a caret under the place."""
        if self.position < 0:
            return self.reason
        begin = max(0, self.position - _WIDTH // 2)
        shown = self.text[begin : begin + _WIDTH]
        # One column a character, whatever it was: the caret must stand under its place.
        line = "".join(c if c.isprintable() else " " for c in shown)
        caret = " " * (self.position - begin) + "^"
        return f"{self.reason}, at column {self.position + 1}\n    {line}\n    {caret}"
