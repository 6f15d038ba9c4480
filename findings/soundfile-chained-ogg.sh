#!/usr/bin/env bash
# soundfile 0.14.0 (libsndfile 1.2.2, numpy 2.4.6), miniaudio 1.71 and mutagen 1.48.1, a chained Ogg.
#
# Ogg streams may follow each other in one file (RFC 3533, section 4), which is what comes of a speech server that encodes
# sentence after sentence into one answer. All three take the first stream for the whole and end there, without an
# error: of such an answer everything behind the first sentence is neither heard nor counted.
#
# Seen: of two Vorbis streams of 1 s each, soundfile and miniaudio read 1 s, and mutagen tells 1 s.
# Exits 0 while that is so, 1 when one of them goes on to the second stream, or something else happens.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  soundfile==0.14.0 numpy==2.4.6 miniaudio==1.71 mutagen==1.48.1
"$folder/venv/bin/python" - <<'PYTHON'
import io
import sys

import miniaudio
import mutagen.oggvorbis
import numpy as np
import soundfile

RATE = 24000


def spoken(hertz: float) -> bytes:
    written = io.BytesIO()
    tone = np.sin(2 * np.pi * hertz * np.arange(RATE) / RATE) / 4
    soundfile.write(written, tone, RATE, format="OGG", subtype="VORBIS")
    return written.getvalue()


answer = spoken(220) + spoken(440)
decoded = miniaudio.decode(answer)
seconds = {
    f"soundfile {soundfile.__version__}": len(soundfile.read(io.BytesIO(answer))[0]) / RATE,
    f"miniaudio {miniaudio.__version__}": decoded.num_frames / decoded.sample_rate,
    f"mutagen {mutagen.version_string}": mutagen.oggvorbis.OggVorbis(io.BytesIO(answer)).info.length,
}
print("; ".join(f"{name}: {each:.2f} s" for name, each in seconds.items()), "of 2 s")
sys.exit(0 if all(abs(each - 1) < 0.05 for each in seconds.values()) else 1)
PYTHON
