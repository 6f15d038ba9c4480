"""The metrics of an operation whose output is listened to; formulas in `genload.artifacts.playback`."""

from __future__ import annotations

from genload.settings.criteria.ast import Dimension
from genload.settings.metrics.metric import Failures, Metric, Of, request_number


def speech_metrics(operation: str) -> tuple[Metric, ...]:
    """What is measured of each answer, and of all answers together.

    Of an answer that is not inspected the length of the audio, and what is a share of it, may be unknown.
    """
    time, plain, ratio, count = Dimension.TIME, Dimension.PLAIN, Dimension.RATIO, Dimension.COUNT

    def number(
        name: str,
        dimension: Dimension,
        help: str,
        of: Of = Of.ALL,
        failures: Failures = Failures.LAST,
    ) -> Metric:
        return request_number(f"{operation}.{name}", dimension, help, failures=failures, of=of)

    def whole(name: str, dimension: Dimension, help: str) -> Metric:
        return Metric(f"{operation}.{name}", dimension, (), "requests", help)

    return (
        number("ttfb", time, "send to the first byte of the answer's body"),
        number("ttfa", time, "send to the first 20 ms of audio that can be played"),
        number("first_sound", time, "send to the first audio that is not silent", Of.INSPECTED),
        number("gap_max", time, "longest pause between two arrivals of one answer"),
        number("audio_duration", time, "length of the audio", Of.INSPECTED, Failures.LEFT_OUT),
        number(
            "rtf",
            plain,
            "send to the last byte ÷ length of the audio: below 1 is faster than real time",
            Of.INSPECTED,
        ),
        number("delivery_rtf", plain, "first audio to the last byte ÷ length of the audio", Of.INSPECTED),
        number("stalls", count, "times that playback had to wait, with the suite's pre-buffer", Of.STREAMED),
        number("underrun", time, "longest such wait of one answer; 0 when there was none", Of.STREAMED),
        number("startup_buffer", time, "least pre-buffer that would have avoided every stall", Of.STREAMED),
        number("silence", ratio, "share of the audio that is silent", Of.INSPECTED),
        number("rms", plain, "loudness, 0..1 of full scale", Of.INSPECTED, Failures.LEFT_OUT),
        number("characters", count, "length of the text", failures=Failures.COUNTED),
        number(
            "start_delay",
            time,
            "how late it was sent after the moment that an open schedule intended",
            failures=Failures.COUNTED,
        ),
        whole("audio_throughput", plain, "seconds of audio completed inside the window ÷ its length"),
        whole("per_character", time, "duration against text length: the slope, seconds a character"),
    )
