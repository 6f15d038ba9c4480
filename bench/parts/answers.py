"""A server of speech and of ORFEAS that is not the bottleneck: `answers.c`, built in place."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import trimesh
from parts import wav_server

_SAMPLES_AT = 44  # in the WAV
_COUNTED_AT = 4  # in the header of an STL, which is free text
_SOURCE = Path(__file__).with_name("answers.c")


@dataclass(frozen=True, slots=True)
class Server:
    """One that runs."""

    pid: int
    port: int

    @property
    def host(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def counted(self) -> list[int]:
        """How many answers of audio and meshes it has sent; how many polls it has answered, and how much
        speech it was asked for in vain (both of `answers.c` alone).
        """
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/count", timeout=10) as answer:
            told = json.load(answer)
        return [told["count"]] if isinstance(told, dict) else [int(count) for count in told]


def compiler() -> str | None:
    """A C compiler's command; None where there is none."""
    return next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)


@contextmanager
def answers(core: int, folder: Path) -> Iterator[Server]:
    """The server while it runs. Without a compiler it is Python's own, of speech alone."""
    command = compiler()
    if command is None:
        with wav_server.server(core):
            (python,) = psutil.Process(os.getpid()).children()
            yield Server(python.pid, wav_server.PORT)
        return
    program, wav, stl = folder / "answers", folder / "one.wav", folder / "one.stl"
    subprocess.run([command, "-O2", "-o", str(program), str(_SOURCE)], check=True)
    wav.write_bytes(bytes(wav_server.one_second()))
    stl.write_bytes(trimesh.creation.icosphere(subdivisions=3).export(file_type="stl"))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    files = [str(wav), str(_SAMPLES_AT), str(stl), str(_COUNTED_AT)]
    process = subprocess.Popen(["taskset", "-c", str(core), str(program), str(port), *files])
    time.sleep(0.3)
    if process.poll() is not None:
        sys.exit("the server does not run")
    try:
        yield Server(process.pid, port)
    finally:
        process.terminate()
        process.wait(10)
