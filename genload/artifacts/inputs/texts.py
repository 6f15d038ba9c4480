"""What each request speaks: a text of an exact length, or the user's own, that no other request has.

A service may keep audio by text, voice and format, and then answers a repeated one without any work; so each
text carries a word of its own. Texts that are to be answered from a cache are repeats, made on purpose.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from itertools import accumulate
from math import exp
from pathlib import Path

from msgspec import structs

from genload.artifacts.inputs import sentences
from genload.artifacts.inputs.codes import Codes, spoken
from genload.artifacts.inputs.draws import Draws
from genload.artifacts.inputs.text_file import read_texts
from genload.artifacts.inputs.words import SHORTEST, Words
from genload.service import Utterance
from genload.settings.phases import Ask
from genload.settings.speech import CODE_PLACE, Characters, Texts

DEFAULT_CHARACTERS = 50
RECENT = 30
"""How far back a repeat reaches: caches forget (LiteTTS's after 50 texts)."""

_NAME_LETTERS = 8
_SHORTEST_TOLD = _NAME_LETTERS + sentences.SHORTEST_DEED + 1  # a name that does something
_LONGEST_TOLD = 58  # … in one sentence
_FIRST_SENTENCE = (30, 45)


class TextSource:
    """Makes the utterance of each request from its number alone: same seed and salt, same texts.

    Lengths and voices come in turn, so that every voice speaks every length; what is drawn (a line of a file,
    a length from a range, a repeat) is drawn by seed and number.

    Args:
        voices: at least one.
        seed: of the run.
        salt: of the run, and of no other.

    Raises:
        ConfigError: a file of texts that cannot be used, by line.
    """

    def __init__(self, texts: Texts, voices: Sequence[str], *, seed: int, salt: str) -> None:
        self._texts, self._voices = texts, voices
        self._seed, self._salt = seed, salt if texts.salt else ""
        self._names = Words(self._salt, _NAME_LETTERS)
        self._words: dict[int, Words] = {}  # of shorter texts, by their letters
        self._codes = Codes(texts.code.digits) if texts.code is not None and texts.is_english else None
        self._lines = [] if texts.file is None else read_texts(Path(texts.file).expanduser())
        self._lengths = [(name, texts.classes[name]) for name in texts.lengths or ()]
        self._lengths = self._lengths or [("", DEFAULT_CHARACTERS)]
        self._make: Callable[[int], Utterance] = self._of_length
        if texts.characters is not None:
            self._make = partial(self._of_range, texts.characters)
        elif self._lines:
            self._make = self._of_file
        elif texts.template is not None:
            self._make = self._of_template

    def utterance(self, number: int) -> Utterance:
        """That of one request; numbers count from 0 through the run, the warm-up's are negative."""
        repeats = self._texts.repeats
        if not repeats:
            return self._make(number)
        origin = self._origin(number)
        made = self._make(origin)
        return structs.replace(made, number=number, repeat=origin != number)

    def asked(self, number: int, ask: Ask) -> Utterance:
        """That of a request of a trace; what the trace does not say is as in any other."""
        if ask.text:
            return self._utterance(number, self._salted(ask.text, number), ask.length, ask.voice)
        if ask.length:
            text = self._exactly(self._texts.classes[ask.length], number)
            return self._utterance(number, text, ask.length, ask.voice)
        made = self.utterance(number)
        return structs.replace(made, voice=ask.voice or made.voice)

    def _origin(self, number: int) -> int:
        """The number whose text is spoken: its own, or for a repeat an earlier one, which was no repeat."""
        while number > 0:
            draws = Draws(self._seed, number, b"repeat")
            if draws.share() >= self._texts.repeats:
                break
            number = draws.between(max(number - RECENT, 0), number - 1)
        return number

    def _of_length(self, number: int) -> Utterance:
        lengths = self._lengths
        length, characters = lengths[number % len(lengths)]
        return self._utterance(number, self._exactly(characters, number), length)

    def _of_range(self, characters: Characters, number: int) -> Utterance:
        drawn = _drawn(characters, Draws(self._seed, number, b"length"))
        return self._utterance(number, self._exactly(drawn, number))

    def _of_template(self, number: int) -> Utterance:
        text = (self._texts.template or "").replace("{i}", str(number))
        if CODE_PLACE not in text:
            return self._utterance(number, self._salted(text, number))
        if self._codes is None:  # of texts in another language
            return self._utterance(number, self._salted(text.replace(CODE_PLACE, "").rstrip(), number))
        if self._texts.salt:  # in front: the code is listened for at the end
            text = f"{self._names.word(number).capitalize()}. {text}"
        return self._utterance(number, text)

    def _of_file(self, number: int) -> Utterance:
        drawn = Draws(self._seed, number, b"line").share() * self._bounds[-1]
        line = self._lines[bisect(self._bounds, drawn, hi=len(self._lines) - 1)]
        return self._utterance(number, self._salted(line.text, number), line.length, line.voice)

    @cached_property
    def _bounds(self) -> list[float]:
        return list(accumulate(line.weight for line in self._lines))

    def _utterance(self, number: int, text: str, length: str = "", voice: str = "") -> Utterance:
        voices = self._voices
        voice = voice or voices[number // len(self._lengths) % len(voices)]
        if self._codes is None:
            return Utterance(number, text, voice, length)
        code = self._codes.code(number)
        return Utterance(number, _with_code(text, code), voice, length, code=code)

    def _exactly(self, characters: int, number: int) -> str:
        """A text of so many characters, its name's word that of the number."""
        if characters <= SHORTEST:
            return self._word(number, SHORTEST)[:characters].capitalize()
        if characters < _SHORTEST_TOLD:
            return f"{self._word(number, characters - 1).capitalize()}."
        draws = Draws(self._seed, number, b"text")
        name = self._names.word(number).capitalize()
        if characters <= _LONGEST_TOLD:
            return name + sentences.deed(characters - len(name), draws)
        shortest, longest = _FIRST_SENTENCE
        first = draws.between(shortest, min(longest, characters - sentences.SHORTEST - 1))
        rest = sentences.sentences(characters - first - 1, draws)
        return f"{name}{sentences.deed(first - len(name), draws)} {rest}"

    def _salted(self, text: str, number: int) -> str:
        """With a word of this request after it, a sentence of its own where the text ends one."""
        if not self._texts.salt:
            return text
        text = text.rstrip()
        end = text[-1:] if text.endswith((".", "!", "?")) else ""
        return f"{text} {self._names.word(number).capitalize()}{end}"

    def _word(self, number: int, letters: int) -> str:
        words = self._words.get(letters)
        if words is None:
            words = self._words[letters] = Words(self._salt, letters)
        return words.word(number)


def _with_code(text: str, code: str) -> str:
    """A text with a code at its end: where the text has a place for it, or as a sentence."""
    words = spoken(code)
    if CODE_PLACE in text:
        return text.replace(CODE_PLACE, words)
    text = text.rstrip()
    end = "" if text.endswith((".", "!", "?")) else "."
    return f"{text}{end} The code is {words}."


def _drawn(characters: Characters, draws: Draws) -> int:
    if characters.median is None:
        return draws.between(characters.min, characters.max)
    drawn = characters.median * exp(draws.normal() * characters.spread)
    return min(max(round(drawn), characters.min), characters.max)
