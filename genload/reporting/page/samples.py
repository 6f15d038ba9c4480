"""Failed outputs that were kept, small enough to be part of a page: a mesh as a still, audio to be played."""

from __future__ import annotations

import subprocess
import sys
from base64 import b64encode
from dataclasses import dataclass
from os.path import relpath
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from genload.analysis.judged import JudgedRun
from genload.runlog.layout import FAILURES, safe_name

MOST_BYTES = 2**20
"""Of all that is embedded in one page, as it stands there."""

_MESHES = {".stl", ".obj", ".glb", ".gltf", ".ply"}
_IMAGES = {".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp"}
_AUDIO = {
    ".wav": "audio/wav",
    ".mp3": "audio/mpeg",
    ".flac": "audio/flac",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".aac": "audio/aac",
}
_LIMIT_S = 60.0  # half a second of work, on a machine that may have much else to do


@dataclass(frozen=True, slots=True)
class Sample:
    """One kept output.

    Attributes:
        link: relative, from the folder of the page.
        source: a data URI; "" where the output is not part of the page.
    """

    error_class: str
    name: str
    link: str
    size_bytes: int
    shows: Literal["image", "audio", ""]
    source: str


class Samples:
    """The first kept output of each error class, run by run, until the page holds `MOST_BYTES` of them.

    Args:
        page: the folder that the page lies in.
    """

    def __init__(self, page: Path) -> None:
        self._page = page
        self._left_bytes = MOST_BYTES

    def of(self, run: JudgedRun) -> list[Sample]:
        """Those of a run."""
        kept = run.recorded.folder / FAILURES
        found = (
            (group.error_class, self._first(kept / safe_name(group.error_class))) for group in run.errors
        )
        return [self._sample(error_class, path) for error_class, path in found if path is not None]

    def _first(self, folder: Path) -> Path | None:
        files = (path for path in folder.glob("*") if path.is_file() and path.suffix != ".txt")
        return min(files, default=None)

    def _sample(self, error_class: str, path: Path) -> Sample:
        shows, source = self._embedded(path)
        link = quote(relpath(path, self._page))
        return Sample(error_class, path.name, link, path.stat().st_size, shows, source)

    def _embedded(self, path: Path) -> tuple[Literal["image", "audio", ""], str]:
        kind = path.suffix.lower()
        if kind in _MESHES:
            return ("image", source) if (source := self._data("image/png", _still(path))) else ("", "")
        for shows, types in (("image", _IMAGES), ("audio", _AUDIO)):
            if kind in types and path.stat().st_size < self._left_bytes:
                source = self._data(types[kind], path.read_bytes())
                return (shows, source) if source else ("", "")  # type: ignore[return-value]
        return "", ""

    def _data(self, media_type: str, content: bytes) -> str:
        """As a data URI; "" for nothing, and for what there is no room for."""
        source = f"data:{media_type};base64,{b64encode(content).decode()}"
        if not content or len(source) > self._left_bytes:
            return ""
        self._left_bytes -= len(source)
        return source


def _still(path: Path) -> bytes:
    """A PNG of a mesh; nothing of one that cannot be drawn."""
    command = [sys.executable, "-m", "genload.artifacts.mesh.still", str(path)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_LIMIT_S, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        return b""
    return done.stdout if done.returncode == 0 else b""
