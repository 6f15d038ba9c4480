"""The speech testbed's part of ``python -m testbed``: its options."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from ..options import WhenFull
from ..quantities import parse_duration_s
from .faults import parse_speech_faults
from .options import Api, EngineName, SpeechOptions, Stream

_SLOTS = {EngineName.HIBARI: 2, EngineName.TONE: 0}
_CHUNK_S = {EngineName.HIBARI: 0.2, EngineName.TONE: 0.02}
_SCRAPE_STALL_S = 1.0  # a real LiteTTS measures the CPU for that long, and does nothing else meanwhile


def read(arguments: Sequence[str], exit_with: Callable[[str], NoReturn]) -> SpeechOptions:
    """The options on the command line.

    Args:
        exit_with: told the one line that says what is wrong with them.
    """
    parser = argparse.ArgumentParser(prog="testbed", add_help=False, exit_on_error=False, allow_abbrev=False)
    _declare(parser)
    try:
        given, foreign = parser.parse_known_args(arguments)
        faults = parse_speech_faults(given.fault)
    except (argparse.ArgumentError, ValueError) as error:
        exit_with(str(error))
    if foreign:
        exit_with(f"{foreign[0].partition('=')[0]} is no option of --api {given.api}")
    lite = given.api is Api.LITETTS
    hums = given.engine is EngineName.TONE
    chunk_s = given.chunk or _CHUNK_S[given.engine]
    return SpeechOptions(
        api=given.api,
        engine=given.engine,
        stream=given.stream,
        port=given.port,
        seed=given.seed,
        truth=given.truth,
        slots=_SLOTS[given.engine] if given.slots is None else given.slots,
        when_full=given.when_full,
        rate_limit_per_min=given.rate_limit,
        token=given.token,
        head_of_line=(lite and not hums) if given.head_of_line is None else given.head_of_line,
        scrape_stall_s=_SCRAPE_STALL_S * (lite and not hums)
        if given.scrape_stall is None
        else given.scrape_stall,
        chunk_s=chunk_s,
        pace_s=(chunk_s if hums else 0.0) if given.pace is None else given.pace,
        work_s=given.work,
        first_chunk_s=given.first_chunk,
        gpu=given.gpu,
        slowed_by=given.slowed_by,
        per_character_s=given.per_character,
        audio_s=given.audio,
        faults=faults,
    )


def _declare(parser: argparse.ArgumentParser) -> None:
    add, duration = parser.add_argument, _checked(parse_duration_s)
    add("--api", type=Api, required=True)
    add("--engine", type=EngineName, default=EngineName.HIBARI)
    add("--stream", type=Stream)
    add("--port", type=_whole(0, 65535), default=5000)
    add("--seed", type=int, default=0)
    add("--truth", type=Path)
    add("--slots", type=_whole(0, 10_000))
    add("--when-full", type=WhenFull, default=WhenFull.QUEUE)
    add("--rate-limit", type=_whole(0, 10**9), default=0)
    add("--token", default="")
    add("--head-of-line", action=argparse.BooleanOptionalAction)
    add("--scrape-stall", type=duration)
    add("--chunk", type=_checked(_chunk_s))
    add("--pace", type=duration)
    add("--work", type=duration, default=0.0)
    add("--first-chunk", type=duration, default=0.0)
    add("--gpu", type=Path)
    add("--slowed-by", type=_share, default=0.0)
    add("--per-character", type=duration, default=0.06)
    add("--audio", type=duration, default=0.0)
    add("--fault", action="append", default=[])


def _chunk_s(text: str) -> float:
    chunk_s = parse_duration_s(text)
    if not 0.001 <= chunk_s <= 60:
        raise ValueError(f"{text} is not within 1ms .. 60s")
    return chunk_s


def _checked(read: Callable[[str], float]) -> Callable[[str], float]:
    def checked(text: str) -> float:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return checked


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share <= 1000:
        raise argparse.ArgumentTypeError(f"{text} is not within 0 .. 1000")
    return share


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read_whole(text: str) -> int:
        value = int(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text} is not within {low} .. {high}")
        return value

    return read_whole
