"""Twenty minutes of speech in every format: does the load generator's memory stay flat?

One load generator a format, all at the same time, against a testbed with a real engine that streams; every
answer is decoded. Exit code 1 when the memory of one of them, its sampler and inspector included, was more
than 5 % higher at the end than after the start.

    python bench/long/formats.py [--minutes 20]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from memory_level import stayed_flat

from genload.commands.demo.testbed import running

FORMATS = ("wav", "mp3", "flac", "opus", "pcm", "ogg")
SUITE = """
name: soak
service: {{api: speech, timeout: 60s, request: {{dialect: {dialect}, format: {form}}}}}
locustfile: speech
monitors: {{host: {{interval: 2s}}}}
scenarios:
  {form}:
    shape: {{kind: sustained, users: 2, duration: {seconds}s}}
    think: 500ms
    criteria: {{nothing_failed: speech.failed == 0}}
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=20.0)
    seconds = round(parser.parse_args().minutes * 60)
    with (
        tempfile.TemporaryDirectory() as name,
        running(["--api", "kokoro"]) as kokoro,
        running(["--api", "litetts", "--no-head-of-line"]) as litetts,
    ):
        loads = []
        for form in FORMATS:
            # Kokoro-FastAPI offers every format but Ogg Vorbis.
            dialect, url = ("litetts", litetts) if form == "ogg" else ("kokoro", kokoro)
            suite = Path(name) / f"{form}.yaml"
            suite.write_text(SUITE.format(dialect=dialect, form=form, seconds=seconds))
            run = [sys.executable, "-m", "genload", "run", f"{suite}/{form}", "--host", url]
            loads.append(subprocess.Popen([*run, "--results", name], stdout=subprocess.DEVNULL))
        codes = {form: load.wait() for form, load in zip(FORMATS, loads, strict=True)}
        print("exit codes of the runs: " + ", ".join(f"{form} {code}" for form, code in codes.items()))
        flat = [stayed_flat(next(Path(name).glob(f"*/{form}")), form) for form in FORMATS]
        return 0 if all(flat) else 1


if __name__ == "__main__":
    sys.exit(main())
