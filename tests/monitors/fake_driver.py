"""A driver's library that answers what a test says, built from C."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

NVML = "libnvidia-ml.so.1"


@dataclass
class FakeNvml:
    """A driver whose answers a test writes down; the script's words are those of fake_nvml/nvml.c.

    Attributes:
        library: the shared library.
        script: the file that it answers from.
    """

    library: Path
    script: Path

    def tell(self, lines: list[str]) -> None:
        """Write the script's lines, whole at once: another process may be reading."""
        new = self.script.with_suffix(".new")
        new.write_text("".join(f"{line}\n" for line in lines))
        new.replace(self.script)

    @property
    def environment(self) -> Mapping[str, str]:
        """With which a process finds this driver instead of the machine's."""
        folders = (str(self.library.parent), os.environ.get("LD_LIBRARY_PATH", ""))
        return {"LD_LIBRARY_PATH": os.pathsep.join(filter(None, folders)), "FAKE_NVML": str(self.script)}


def build_nvml(c_compiler: str, folder: Path, *, old: bool = False) -> Path:
    """The library in `folder`, as new or as an old driver brings it."""
    source = Path(__file__).parent / "fake_nvml" / "nvml.c"
    options = ["-shared", "-fPIC", "-Wall", "-Werror", f"-Wl,-soname,{NVML}", *(["-DOLD"] if old else [])]
    subprocess.run([c_compiler, *options, "-o", folder / NVML, source], check=True)
    return folder / NVML
