"""Whose words each answer speaks: the codes of all texts of a run joined with the digits that were heard.

Only here the codes of all load processes are together. An answer's words are

    own             the digits heard at its end are those of its text, said once
    another         they are those of another text, whose request was in flight at the same time
    nobody          they are a code, and no request with it was in flight
    not_understood  they are no code

They are judged only of a voice that the recogniser understands: of the codes that the warm-up spoke, one at a
time, it must have understood 95 %, and there must have been five.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from genload.analysis.carried import carries
from genload.analysis.evidence.estimate import BoolArray, FloatArray
from genload.analysis.judged.speech import Words
from genload.analysis.table import Coded, RequestTable
from genload.artifacts.inputs.codes import Codes
from genload.artifacts.words.transcript import edits
from genload.human import human
from genload.settings.speech import CONCURRENCY, WORDS

LEAST_UNDERSTOOD = 0.95
LEAST_CODES = 5

OWN, ANOTHERS, NOBODYS, NOT_UNDERSTOOD = WORDS


@dataclass(frozen=True, slots=True)
class Proof:
    """Of the codes that one voice spoke in the warm-up, how many the recogniser understood."""

    spoken: int
    understood: int

    @property
    def holds(self) -> bool:
        return self.spoken >= LEAST_CODES and self.understood >= LEAST_UNDERSTOOD * self.spoken


def with_words(measured: RequestTable, warmup: RequestTable, request: Mapping[str, Any]) -> RequestTable:
    """The requests of a load with whose words their answers speak: labels ``words`` and ``concurrency``,
    numbers ``own_words``, ``swapped`` and ``code_errors``.

    Args:
        request: the settings of the requests, as run.json has them.
    """
    if measured.said is None or not measured.heard:
        return replace(measured, unheard=_why_nothing(request))
    proofs = proven(warmup)
    voices = _words_of(measured, "voice")
    rows = [row for row in sorted(measured.heard) if proofs.get(voices[row], _NONE).holds]
    whose = _whose(measured, rows)
    numbers: dict[str, FloatArray] = {
        name: np.full(len(measured), np.nan) for name in ("own_words", "swapped", "code_errors")
    }
    label = np.zeros(len(measured), dtype=np.int32)
    for row, words in whose.items():
        numbers["own_words"][row], numbers["swapped"][row] = words == OWN, words == ANOTHERS
        said = measured.said[row].decode()
        numbers["code_errors"][row] = _errors(said, measured.heard[row])
        label[row] = 1 + WORDS.index(words)
    labels = {"words": (label, ("", *WORDS)), "concurrency": _concurrency(measured)}
    return replace(
        measured,
        numbers={**measured.numbers, **numbers},
        labels={**measured.labels, **labels},
        warmup_codes=(
            sum(proof.spoken for proof in proofs.values()),
            sum(proof.understood for proof in proofs.values()),
        ),
        unheard=_why_unproven(proofs, {voices[row] for row in measured.heard}),
    )


def proven(warmup: RequestTable) -> dict[str, Proof]:
    """By voice, how the recogniser did in the warm-up."""
    spoken: Counter[str] = Counter()
    understood: Counter[str] = Counter()
    voices = _words_of(warmup, "voice")
    for row, digits in warmup.heard.items():
        assert warmup.said is not None  # noqa: S101  who is listened to has a code
        spoken[voices[row]] += 1
        understood[voices[row]] += _is_own(warmup.said[row].decode(), digits)
    return {voice: Proof(count, understood[voice]) for voice, count in spoken.items()}


def whose_words(table: RequestTable) -> Words | None:
    """How many answers spoke whose words; None where none is judged."""
    heard = int(carries(table, "own_words").sum())
    if not heard:
        return None
    own, anothers, nobodys, not_understood = (int(table.where("words", word).sum()) for word in WORDS)
    spoken, understood = table.warmup_codes
    return Words(
        heard=heard,
        own=own,
        anothers=anothers,
        nobodys=nobodys,
        not_understood=not_understood,
        code_errors=float(np.nanmean(table.numbers["code_errors"])),
        warmup_codes=spoken,
        warmup_understood=understood,
    )


def words_notices(table: RequestTable) -> Iterator[str]:
    """What is said of voices whose words are not judged though they were listened to."""
    if table.heard and table.unheard:
        yield f"words that answers speak are not judged, without {table.unheard}"


_NONE = Proof(0, 0)


def _whose(table: RequestTable, rows: list[int]) -> dict[int, str]:
    assert table.said is not None  # noqa: S101
    order = np.argsort(table.said, kind="stable")
    in_order = table.said[order]
    begins_s = (
        table.end_s - table.duration_s + np.nan_to_num(table.numbers.get("start_delay_s", _zeros(table)))
    )
    codes = Codes(len(table.said[rows[0]])) if rows else None
    found = {}
    for row in rows:
        said, heard = table.said[row].decode(), table.heard[row]
        code = heard[-len(said) :].encode()
        if _is_own(said, heard):
            found[row] = OWN
            continue
        others = order[np.searchsorted(in_order, code) : np.searchsorted(in_order, code, side="right")]
        others = others[others != row]
        then = (begins_s[others] < table.end_s[row]) & (table.end_s[others] > begins_s[row])
        if code.decode() != said and then.any():
            found[row] = ANOTHERS
        else:
            is_code = codes is not None and code.decode() in codes and code.decode() != said
            found[row] = NOBODYS if is_code else NOT_UNDERSTOOD
    return found


def _is_own(said: str, heard: str) -> bool:
    return heard.endswith(said) and not _said_before(said, heard)


def _said_before(said: str, heard: str) -> bool:
    """Whether the code at the end was there already."""
    return said in heard[: -len(said)]


def _errors(said: str, heard: str) -> int:
    """Digits of a code that were left out, put in or changed, or said again; before it anything may be."""
    errors = edits(said, heard, from_anywhere=True)
    return errors or (len(said) if _said_before(said, heard) else 0)


def _zeros(table: RequestTable) -> FloatArray:
    return np.zeros(len(table))


def _concurrency(table: RequestTable) -> Coded:
    """How many requests were in flight when each began, itself among them, in classes."""
    begins_s = table.start_s
    begun = np.searchsorted(np.sort(begins_s), begins_s, side="right")
    ended = np.searchsorted(np.sort(table.end_s), begins_s, side="right")
    at_once = np.maximum(begun - ended, 1)
    least = [low for low, _ in CONCURRENCY]
    found: BoolArray = np.searchsorted(least, at_once, side="right")
    return found.astype(np.int32), ("", *(name for _, name in CONCURRENCY))


def _words_of(table: RequestTable, label: str) -> list[str]:
    codes, values = table.labels.get(label, (np.zeros(len(table), dtype=np.int32), ("",)))
    return [values[code] for code in codes]


def _why_nothing(request: Mapping[str, Any]) -> str:
    """What would be needed, where no answer was listened to."""
    texts = request.get("texts") or {}
    language = str(texts.get("language") or "en")
    if language.lower().partition("-")[0] != "en":
        return f"texts in English: these are in '{language}', of which no words are recognised here"
    if not texts.get("code"):
        return "a code in each text: texts: {code: {digits: 6}}"
    return "an answer that was listened to: validate.words over 0, and pip install 'genload[words]'"


def _why_unproven(proofs: Mapping[str, Proof], voices: set[str]) -> str:
    """What would be needed of the voices that the recogniser has not proven itself on."""
    told = []
    for voice in sorted(voices):
        proof = proofs.get(voice, _NONE)
        if not proof.holds:
            told.append(f"{proof.understood} of {proof.spoken} codes of voice {voice}")
    if not told:
        return ""
    needed = f"{human(LEAST_UNDERSTOOD, 'ratio')} of at least {LEAST_CODES} are needed (warmup.jobs)"
    return (
        f"a recogniser that understands the voice: it understood {', '.join(told)} in the warm-up; {needed}"
    )
