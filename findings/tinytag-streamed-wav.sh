#!/usr/bin/env bash
# tinytag 2.3.2, and mutagen 1.48.1, WAV whose header leaves the length open.
#
# A server that streams WAV does not know how long it will be, and states 0xFFFFFFFF in both sizes, as FFmpeg does
# into a pipe and speech servers do in every streamed answer. Both compute the duration from that size and not from the
# file's, without a word: each second of speech counts as a day.
#
# Seen: 1 s of 24 kHz, 16 bit, mono has a duration of 89478 s in both.
# Exits 0 while that is so, 1 when one of them tells the file's own length or none, or something else happens.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tinytag==2.3.2 mutagen==1.48.1
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import struct
import sys
from pathlib import Path

import mutagen
import tinytag

RATE, OPEN = 24000, 0xFFFFFFFF
form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, 2 * RATE, 2, 16)
samples = struct.pack("<h", 1000) * RATE
wav = struct.pack("<4sI4s", b"RIFF", OPEN, b"WAVE") + form + struct.pack("<4sI", b"data", OPEN) + samples
Path("speech.wav").write_bytes(wav)
told = {
    f"tinytag {tinytag.__version__}": tinytag.TinyTag.get("speech.wav").duration,
    f"mutagen {mutagen.version_string}": mutagen.File("speech.wav").info.length,
}
print("; ".join(f"{name}: {seconds:.0f} s" for name, seconds in told.items()), "of 1 s")
sys.exit(0 if all(round(seconds) == 89478 for seconds in told.values()) else 1)
PYTHON
