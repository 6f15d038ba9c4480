"""How sure it is whose words an answer speaks: clean answers of a real engine, and what listening costs.

Every answer speaks its own code, so that whatever is not "own" is false. "Another's" would be any code of the
run: as if all requests were in flight at once. CPU time is that of decoding and recognising.

    python bench/words.py [ANSWERS=400] [VOICE …]
"""

from __future__ import annotations

import argparse
from collections import Counter
from time import process_time

import numpy as np

from genload.analysis.evidence.rates import clopper_pearson
from genload.artifacts.audio.facts import RawSamples
from genload.artifacts.audio.listener import DIGIT_S
from genload.artifacts.inputs.codes import Codes
from genload.artifacts.inputs.texts import TextSource
from genload.artifacts.words.hearing import heard
from genload.settings.speech import Texts
from testbed.speech.encoding import Format, encode
from testbed.speech.speaker import Speaker

ANSWERS = 400
TOLD_EVERY = 100
DIGITS = 6


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("answers", type=int, nargs="?", default=ANSWERS)
    parser.add_argument("voices", nargs="*", default=["af_heart"], metavar="VOICE")
    options = parser.parse_args()
    answers = options.answers
    speaker = Speaker(1)
    speaker.load()
    for voice in options.voices:
        texts = Texts.model_validate({"lengths": ["short", "medium", "long"], "code": {"digits": DIGITS}})
        source = TextSource(texts, [voice], seed=1, salt="bench")
        said = {source.utterance(number).code for number in range(answers)}
        found: Counter[str] = Counter()
        audio_s = cpu_s = 0.0
        for number in range(answers):
            utterance = source.utterance(number)
            samples = np.concatenate(list(speaker.speak(utterance.text, voice, 1.0)))
            content = encode(samples, Format.WAV, speaker.rate_hz)
            began_s = process_time()
            digits, _ = heard(content, "wav", RawSamples(), False, DIGITS * DIGIT_S, "")
            cpu_s += process_time() - began_s
            audio_s += len(samples) / speaker.rate_hz
            found[_whose(utterance.code, (digits or "")[-DIGITS:], said)] += 1
            if (number + 1) % TOLD_EVERY == 0 or number + 1 == answers:
                _tell(voice, number + 1, found, cpu_s / audio_s)


def _whose(code: str, digits: str, said: set[str]) -> str:
    if digits == code:
        return "own"
    if digits in said:
        return "another"
    return "nobody" if digits in Codes(DIGITS) else "not understood"


def _tell(voice: str, count: int, found: Counter[str], cpu: float) -> None:
    missed = count - found["own"]
    low, high = (clopper_pearson(missed, count, side) for side in ("lower", "upper"))
    print(
        f"{voice}: {count} clean answers: own {found['own']}, another's {found['another']}, "
        f"nobody's {found['nobody']}, not understood {found['not understood']}; "
        f"not own {missed / count:.2%} (one-sided 95 %: {low:.2%}, {high:.2%}); "
        f"{cpu:.4f} s of CPU a second of audio",
        flush=True,
    )


if __name__ == "__main__":
    main()
