#!/usr/bin/env bash
# soundfile 0.14.0 (libsndfile 1.2.2, numpy 2.4.6), FLAC whose header leaves the number of samples open.
#
# In STREAMINFO 0 samples means that the number is not known (RFC 9639, section 8.2), as encoders write it that stream.
# `soundfile.info` makes of it the largest number there is, 12 million years of sound at 24 kHz, and
# `soundfile.read` asks for an array of that size. With the number in its place the same file is read.
#
# Seen: duration 3.8e14 s, and ValueError from `read`; 1 s of each once the header states 24000.
# Exits 0 while that is so, 1 when `info` or `read` tell what is there, or something else happens.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check soundfile==0.14.0 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import io
import sys

import numpy as np
import soundfile

RATE = 24000


def look(flac: bytes) -> tuple[float, str]:
    told_s = soundfile.info(io.BytesIO(flac)).duration
    try:
        return told_s, f"{len(soundfile.read(io.BytesIO(flac))[0])} samples"
    except ValueError as error:
        return told_s, f"ValueError: {error}"


written = io.BytesIO()
soundfile.write(written, np.sin(np.arange(RATE) / 20) / 4, RATE, format="FLAC")
whole = written.getvalue()
streamed = bytearray(whole)
streamed[21] &= 0xF0  # the number of samples: 36 bits that end with byte 25
streamed[22:26] = bytes(4)
for name, flac in (("stated", whole), ("open", bytes(streamed))):
    print(f"soundfile {soundfile.__version__}, length {name}: info {look(flac)[0]:g} s, read {look(flac)[1]}")
told_s, read = look(bytes(streamed))
sys.exit(0 if look(whole) == (1.0, "24000 samples") and told_s > 1e14 and read.startswith("ValueError") else 1)
PYTHON
