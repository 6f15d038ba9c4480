#!/usr/bin/env bash
# soundfile 0.14.0 (libsndfile 1.2.2, numpy 2.4.6), MP3 of variable bit rate without a Xing tag, written by lameenc 1.9.0.
#
# An encoder whose output is streamed cannot go back and write the tag that states the number of frames. libsndfile then
# takes the length that the first frames' bit rate would make of the file, and reads no further than that: the rest of
# the sound is missing, without an error. Whoever checks how long a speech server's MP3 lasts finds too little.
#
# Seen: a tone of 10 s is read as 0.97 s, and `soundfile.info` says the same.
# Exits 0 while that is so, 1 when all of the sound is read, or something else happens.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check soundfile==0.14.0 numpy==2.4.6 lameenc==1.9.0
"$folder/venv/bin/python" - <<'PYTHON'
import io
import sys

import lameenc
import numpy as np
import soundfile

RATE, SECONDS = 24000, 10
tone = np.sin(2 * np.pi * 220 * np.arange(SECONDS * RATE) / RATE) * 8000
encoder = lameenc.Encoder()
encoder.silence()
encoder.set_in_sample_rate(RATE)
encoder.set_channels(1)
encoder.set_vbr(4)
encoder.set_vbr_quality(5)
mp3 = bytes(encoder.encode(tone.astype("<i2").tobytes())) + bytes(encoder.flush())
samples, rate = soundfile.read(io.BytesIO(mp3))
read_s, told_s = len(samples) / rate, soundfile.info(io.BytesIO(mp3)).duration
print(f"soundfile {soundfile.__version__}, libsndfile {soundfile.__libsndfile_version__}:", end=" ")
print(f"{read_s:.2f} s read, {told_s:.2f} s told, of {SECONDS} s")
sys.exit(0 if b"Xing" not in mp3 and read_s < 1 and told_s < 1 else 1)
PYTHON
