"""Faults of words: what is spoken is not what was asked for."""

from __future__ import annotations

import asyncio
import random
import re

from .faults import SpeechFault
from .truth import SpeechTruth

_PARTNER_S = 1.0
_SENTENCE = re.compile(r"[^.!?]+[.!?]*")


class Misspeaking:
    """Changes texts before they are spoken. The truth says of every request what befell it: nothing where a
    fault needs another request and there is none.
    """

    def __init__(self) -> None:
        self._before = ""
        self._alone: tuple[str, asyncio.Future[str]] | None = None

    async def text(self, wanted: str, fault: SpeechFault | None, truth: SpeechTruth) -> str:
        """What is to be spoken instead of a text, or the text itself."""
        before, self._before = self._before, wanted
        if self._alone is not None and not self._alone[1].done():
            other, partner = self._alone
            self._alone = None
            partner.set_result(wanted)
            truth.fault = str(SpeechFault.SWAP)
            return other
        if fault is SpeechFault.SWAP:
            return await self._swapped(wanted, truth)
        if fault is SpeechFault.BLEED:
            if not before:
                truth.fault = ""
                return wanted
            return f"{wanted} {before.split()[-1].strip('.!?').capitalize()}."
        return reworded(wanted, fault)

    async def _swapped(self, wanted: str, truth: SpeechTruth) -> str:
        partner: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._alone = wanted, partner
        try:
            return await asyncio.wait_for(partner, _PARTNER_S)
        except TimeoutError:
            truth.fault = ""
            return wanted


def reworded(text: str, fault: SpeechFault | None) -> str:
    """A text with a word less, or its last sentence twice."""
    if fault is SpeechFault.DROP_WORD and len(words := text.split()) > 1:
        left_out = random.Random(text).randrange(len(words))
        return " ".join(words[:left_out] + words[left_out + 1 :])
    if fault is SpeechFault.REPEAT_SENTENCE and (sentences := _SENTENCE.findall(text)):
        return f"{text} {sentences[-1].strip()}"
    return text
