"""The truth log: what the service itself knows of every job it accepted, to check a client's records by.

One JSON line a job, complete and flushed as soon as nothing more is to be learned of it: when it failed,
when its file was fetched whole, when nobody fetched it for a while, or when the service ends. A job that a
fault kept from being accepted has its line, too; one that was only refused has it when the service ends.
All times are `time.monotonic()` seconds of this host, so a client on the same host compares them directly.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO


@dataclass(slots=True)
class Truth:
    """One job. A time is None while, or because, it never came."""

    job_id: str  # "" when the client has not learned it
    request_id: str  # X-Request-ID of the submission, else of the upload, else ""
    upload_s: float | None = None  # the upload's request arrived
    arrival_s: float | None = None  # the submission arrived
    accepted_s: float | None = None  # its answer 200 was decided
    format: str = ""
    service_s: float = 0.0  # the service time drawn, in real seconds, alone on the GPU
    rejections: int = 0  # refused submissions of this job before this one
    start_s: float | None = None  # took its slot
    end_s: float | None = None  # its status became completed or failed
    outcome: str = "unfinished"  # completed, failed, not_accepted; unfinished: the service ended first
    error: str = ""
    faults: str = ""  # what befell it on purpose, joined by commas
    output_bytes: int = 0
    bytes_served: int = 0  # of its output, all downloads together
    downloads: int = 0  # whole ones
    download_start_s: float | None = None  # of the first whole one: request arrived
    download_end_s: float | None = None  # its last bytes were about to be handed to the socket
    traceparent: str = ""  # of an accepted submission
    told_s: float | None = None  # all who listened then had been sent the update of its end


class TruthLog:
    """Appends lines to a file, or swallows them when there is none.

    Raises:
        OSError: the file cannot be opened.
    """

    def __init__(self, path: Path | None) -> None:
        self._file: TextIO | None = path.open("a", encoding="utf-8") if path is not None else None

    def write(self, truth: Truth) -> None:
        self.write_row(asdict(truth))

    def write_row(self, row: Mapping[str, object]) -> None:
        """Append a line as it is."""
        if self._file is not None:
            self._file.write(json.dumps(row) + "\n")
            self._file.flush()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
