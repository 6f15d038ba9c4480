"""What one process has judged, for another that goes on with it: to judge a long run again takes seconds.

Numbers and words are handed over. The columns behind them are read anew where a report draws them.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from genload.analysis.judged import JudgedRun
from genload.analysis.populations import parts_of
from genload.analysis.reading import recorded
from genload.analysis.recorded import nothing_recorded
from genload.runlog.reader import open_run

_encode = msgspec.msgpack.Encoder(enc_hook=lambda columns: None).encode
_decode = msgspec.msgpack.Decoder(list[JudgedRun], dec_hook=lambda kind, _: nothing_recorded()).decode


def hand_over(judged: Sequence[JudgedRun], run: Path) -> None:
    """Leave what was judged of a run for whoever takes it up, beside its directory, which holds records.
    Where that cannot be written, the run is judged once more.
    """
    path = _beside(run)
    partial = path.with_suffix(".part")
    try:
        partial.write_bytes(_encode(judged))
        partial.replace(path)
    except OSError:
        with suppress(OSError):
            partial.unlink()


def handed(run: Path) -> list[JudgedRun] | None:
    """What was handed over of a run, once; None where nothing was, or nothing that can be read.

    Raises:
        RunDirectoryError: the run itself cannot be read.
    """
    path = _beside(run)
    try:
        judged = _decode(path.read_bytes())
    except (OSError, msgspec.DecodeError):
        return None
    finally:
        with suppress(OSError):
            path.unlink()
    for one, part in zip(judged, parts_of(open_run(run)), strict=True):
        one.recorded = recorded(part)
    return judged


def _beside(run: Path) -> Path:
    return run.with_name(f".{run.name}.judged")
