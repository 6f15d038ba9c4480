"""What is wrong with one file of a run directory, for people."""

from __future__ import annotations

from dataclasses import dataclass, field

_NUMBERS_TOLD = 5


@dataclass(slots=True)
class Findings:
    """Collected while the file is read, told as lines for the report.

    Attributes:
        file: its name in the run directory.
        lines: how many were read; no finding, but where the next ones are counted from.
        damage: what of a packed file cannot be unpacked.
        unreadable: how many lines do not parse, and the numbers of the first of them, from 1.
        zero_bytes: what a crashed machine leaves where data had not reached the disk.
        unknown: lines of a kind that only a newer genload knows.
        repeated: records whose source and number had been seen before.
    """

    file: str
    lines: int = 0
    missing: bool = False
    damage: str = ""
    unreadable: int = 0
    first_unreadable: list[int] = field(default_factory=list)
    cut_off: bool = False
    zero_bytes: int = 0
    unknown: int = 0
    repeated: int = 0

    def note_unreadable(self, line_number: int) -> None:
        self.unreadable += 1
        if len(self.first_unreadable) < _NUMBERS_TOLD:
            self.first_unreadable.append(line_number)

    def told(self) -> list[str]:
        """One line for each kind of damage; empty for a sound file."""
        numbers = ", ".join(map(str, self.first_unreadable))
        more = ", …" if self.unreadable > len(self.first_unreadable) else ""
        kinds = (
            (self.missing, "missing"),
            (bool(self.damage), self.damage),
            (self.unreadable == 1, f"line {numbers} cannot be read"),
            (self.unreadable > 1, f"{self.unreadable} lines cannot be read ({numbers}{more})"),
            (self.cut_off, "last line cut off"),
            (self.zero_bytes, f"{self.zero_bytes} zero bytes where lines should be"),
            (self.unknown, f"{self.unknown} lines of a kind that only a newer genload knows were left out"),
            (self.repeated, f"{self.repeated} records are there more than once, and were counted once"),
        )
        return [f"{self.file}: {text}" for there, text in kinds if there]
