"""The metrics of an operation whose output is listened to; formulas in `genload.artifacts.audio.playback`."""

from __future__ import annotations

from genload.settings.criteria.ast import Dimension
from genload.settings.metrics.metric import (
    Better,
    Failures,
    Metric,
    Of,
    Tally,
    request_count,
    request_number,
    request_share,
)


def speech_metrics(operation: str) -> tuple[Metric, ...]:
    """What is measured of each answer, and of all answers together.

    Where the length of the audio can only be told by decoding, it is known of inspected answers alone.
    """
    time, plain, ratio, count = Dimension.TIME, Dimension.PLAIN, Dimension.RATIO, Dimension.COUNT

    def number(
        name: str,
        dimension: Dimension,
        help: str,
        of: Of = Of.ALL,
        failures: Failures = Failures.LAST,
        better: Better | None = None,
    ) -> Metric:
        return request_number(f"{operation}.{name}", dimension, help, failures=failures, of=of, better=better)

    def whole(name: str, dimension: Dimension, help: str, better: Better = Better.LOWER) -> Metric:
        return Metric(f"{operation}.{name}", dimension, (), "requests", help, better=better)

    return (
        number("ttfb", time, "from the send to the first byte of the body"),
        number(
            "ttfa",
            time,
            "from the send to the first 20 ms of audio that can be played: headers are no audio",
        ),
        number("first_sound", time, "from the send to the first audio that is not silent", Of.INSPECTED),
        number("gap_max", time, "longest pause between two arrivals of one answer"),
        number("audio_duration", time, "length of the audio", failures=Failures.LEFT_OUT),
        number(
            "streams", count, "files of audio in one answer, one behind the other", failures=Failures.LEFT_OUT
        ),
        number(
            "rtf",
            plain,
            "(last byte − send) ÷ length of the audio: below 1 is faster than real time",
        ),
        number(
            "delivery_rtf",
            plain,
            "(last byte − first audio) ÷ length of the audio",
        ),
        number(
            "stalls",
            count,
            "how often playback had to wait, when it begins `pre_buffer` after the first audio",
            Of.STREAMED,
        ),
        number("underrun", time, "longest such wait of one answer; 0 when there was none", Of.STREAMED),
        number("startup_buffer", time, "least pre-buffer that would have avoided every stall", Of.STREAMED),
        request_share(
            f"{operation}.sent_as_made",
            "streams sent as they were made",
            "streams of 10 s of audio and more that came as they were made, and not in one burst at the end",
        ),
        number("playout", time, "from the send until the last of the audio has been played, waits included"),
        number("silence", ratio, "share of the audio that is silent", Of.INSPECTED, better=Better.EITHER),
        number("rms", plain, "loudness, 0..1 of full scale", Of.INSPECTED, Failures.LEFT_OUT),
        request_share(
            f"{operation}.own_words",
            "answers in their own words",
            "answers in which the code of their own text was heard ÷ answers that were listened to",
            of=Of.HEARD,
            finding="outputs came with other words than those of their text, or not understood",
        ),
        request_count(
            f"{operation}.swapped",
            "answers with the code of another text, whose request was in flight then",
            Tally.TRUE,
            of=Of.HEARD,
            key="swapped",
        ),
        number(
            "code_errors",
            count,
            "digits of its code that an answer leaves out, changes, puts in or repeats, as heard",
            Of.HEARD,
            Failures.COUNTED,
            Better.LOWER,
        ),
        number(
            "word_error_rate",
            ratio,
            "words left out, changed and put in ÷ words of the text, by a transcript",
            Of.HEARD,
            Failures.COUNTED,
            Better.LOWER,
        ),
        number("characters", count, "length of the text", failures=Failures.COUNTED),
        request_count(
            f"{operation}.left",
            "requests whose listeners left before the end, as the suite wanted it; in no other number",
            Tally.LEFT,
            better=Better.EITHER,
        ),
        whole("cold_ttfa", time, "first audio of the request that `cold_start` is of"),
        whole(
            "released",
            time,
            "from the moment in which all listeners left until the service was at rest: by its own number of "
            "requests in flight, or else by its GPU or CPU",
        ),
        whole(
            "audio_throughput",
            plain,
            "seconds of audio completed inside the window ÷ its length",
            Better.HIGHER,
        ),
        whole(
            "audio_per_character",
            time,
            "mean of: length of the audio ÷ characters of its text",
            Better.EITHER,
        ),
        whole("per_character", time, "slope of `duration` against the length of the text"),
    )
