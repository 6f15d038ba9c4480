"""What is noted while request records are read: which are there, and what is wrong with their file."""

from __future__ import annotations

from typing import TypeVar

from genload.runlog.findings import Findings
from genload.runlog.layout import REQUESTS
from genload.runlog.numbering import Numbering
from genload.runlog.records import RequestRecord
from genload.runlog.rows import Row

R = TypeVar("R", RequestRecord, Row)


class Noted:
    """Of the records up to here.

    Attributes:
        numberings: by source.
    """

    def __init__(self) -> None:
        self.findings = Findings(REQUESTS)
        self.numberings: dict[str, Numbering] = {}

    def new(self, block: list[R]) -> list[R]:
        """The records of a block that were not there before."""
        sources = {record.source for record in block}
        for source in sources - self.numberings.keys():
            self.numberings[source] = Numbering()
        if len(sources) == 1 and self.numberings[block[0].source].note_all([record.n for record in block]):
            return block
        new = [record for record in block if self.numberings[record.source].note(record.n)]
        self.findings.repeated += len(block) - len(new)
        return new

    def join(self, later: Noted) -> bool:
        """Take what was noted of the rest of the file. False, and nothing taken, where something is wrong
        with it, or a record of it was here before.
        """
        joined = {
            source: self.numberings.get(source, Numbering()).joined(numbering)
            for source, numbering in later.numberings.items()
        }
        if later.findings.told() or None in joined.values():
            return False
        self.numberings |= {
            source: numbering for source, numbering in joined.items() if numbering is not None
        }
        self.findings.lines += later.findings.lines
        return True
