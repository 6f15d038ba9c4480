"""How reports say what an output cost: a line on each kind of cost that is known."""

from __future__ import annotations

from collections.abc import Iterator

from genload.analysis.judged.efficiency import Efficiency, Energy, GpuTime, Sharing
from genload.human import human


def efficiency_findings(found: Efficiency) -> Iterator[tuple[str, str]]:
    """Title and text of each finding."""
    if found.energy is not None:
        yield "energy", _energy(found.energy)
    if found.gpu_time is not None:
        yield "GPU time", _gpu_time(found.gpu_time)
    if found.cost is not None:
        currency = found.cost.currency
        text = f"{human(found.cost.per_1000_outputs, currency)} per 1000 outputs"
        if found.cost.per_audio_hour is not None:
            text += f", {human(found.cost.per_audio_hour, currency)} per hour of audio"
        yield "cost", f"{text} ({found.gpus} GPU, {human(found.seconds, 's')}, {found.outputs} outputs)"
    if found.sharing is not None:
        yield "board", sharing_text(found.sharing)


def cost_words(found: Efficiency) -> str | None:
    """What one output cost, in a line; None where nothing of it is known."""
    parts = []
    if found.energy is not None:
        parts.append(human(found.energy.per_output, "J"))
    if found.gpu_time is not None:
        parts.append(f"{human(found.gpu_time.per_output, 's')} of GPU time")
    if found.cost is not None:
        parts.append(f"{human(found.cost.per_1000_outputs, found.cost.currency)} a thousand")
    return ", ".join(parts) or None


def _energy(energy: Energy) -> str:
    text = f"{human(energy.per_output, 'J')} an output"
    if energy.per_audio_second is not None:
        text += f", {human(energy.per_audio_second, 'J')} a second of audio"
    if energy.per_output_above_idle is None:
        return f"{text}, idling included ({energy.metric}; no idle level was seen before the load)"
    above = f"{human(energy.per_output_above_idle, 'J')} an output"
    if energy.per_audio_second_above_idle is not None:
        above += f", {human(energy.per_audio_second_above_idle, 'J')} a second of audio"
    return f"{text}; above idle ({human(energy.idle_watts, 'W')}) {above} ({energy.metric})"


def _gpu_time(gpu_time: GpuTime) -> str:
    text = f"{human(gpu_time.per_output, 's')} an output"
    if gpu_time.per_audio_second is not None:
        text += f", {human(gpu_time.per_audio_second, 's')} a second of audio"
    return text


def sharing_text(sharing: Sharing) -> str:
    """Whether others were on the board, in one sentence."""
    if sharing.shared:
        return f"shared: {', '.join(sharing.others)} worked on it too, which is in these numbers"
    if sharing.shared is False:
        return "not shared: only the service's processes were on it"
    if sharing.processes is None:
        return "whether it was shared is not known: no process on it could be seen"
    return (
        f"whether it was shared is not known: {sharing.processes} processes were on it, and which are the "
        "service's is for `processes` of the gpu monitor to say"
    )
