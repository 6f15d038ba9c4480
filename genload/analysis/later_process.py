"""The process of a `LaterHalf`: ``python -P -m genload.analysis.later_process FOLDER MEMBER OFFSET``.

What it hands back are columns, by pickle: it is this program's own, and from nowhere else.
"""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

from genload import housekeeping
from genload.analysis.taken import of_each
from genload.runlog.packing import Cut
from genload.runlog.reader import open_run


def main() -> None:
    housekeeping.begin()
    folder, member, offset = sys.argv[1:]
    log = open_run(Path(folder))
    rows, noted = log.rows_after(Cut(int(member), int(offset)))
    taken = of_each(log.header)
    for block in rows:
        for each in taken:
            each.add(block)
    for each in taken:
        each.settle()
    pickle.dump((noted, taken), sys.stdout.buffer, pickle.HIGHEST_PROTOCOL)


if __name__ == "__main__":
    main()
